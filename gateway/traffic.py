"""How much a caller and a source may send, and who has to wait: the limits of `gateway/*.yaml` and of keys."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from crossdock.project import Project
from crossdock.source import SourceSpec
from gateway.answers import Headers
from gateway.caller import Caller
from gateway.catalog import notices
from gateway.limits import Limits, Verdict, too_much
from gateway.meters import Policy, Quota, Rule

BUSY = 1  # seconds after which a caller with too many requests under way may try again
REFUSALS = 50  # of one partner that are answered in a second; the rest are kept back, as each takes 0.15 ms of CPU
KEPT_BACK = 1.0  # seconds at most


class Limited(Exception):
    """A limit is reached; carries the answer that says which, and when it is over."""

    def __init__(self, violated: Sequence[str], retry_after: int, told: Headers, delay: float) -> None:
        answer = too_much(violated, retry_after)
        super().__init__(f"over the limit: {', '.join(violated)}")
        self.answer = answer._replace(headers=answer.headers + told, delay=delay)


class Pace:
    """Spreads the refusals of each lane: those of a second go out at once, what comes beyond them waits its turn."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def delay(self, lane: str) -> float:
        """Return how many seconds to keep back a refusal that is due now."""
        now = self._clock()
        until = min(max(self._until.get(lane, 0.0), now) + 1 / REFUSALS, now + 1 + KEPT_BACK)
        self._until[lane] = until
        return max(0.0, until - now - 1)


class Traffic:
    """The limits of one project in one gateway process; those by time are shared by all."""

    def __init__(self, project: Project, limits: Limits, before: "Traffic | None" = None) -> None:
        """Take over what is under way from what was `before`, of another revision."""
        self._limits = limits
        self._policies = {source.name: _policies(source) for source in project.sources.values()}
        self._limited = frozenset(name for name, policies in self._policies.items() if policies)
        self._notices = {source.name: notices(source) for source in project.sources.values()}
        self._pace: Pace = before._pace if before else Pace()
        self._under_way: Counter[str] = before._under_way if before else Counter()
        self._turns: defaultdict[str, asyncio.Lock] = before._turns if before else defaultdict(asyncio.Lock)

    def enter(self, lane: str, most: int) -> None:
        """Begin a request in the lane of a partner or source; `leave` ends it.

        Raises:
            Limited: as many as may be are under way.
        """
        if self._under_way[lane] >= most:
            raise self._refusal(lane, ("concurrent",), BUSY)
        self._under_way[lane] += 1

    def leave(self, lane: str) -> None:
        """End a request."""
        self._under_way[lane] -= 1

    @contextmanager
    def lane(self, name: str, most: int) -> Iterator[None]:
        """Be under way in a lane; see `enter`."""
        self.enter(name, most)
        try:
            yield
        finally:
            self.leave(name)

    def turn(self, partner: str) -> asyncio.Lock:
        """Return what a partner holds while many events of one request are judged: others go on between its slices."""
        return self._turns[partner]

    def spend_key(self, caller: Caller, events: int = 1) -> None:
        """Count events against the own limit of a key.

        Raises:
            Limited: the key has sent too many.
        """
        if caller.rate:
            policy = Policy("key", caller.rate, caller.rate)
            self._allowed(caller.partner, f"key:{caller.key}", (policy,), events)

    def knock(self, caller: Caller) -> None:
        """Turn away who may send nothing now, before the work of reading what it sent; counts nothing.

        Raises:
            Limited: all of its sources have sent too many.
        """
        closed = None
        for name in caller.sources if caller.sources <= self._limited else ():
            closed = self._limits.look(f"source:{name}", self._policies[name])
            if closed is None:
                return
        if closed:
            raise self._refusal(caller.partner, closed.violated, closed.retry_after, closed.headers)

    def charge(self, caller: Caller, events: int) -> None:
        """Count events that were refused against every limited source of who sent them: reading them has its price."""
        for name in caller.sources if events else ():
            if policies := self._policies[name]:
                self._limits.take(f"source:{name}", policies, events)

    def spend(self, source: SourceSpec, events: int = 1) -> Headers:
        """Count events against the limits of their source; returns the headers that tell the sender of them.

        Raises:
            Limited: the source has sent too many.
        """
        policies = self._policies[source.name]
        if not policies:
            return self._notices[source.name]
        verdict = self._allowed(source.partner, f"source:{source.name}", policies, events)
        return verdict.headers + self._notices[source.name]

    def _allowed(self, lane: str, key: str, policies: tuple[Rule, ...], events: int) -> Verdict:
        verdict = self._limits.take(key, policies, events)
        if not verdict.ok:
            raise self._refusal(lane, verdict.violated, verdict.retry_after, verdict.headers)
        return verdict

    def _refusal(self, lane: str, violated: Sequence[str], retry_after: int, told: Headers = ()) -> Limited:
        return Limited(violated, retry_after, told, self._pace.delay(lane))


def _policies(source: SourceSpec) -> tuple[Rule, ...]:
    limits = source.limits
    rate = (Policy("rate", limits.rate, limits.burst),) if limits.rate else ()
    return (*rate, Quota("quota", limits.quota)) if limits.quota else rate
