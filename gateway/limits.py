"""Limits that all gateways share: decided at once by what this process knows, told to the shared store in between.

One token opens the door for a request of any size: what it takes beyond is owed. So no batch is refused half, large
ones do not starve beside small ones, and the rate still holds on average.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from crossdock.kernel import jsontext
from crossdock.kernel.buckets import Buckets
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Problem, Unavailable
from gateway.answers import PROBLEM, Answer, Headers, problem_document
from gateway.meters import Meter, Meters, Rule, open_meters

log = logging.getLogger(__name__)

EVERY = 0.05  # seconds between two words to the store
AWAY = 1.0  # seconds until a store that did not answer is asked again
_SWEEP = 1024  # callers and sources after which those are forgotten whose buckets are full


class Verdict(NamedTuple):
    """Whether events may come in; if not, which policies are broken and in how many whole seconds to try again."""

    ok: bool
    violated: tuple[str, ...]
    retry_after: int
    described: bytes
    meters: Sequence[Meter]
    at: float

    @property
    def headers(self) -> Headers:
        """The fields `RateLimit-Policy` and `RateLimit`; the latter has only what is broken, if something is."""
        told = b", ".join([meter.told(self.at) for meter in self.meters])
        return (b"ratelimit-policy", self.described), (b"ratelimit", told)


class Limits:
    """The limits as one process sees them; `clock` gives the seconds of a steady clock, `wall` Unix seconds."""

    def __init__(
        self,
        buckets: Buckets,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._buckets = buckets
        self._metrics = metrics
        self._clock = clock
        self._wall = wall
        self._known: dict[str, Meters] = {}
        self._sweep_at = _SWEEP
        self._touched: set[Meter] = set()
        self._telling: asyncio.Task[None] | None = None
        self._away = False

    def take(self, key: str, rules: Sequence[Rule], events: int = 1) -> Verdict:
        """Take events from all buckets of a caller or source, or from none."""
        now = self._clock()
        meters = self._meters(key, rules, now)
        if refusal := _refusal(meters, now):
            return refusal
        for meter in meters.each:
            meter.level -= events
            if not meter.spent:
                self._touch(meter)
            meter.spent += events
        return Verdict(True, (), 0, meters.described, meters.each, now)

    def look(self, key: str, rules: Sequence[Rule]) -> Verdict | None:
        """Return what `take` would say if it refused, and take nothing."""
        if not rules:
            return None
        now = self._clock()
        return _refusal(self._meters(key, rules, now), now)

    async def close(self) -> None:
        """Tell the store what it has not heard yet, and stop."""
        if self._telling:
            self._telling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._telling
        await self._tell()

    def _meters(self, key: str, rules: Sequence[Rule], now: float) -> Meters:
        meters = self._known.get(key)
        if meters is None or now >= meters.until or meters.rules != rules:
            meters = self._open(key, rules, now)
        return meters

    def _open(self, key: str, rules: Sequence[Rule], now: float) -> Meters:
        if len(self._known) >= self._sweep_at:
            self._forget(now)
        before = self._known.get(key)
        opened = open_meters(key, rules, now, self._wall(), before.each if before else ())
        self._known[key] = opened
        return opened

    def _forget(self, now: float) -> None:
        kept = {
            key: meters
            for key, meters in self._known.items()
            if not all(meter.forgettable(now) for meter in meters.each)
        }
        self._known, self._sweep_at = kept, max(_SWEEP, 2 * len(kept))

    def _touch(self, meter: Meter) -> None:
        """See to it that the store hears of a bucket; after a pause at once, as what is known here has grown old."""
        self._touched.add(meter)
        if self._telling is None or self._telling.done():
            self._telling = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        while self._touched:
            await self._tell()
            await asyncio.sleep(AWAY if self._away else EVERY)

    async def _tell(self) -> None:
        """Tell the store what was spent, and learn what all others did; while it is away this process decides alone."""
        touched, self._touched = self._touched, set()
        spends = [meter.hand_over() for meter in touched]
        if not spends:
            return
        try:
            levels = await self._buckets.spend(spends)
        except Unavailable as error:
            self._metrics.limits_local.inc()
            if not self._away:
                log.warning("limits are not shared, each gateway allows the whole rate: %s", error)
            self._away, now = True, self._clock()
            for meter, spend in zip(touched, spends, strict=True):
                meter.take_back(spend.tokens, now)
            self._touched = {meter for meter in touched | self._touched if meter.spent}
            return
        self._away, now = False, self._clock()
        for meter, level in zip(touched, levels, strict=True):
            meter.learn(level, now)


def _refusal(meters: Meters, now: float) -> Verdict | None:
    empty = [meter for meter in meters.each if meter.empty(now)]
    if not empty:
        return None
    violated = tuple(meter.label for meter in empty)
    return Verdict(False, violated, max(meter.wait(now) for meter in empty), meters.described, empty, now)


def too_much(violated: Sequence[str], retry_after: int) -> Answer:
    """Return the answer to what is over a limit; its type is registered (draft-ietf-httpapi-ratelimit-headers)."""
    found = Problem("quota_exceeded", f"over the limit: {', '.join(violated)}", f"send it again in {retry_after} s")
    document = {**problem_document((found,)), "violated-policies": list(violated)}
    return Answer(429, jsontext.dumps(document), PROBLEM, ((b"retry-after", b"%d" % retry_after),))
