"""What the operations side works with; the composition root makes it."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from alerts.engine import Engine
from console.content import Office
from crossdock.kernel.apikeys import KeyBook
from crossdock.kernel.stream import Lag, Log, Message
from crossdock.pipeline.backfiller import Backfiller
from crossdock.pipeline.drifting import Drifts
from crossdock.pipeline.replayer import Replayer
from crossdock.pipeline.unreadable import Unreadable
from crossdock.project import Project
from dlq.approvals import Approvals
from dlq.audit import Audit
from dlq.ports import Letters
from dlq.problems import Marks
from dlq.record import DeadLetter
from journal.conformance import Conformance
from journal.figures import Processes
from journal.ledger import Ledger
from journal.store import JournalStore


class Examiner(Protocol):
    """Looks at one dead letter with content, in memory; what it answers holds personal values as they are.

    Every method raises Unavailable when the broker does not answer.
    """

    async def since(self, letter: DeadLetter) -> Mapping[str, Any]:
        """Return what becomes of it by the revision that it failed by, and what changed since on its way."""

    async def edited(self, letter: DeadLetter, made: DeadLetter) -> Mapping[str, Any]:
        """Return what would become of an edited one by the content in force, and the `changes` of the event."""

    async def case(self, letter: DeadLetter, wish: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return it as a content test; `wish` may have `name`, `personal` and `routes`.

        Raises:
            Refused: `no_case`.
        """


@dataclass
class Desk:
    """Everything the operations API acts on; `project` is the one in force.

    `unpark` forgets that dead letters wait for a row of a table.
    `rehearse` tries dead letters with the files of a project, those in force where there are none; the last are edited.
    `stored` gives a message of a stream by its sequence.
    `second_person` says from how many dead letters on an act takes a second person.
    `ledger` is brought up to now, `last_ledger` is what it last was, `prove` makes it of the streams alone.
    `unreadable` names the messages of JOURNAL that were stepped over.
    `ages` tells how many seconds the oldest message waits, by route or `process`, as it was last looked at.
    `trace_url` is the page of a trace, with `{trace_id}` in it, empty where none are shown.
    `past` gives events of RAW: since Unix milliseconds, after a sequence, or the newest, and at most so many.
    """

    project: Project
    journal: JournalStore
    keys: KeyBook
    last_uses: Callable[[], Awaitable[Mapping[str, int]]]
    letters: Letters
    streams: Log
    stored: Callable[[str, int], Awaitable[Message | None]]
    past: Callable[[int, int, int], Awaitable[list[Message]]]
    ledger: Callable[[], Awaitable[Ledger]]
    prove: Callable[[Callable[[str, int, int], None]], Awaitable[Ledger]]
    last_ledger: Callable[[], Ledger | None]
    unreadable: Unreadable
    lags: Callable[[], Awaitable[Mapping[str, Lag]]]
    states: Callable[[], Mapping[str, Mapping[str, Any]]]
    polls: Callable[[], Mapping[str, Mapping[str, Any]]]
    pause: Callable[[str, bool], Awaitable[None]]
    metrics: Callable[[], bytes]
    asyncapi: Callable[[], Mapping[str, Any]]
    office: Office
    backfiller: Backfiller
    audit: Audit
    marks: Marks
    alerts: Engine
    drifts: Drifts
    processes: Processes
    conformance: Conformance
    replayer: Replayer
    unpark: Callable[[Collection[str]], Awaitable[None]]
    rehearse: Callable[[bytes, Sequence[DeadLetter], Sequence[DeadLetter]], Awaitable[Mapping[str, Any]]]
    examiner: Examiner
    approvals: Approvals
    second_person: Mapping[str, int]
    trace_url: str = ""
    ages: Mapping[str, float] = field(default_factory=dict)
