"""What the operations side works with; the composition root makes it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crossdock.kernel.apikeys import KeyBook
from crossdock.kernel.stream import Lag, Log
from crossdock.project import Project
from dlq.ports import Letters
from journal.ledger import Ledger
from journal.store import JournalStore


@dataclass(frozen=True)
class Desk:
    """Everything the operations API acts on."""

    project: Project
    journal: JournalStore
    keys: KeyBook
    last_uses: Callable[[], Awaitable[Mapping[str, int]]]
    letters: Letters
    streams: Log
    ledger: Callable[[], Awaitable[Ledger]]
    lags: Callable[[], Awaitable[Mapping[str, Lag]]]
    states: Callable[[], Mapping[str, Mapping[str, Any]]]
    pause: Callable[[str, bool], Awaitable[None]]
    metrics: Callable[[], bytes]
    asyncapi: Callable[[], Mapping[str, Any]]
