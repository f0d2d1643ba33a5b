"""The gate in front of a lane's attempts: pause, breaker and rate."""

import asyncio
import time
from collections.abc import Callable

from connectors.breaker import Breaker

_LEAST = 0.02
_PAUSED = 0.25


class Gate:
    """Lets nothing through while paused, one probe at a time while the breaker is half open, all else at its rate.

    `rate` is attempts a second, 0 for as many as there are.
    """

    def __init__(self, breaker: Breaker, rate: float) -> None:
        self.breaker = breaker
        self.paused = False
        self._apart = 1 / rate if rate else 0.0
        self._next = 0.0
        self.stopping = asyncio.Event()
        self._queue = asyncio.Lock()

    async def admit(self, left: Callable[[], float]) -> bool:
        """Wait for the breaker; false when the delivery grew too old meanwhile. `left` gives its seconds left."""
        while self.paused and not self.stopping.is_set():
            await self.nap(_PAUSED)
        if not self.breaker.ready() and not await self._wait(left):
            return False
        if self._apart:
            await self._pace()
        return True

    async def _wait(self, left: Callable[[], float]) -> bool:
        async with self._queue:  # one delivery watches the breaker, the others queue behind it
            while not self.stopping.is_set() and not self.breaker.ready():
                if left() <= 0:
                    return False
                await self.nap(min(left(), max(_LEAST, self.breaker.wait())))
        return True

    async def _pace(self) -> None:
        now = time.monotonic()
        turn = max(now, self._next)
        self._next = turn + self._apart
        await self.nap(turn - now)

    async def nap(self, seconds: float) -> None:
        """Sleep, but not past the stop of the lane."""
        try:
            async with asyncio.timeout(seconds):
                await self.stopping.wait()
        except TimeoutError:
            pass
