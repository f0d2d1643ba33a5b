"""What the operations side works with; the composition root makes it."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.content import Office
from crossdock.kernel.apikeys import KeyBook
from crossdock.kernel.stream import Lag, Log, Message
from crossdock.pipeline.backfiller import Backfiller
from crossdock.pipeline.replayer import Replayer
from crossdock.project import Project
from dlq.audit import Audit
from dlq.ports import Letters
from dlq.problems import Marks
from dlq.record import DeadLetter
from journal.ledger import Ledger
from journal.store import JournalStore


@dataclass
class Desk:
    """Everything the operations API acts on; `project` is the one in force.

    `unpark` forgets that dead letters wait for a row of a table.
    `rehearse` tries dead letters with the files of a project, those in force where there are none.
    `stored` gives a message of a stream by its sequence.
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
    replayer: Replayer
    unpark: Callable[[Collection[str]], Awaitable[None]]
    rehearse: Callable[[bytes, Sequence[DeadLetter]], Awaitable[Mapping[str, Any]]]
