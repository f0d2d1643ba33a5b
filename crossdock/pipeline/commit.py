"""Group commit: what is appended while other appends are being stored goes to the broker together, as one lot."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Log, Record, Stored

log = logging.getLogger(__name__)

LOTS = 2  # under way at a time: while one is written to disk the next is sent
LOT = 500  # records, what an atomic batch takes
LOT_BYTES = 1 << 20
MOST = 20_000  # records that wait or are under way
MOST_BYTES = 64 << 20
PATIENCE = 2.0  # seconds a record waits for its turn; an append that nobody acknowledges takes 5 more
KNOWN = 50_000  # keys remembered, up to twice as many: the broker refuses a whole lot for one that it has already

Done = Callable[[Stored | Unavailable], None]


class GroupCommit:
    """A `Log` that stores single appends in lots; nothing waits when nothing is under way."""

    def __init__(self, stream: Log) -> None:
        self._stream = stream
        self._waiting: deque[tuple[Record, float]] = deque()
        self._done: dict[str, Done] = {}
        self._repeats: dict[str, list[tuple[int, Done]]] = {}
        self._lately = _Lately()
        self._tasks: set[asyncio.Task[None]] = set()
        self._lots = 0
        self._woken = False
        self._records = 0
        self._bytes = 0

    def submit(self, record: Record, done: Done) -> None:
        """Append a record; `done` gets the outcome, later and once.

        Raises:
            Unavailable: too much waits already.
        """
        loop, key, size = asyncio.get_running_loop(), record.key, len(record.payload)
        self._hold(1, size)
        if key in self._done:  # the first of a key decides for the others, which would spoil the lot for everybody
            self._repeats.setdefault(key, []).append((size, done))
            return
        self._done[key] = done
        self._waiting.append((record, loop.time() + PATIENCE))
        if self._lots < LOTS and not self._woken:
            self._woken = True
            loop.call_soon(self._send)  # after everything that came in with this round of the loop

    async def append(self, record: Record) -> Stored:
        """See `Log.append`."""
        future: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        self.submit(record, partial(_resolve, future))
        return await future

    async def append_all(self, records: Sequence[Record]) -> list[Stored]:
        """See `Log.append_all`; what comes together is a lot already."""
        size = sum(len(record.payload) for record in records)
        self._hold(len(records), size)
        for record in records:
            self._lately.met(record.key)
        try:
            return await self._stream.append_all(records)
        finally:
            self._free(len(records), size)

    async def close(self) -> None:
        """Wait until nothing is under way."""
        while self._done:
            self._send()
            if self._tasks:
                await asyncio.wait(self._tasks)

    def _hold(self, records: int, size: int) -> None:
        if self._records + records > MOST or self._bytes + size > MOST_BYTES:
            raise Unavailable("too much waits to be stored")
        self._records += records
        self._bytes += size

    def _free(self, records: int, size: int) -> None:
        self._records -= records
        self._bytes -= size

    def _send(self) -> None:
        """Send what waits, in as many lots as may be under way."""
        self._woken = False
        while self._waiting and self._lots < LOTS:
            lot = self._next_lot()
            if lot:
                self._lots += 1
                self._start(self._store_lot(lot))

    def _next_lot(self) -> list[Record]:
        """Take a lot off what waits; what the broker may have already goes beside it."""
        now, size, lot = asyncio.get_running_loop().time(), 0, list[Record]()
        while self._waiting and len(lot) < LOT and size < LOT_BYTES:
            record, until = self._waiting.popleft()
            if until < now:
                self._settle(record, Unavailable("waited too long for its turn"))
            elif self._lately.met(record.key):
                self._start(self._store([record]))
            else:
                lot.append(record)
                size += len(record.payload)
        return lot

    def _start(self, act: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(act)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _store_lot(self, lot: list[Record]) -> None:
        outcomes = await self._outcomes(lot)
        self._lots -= 1
        self._send()  # first, so that the broker works while the answers are written
        self._settle_all(lot, outcomes)

    async def _store(self, lot: list[Record]) -> None:
        self._settle_all(lot, await self._outcomes(lot))

    async def _outcomes(self, lot: list[Record]) -> Sequence[Stored | Unavailable]:
        try:
            return [await self._stream.append(lot[0])] if len(lot) == 1 else await self._stream.append_all(lot)
        except Unavailable as error:
            log.warning("%d records not stored: %s", len(lot), error)
            return [error] * len(lot)
        except Exception as error:  # every caller is told, whatever happens here
            log.exception("%d records not stored", len(lot))
            return [Unavailable(f"not stored: {type(error).__name__}")] * len(lot)

    def _settle_all(self, lot: Sequence[Record], outcomes: Sequence[Stored | Unavailable]) -> None:
        for record, outcome in zip(lot, outcomes, strict=True):
            self._settle(record, outcome)

    def _settle(self, record: Record, outcome: Stored | Unavailable) -> None:
        size, done = len(record.payload), self._done.pop(record.key)
        self._tell(size, done, outcome)
        for size, done in self._repeats.pop(record.key, ()):
            self._tell(size, done, outcome._replace(duplicate=True) if isinstance(outcome, Stored) else outcome)

    def _tell(self, size: int, done: Done, outcome: Stored | Unavailable) -> None:
        self._free(1, size)
        try:
            done(outcome)
        except Exception:  # the others of the lot are told all the same
            log.exception("an outcome could not be told")


class _Lately:
    """The keys met lately, at least `KNOWN` of them and at most twice as many."""

    def __init__(self) -> None:
        self._young: set[str] = set()
        self._old: set[str] = set()

    def met(self, key: str) -> bool:
        """Tell whether a key was met before, and remember it."""
        if key in self._young:
            return True
        if len(self._young) >= KNOWN:
            self._young, self._old = set(), self._young
        self._young.add(key)
        return key in self._old


def _resolve(future: "asyncio.Future[Stored]", outcome: Stored | Unavailable) -> None:
    if future.done():  # its caller was cancelled
        return
    if isinstance(outcome, Stored):
        future.set_result(outcome)
    else:
        future.set_exception(outcome)
