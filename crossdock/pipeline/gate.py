"""The gate in front of all attempts at one connector: breaker, slots and rate, shared by its lanes by priority."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from connectors.breaker import Breaker
from connectors.port import Result
from crossdock.pipeline.awaited import Awaited
from crossdock.pipeline.pace import Pace
from routes.spec import Priority

_LEAST = 0.02
_CATCH_UP = 0.1  # seconds by which the loop may be late without losing of the rate
# Of 21 attempts when all wait. Low ones do not stop; more for the high ones would make them hardly faster.
_WEIGHTS: dict[Priority, int] = {"high": 16, "normal": 4, "low": 1}

_UNWELL = (408, 425, 429)  # answers to any event

_Place = asyncio.Future[None]


class Gate:
    """Lets attempts through while the breaker is closed, one probe at a time while it is half open, at the rate.

    `rate` is attempts a second, 0 for as many as there are; at most `in_flight` are under way, and no more than `pace`
    finds that the target can take. Where they wait, those of a higher priority go first, and of each lower one some.
    `clock` gives seconds, as the loop counts them; `awaited` is there if a route waits for what reaches the connector.
    """

    def __init__(
        self,
        breaker: Breaker,
        rate: float,
        in_flight: int,
        clock: Callable[[], float] = time.monotonic,
        awaited: Awaited | None = None,
    ) -> None:
        self.breaker = breaker
        self.clock = clock
        self.awaited = awaited
        self.pace = Pace(in_flight, clock)
        self._under_way = 0
        self._apart = 1 / rate if rate else 0.0
        self._turn = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._waiting: dict[Priority, deque[_Place]] = {priority: deque() for priority in _WEIGHTS}
        self._crowd = 0  # how many wait
        self._served = dict.fromkeys(_WEIGHTS, 0.0)  # attempts of each by its weight: the least served is next
        self._served_to = 0.0  # what the last one had been served when its turn came
        self._fresh, self._tried = asyncio.Lock(), asyncio.Lock()

    async def opened(self, left: Callable[[], float], stopping: asyncio.Event, *, tried: bool) -> bool:
        """Wait until the breaker may let one through; false when the delivery grew too old meanwhile.

        `left` gives its seconds left. What was `tried` lets others go first: it may be what fails, and not the target.
        """
        if self._wait(tried) <= 0:
            return True
        async with self._tried if tried else self._fresh:  # one watches the breaker, the others queue behind it
            while not stopping.is_set() and (wait := self._wait(tried)) > 0:
                if left() <= 0:
                    return False
                await nap(min(left(), max(_LEAST, wait)), stopping)
        return True

    def _wait(self, tried: bool) -> float:
        return max(self.breaker.wait(), _LEAST if tried and self._fresh.locked() else 0.0)

    async def enter(self, priority: Priority) -> None:
        """Wait for a slot and for the turn; `leave` must follow."""
        if self._under_way < int(self.pace.limit) and not self._apart and not self._crowd:
            self._under_way += 1
            return
        place: _Place = asyncio.get_running_loop().create_future()
        if not self._waiting[priority]:  # whoever did not wait saved nothing up
            self._served[priority] = max(self._served[priority], self._served_to)
        self._waiting[priority].append(place)
        self._crowd += 1
        self._let_in()
        try:
            await place
        except asyncio.CancelledError:
            if not place.cancelled():
                self.leave(used=False)
            raise

    def leave(self, *, used: bool) -> None:
        """Give back the slot, and the turn if no attempt was made."""
        self._under_way -= 1
        if not used:
            self._turn -= self._apart
        if self._crowd:
            self._let_in()

    def judge(self, result: Result, began: float) -> None:
        """Note the result of an attempt that began at a time; `leave` follows."""
        outcome = result.outcome
        self.breaker.record(outcome in ("delivered", "permanent") or _is_of_the_event(result))
        self.pace.answered(outcome, began, self._under_way)

    def _let_in(self) -> None:
        while self._under_way < int(self.pace.limit) and (priority := self._next()) is not None:
            if self._early():
                return
            place = self._waiting[priority].popleft()
            self._crowd -= 1
            self._under_way += 1
            self._served_to = self._served[priority]
            self._served[priority] += 1 / _WEIGHTS[priority]
            place.set_result(None)

    def _next(self) -> Priority | None:
        """Return whose turn it is of those who wait."""
        for places in self._waiting.values():
            while places and places[0].done():  # cancelled
                places.popleft()
                self._crowd -= 1
        waiting = [priority for priority, places in self._waiting.items() if places]
        return min(waiting, key=self._served.__getitem__, default=None)

    def _early(self) -> bool:
        """Take the turn if it has come, else see to it that it is taken then."""
        if not self._apart:
            return False
        now = self.clock()
        if now < self._turn:
            if self._alarm is None:
                self._alarm = asyncio.get_running_loop().call_later(self._turn - now, self._rung)
            return True
        self._turn = (self._turn if now - self._turn < _CATCH_UP else now) + self._apart
        return False

    def _rung(self) -> None:
        self._alarm = None
        self._let_in()


def _is_of_the_event(result: Result) -> bool:
    """Tell whether a target that is well asked to try just this event again, by a rule of its connector."""
    return result.outcome == "retry" and 200 <= result.status < 500 and result.status not in _UNWELL


async def nap(seconds: float, stopping: asyncio.Event) -> None:
    """Sleep, but not past the stop of the lane."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        pass
