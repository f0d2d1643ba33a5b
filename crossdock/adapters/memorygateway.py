"""The ports of the gateway in memory: token buckets and kept answers."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from crossdock.kernel.buckets import Spend
from crossdock.kernel.keptanswers import KEPT, UNDER_WAY, Begin, KeptAnswer


class MemoryBuckets:
    """Token buckets in a dict; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._levels: dict[str, tuple[float, float]] = {}

    async def spend(self, spends: Sequence[Spend]) -> list[float]:
        """See `Buckets.spend`."""
        return [self._spend(*spend) for spend in spends]

    def _spend(self, bucket: str, rate: float, most: int, tokens: int) -> float:
        now = self._clock()
        level, at = self._levels.get(bucket, (most, now))
        level = min(most, level + rate * (now - at)) - tokens
        self._levels[bucket] = (level, now)
        return level


class _Request(NamedTuple):
    fingerprint: str
    owner: str
    until: float
    answer: KeptAnswer | None = None


class MemoryAnswers:
    """Kept answers in a dict; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._requests: dict[str, _Request] = {}

    async def begin(self, name: str, fingerprint: str, owner: str) -> Begin | KeptAnswer:
        """See `Answers.begin`."""
        known = self._requests.get(name)
        if known is None or known.until <= self._clock():
            self._requests[name] = _Request(fingerprint, owner, self._clock() + UNDER_WAY)
            return Begin.BEGUN
        if known.fingerprint != fingerprint:
            return Begin.MISMATCH
        if known.answer is None:
            return Begin.BEGUN if known.owner == owner else Begin.IN_FLIGHT
        return known.answer

    async def finish(self, name: str, owner: str, answer: KeptAnswer) -> None:
        """See `Answers.finish`."""
        known = self._requests.get(name)
        if known is not None and known.owner == owner and self._clock() < known.until:
            self._requests[name] = known._replace(answer=answer, until=self._clock() + KEPT)

    async def abandon(self, name: str, owner: str) -> None:
        """See `Answers.abandon`."""
        known = self._requests.get(name)
        if known is not None and known.owner == owner:
            del self._requests[name]
