"""A shared store of limits at some distance, and limits on the time of `tests.clockwork`."""

import asyncio
from collections.abc import Sequence

from crossdock.adapters.memorygateway import MemoryBuckets
from crossdock.kernel.buckets import Buckets, Spend
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Unavailable
from gateway.limits import Limits
from gateway.meters import Policy, Quota
from tests.clockwork import clock

RATE = (Policy("rate", 10, 100),)
NOON = 20_000 * 86400 + 43200.0


class Store:
    """Shared buckets at some distance, which can be away; notes what it is told."""

    def __init__(self, latency: float = 0) -> None:
        self.away = False
        self.told: list[list[Spend]] = []
        self._latency = latency
        self._buckets = MemoryBuckets(clock)

    async def spend(self, spends: Sequence[Spend]) -> list[float]:
        await asyncio.sleep(self._latency)
        if self.away:
            raise Unavailable("limits: away")
        self.told.append(list(spends))
        levels = await self._buckets.spend(spends)
        await asyncio.sleep(self._latency)
        return levels


def made(store: Buckets, metrics: Metrics | None = None, begins: float = NOON) -> Limits:
    return Limits(store, metrics or Metrics(), clock, lambda: begins + clock())


def taken(limits: Limits, wishes: int, rules: tuple[Policy | Quota, ...] = RATE) -> int:
    return sum(limits.take("source:tills", rules).ok for _ in range(wishes))
