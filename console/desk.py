"""What the operations side works with; the composition root makes it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from console.content import Office
from crossdock.kernel.apikeys import KeyBook
from crossdock.kernel.stream import Lag, Log, Message
from crossdock.project import Project
from dlq.ports import Letters
from journal.ledger import Ledger
from journal.store import JournalStore


@dataclass
class Desk:
    """Everything the operations API acts on; `project` is the one in force.

    `past` gives events of RAW: since Unix milliseconds, after a sequence, or the newest, and at most so many.
    """

    project: Project
    journal: JournalStore
    keys: KeyBook
    last_uses: Callable[[], Awaitable[Mapping[str, int]]]
    letters: Letters
    streams: Log
    past: Callable[[int, int, int], Awaitable[list[Message]]]
    ledger: Callable[[], Awaitable[Ledger]]
    lags: Callable[[], Awaitable[Mapping[str, Lag]]]
    states: Callable[[], Mapping[str, Mapping[str, Any]]]
    pause: Callable[[str, bool], Awaitable[None]]
    metrics: Callable[[], bytes]
    asyncapi: Callable[[], Mapping[str, Any]]
    office: Office
