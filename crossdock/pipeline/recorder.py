"""Group commit of outcomes: many journal entries in one message, then the acknowledgements of their messages."""

import asyncio
import logging
import time
import uuid
from collections.abc import Iterable, Iterator

from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Log, Record, Stored
from journal.entry import SUBJECT, Entry, pack

log = logging.getLogger(__name__)

MAX_ENTRIES = 500
MAX_BYTES = 512 << 10  # ids and keys of partners may be long, and the broker refuses messages of more than 1 MiB
RETRY = 0.5


def now_ms() -> int:
    """Return Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


async def append_entries(journal: Log, entries: Iterable[Entry]) -> None:
    """Store entries, waiting as long as the broker is away.

    The key of a message is made once, so that an append whose acknowledgement was lost is stored once.
    """
    pending = list(entries)
    for start in range(0, len(pending), MAX_ENTRIES):
        for payload in _packed(pending[start : start + MAX_ENTRIES]):
            await append_patiently(journal, [Record(SUBJECT, payload, uuid.uuid4().hex)])


def _packed(entries: list[Entry]) -> Iterator[bytes]:
    payload = pack(entries)
    if len(payload) <= MAX_BYTES or len(entries) == 1:
        yield payload
        return
    half = len(entries) // 2
    yield from _packed(entries[:half])
    yield from _packed(entries[half:])


async def append_patiently(stream: Log, records: list[Record]) -> list[int]:
    """Append until the broker acknowledges, whatever goes wrong; return the sequences."""
    return [stored.seq for stored in await store_patiently(stream, records)]


async def store_patiently(stream: Log, records: list[Record]) -> list[Stored]:
    """Append as `append_patiently` does; a repeat may be one of what this very call stored before."""
    while True:
        try:
            return await stream.append_all(records)
        except Unavailable as error:
            log.warning("waiting to store: %s", error)
        except Exception:  # what is given up here would be in nobody's hands
            log.exception("waiting to store")
        await asyncio.sleep(RETRY)


class Recorder:
    """Collects entries while the last lot is being stored; nothing waits when nothing is under way."""

    def __init__(self, journal: Log) -> None:
        self._journal = journal
        self._lot: list[Entry] = []
        self._stored: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None

    def note(self, *entries: Entry) -> "asyncio.Future[None]":
        """Take entries; the future is done when they are stored."""
        self._lot += entries
        if self._stored is None:
            self._stored = asyncio.get_running_loop().create_future()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._flush())
        return self._stored

    async def close(self) -> None:
        """Wait until everything taken so far is stored."""
        while self._task is not None and not self._task.done():
            await self._task

    async def _flush(self) -> None:
        while self._lot:
            lot, stored = self._lot, self._stored
            self._lot, self._stored = [], None
            await append_entries(self._journal, lot)
            if stored is not None and not stored.done():
                stored.set_result(None)
