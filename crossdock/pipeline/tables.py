"""Lookup tables made of events: what feeds them from EVENTS, and what keeps those in memory like those stored."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, NamedTuple, Protocol

from crossdock.kernel.event import restore
from crossdock.kernel.expression import view
from crossdock.kernel.keys import EXPECTED, as_key
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.moments import microseconds
from crossdock.kernel.problems import Unavailable, refuse
from crossdock.kernel.stream import Inbox, Message
from transforms.lookups import Fed, Table, settled

log = logging.getLogger(__name__)

BATCH = 200
WAIT = 5.0
AWAY = 1.0

Appeared = Callable[[str, Collection[str]], None]


class FedRow(NamedTuple):
    """A row made of an event: when that happened in microseconds since 1970, and its sequence in EVENTS.

    Of two rows of a key the one that happened later holds; of one moment that which was stored later.
    """

    key: str
    at: int
    seq: int
    row: Any

    @property
    def age(self) -> tuple[int, int]:
        """What the rows of one key are ordered by."""
        return self.at, self.seq


class Rows(Protocol):
    """The stored rows of tables that are made of events."""

    async def put(self, table: str, rows: Sequence[FedRow]) -> None:
        """Store each row unless a newer one of its key is there.

        Raises:
            Unavailable: they were not all stored.
        """

    async def follow(self, table: str, apply: Callable[[list[FedRow]], None], whole: asyncio.Event) -> None:
        """Hand over all rows of a table and then each new one, for ever; `whole` says that the first are all there."""


class TableFeed:
    """Feeds one table through a durable consumer; what is read again after a crash changes nothing."""

    def __init__(self, table: Table, open_: Callable[[], Awaitable[Inbox]], rows: Rows, metrics: Metrics) -> None:
        assert isinstance(table.origin, Fed)
        self._table = table
        self._key = table.origin.key
        self._open = open_
        self._rows = rows
        self._unfed = metrics.lookup_unfed.labels(table.name)

    async def run(self) -> None:
        """Feed until cancelled."""
        inbox: Inbox | None = None
        while True:
            try:
                inbox = inbox or await self._open()
                messages = await inbox.fetch(BATCH, WAIT)
                if rows := [row for message in messages if (row := self._row(message))]:
                    await self._rows.put(self._table.id, rows)
                inbox.ack(messages)
            except Unavailable as error:
                log.warning("table of %s: %s", self._table.name, error)
                inbox = None  # its consumer may be gone; opening makes it again
                await asyncio.sleep(AWAY)

    def _row(self, message: Message) -> FedRow | None:
        """Return the row of an event; one that none can be made of holds up no other."""
        try:
            event = restore(message.payload)
            key = as_key(self._key.evaluate(view(event)))
            if key is None:
                raise refuse("bad_key", f"the key of the lookup does not give {EXPECTED}")
            at = microseconds(event.time) if event.time else int(message.time * 1e6)
        except Exception as error:
            log.error("event %d makes no row of the table of %s: %s", message.seq, self._table.name, error)
            self._unfed.inc()
            return None
        return FedRow(key, at, message.seq, event.data)


class TableMirror:
    """Keeps the rows of one table in memory; `whole` is set when everything that is stored was read."""

    def __init__(self, table: Table, rows: Rows, appeared: Appeared, metrics: Metrics) -> None:
        self.whole = asyncio.Event()
        self._table = table
        self._rows = rows
        self._appeared = appeared
        self._size = metrics.lookup_rows.labels(table.name)
        self._loaded = metrics.lookup_loaded.labels(table.name)

    async def run(self) -> None:
        """Follow until cancelled."""
        await self._rows.follow(self._table.id, self._apply, self.whole)

    def _apply(self, rows: list[FedRow]) -> None:
        for row in rows:
            self._table.rows[row.key] = settled(row.row)
        self._size.set(len(self._table.rows))
        self._loaded.set_to_current_time()
        self._appeared(self._table.id, [row.key for row in rows])
