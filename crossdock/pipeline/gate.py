"""The gate in front of all attempts at one connector: slots, breaker and rate, shared by its lanes."""

import asyncio
import time
from collections.abc import Callable

from connectors.breaker import Breaker

_LEAST = 0.02


class Gate:
    """Lets attempts through while the breaker is closed, one probe at a time while it is half open, at the rate.

    `rate` is attempts a second, 0 for as many as there are; `slots` bounds those under way.
    """

    def __init__(self, breaker: Breaker, rate: float, in_flight: int) -> None:
        self.breaker = breaker
        self.slots = asyncio.Semaphore(in_flight)
        self._apart = 1 / rate if rate else 0.0
        self._next = 0.0
        self._queue = asyncio.Lock()

    async def opened(self, left: Callable[[], float], stopping: asyncio.Event) -> bool:
        """Wait until the breaker may let one through; false when the delivery grew too old meanwhile.

        `left` gives its seconds left.
        """
        if self.breaker.wait() <= 0:
            return True
        async with self._queue:  # one delivery watches the breaker, the others queue behind it
            while not stopping.is_set() and (wait := self.breaker.wait()) > 0:
                if left() <= 0:
                    return False
                await nap(min(left(), max(_LEAST, wait)), stopping)
        return True

    async def admits(self, stopping: asyncio.Event) -> bool:
        """Tell, with a slot in hand, whether an attempt may start; after a yes it must."""
        if not self.breaker.ready():
            return False  # it opened while this one waited for its slot, or another is the probe
        if self._apart:
            await self._pace(stopping)
        return True

    async def _pace(self, stopping: asyncio.Event) -> None:
        now = time.monotonic()
        turn = max(now, self._next)
        self._next = turn + self._apart
        await nap(turn - now, stopping)


async def nap(seconds: float, stopping: asyncio.Event) -> None:
    """Sleep, but not past the stop of the lane."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        pass
