"""The deliveries of a route that wait for other events: `after` of the route says for which and for how long."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from crossdock.kernel.problems import Problem, Unavailable
from crossdock.kernel.units import duration
from crossdock.pipeline.awaited import AWAY, Awaited
from crossdock.pipeline.delivery import Delivery, expires
from crossdock.pipeline.gate import nap
from crossdock.pipeline.held import Held
from journal.entry import WAITING
from routes.match import Reference
from routes.spec import After, Route

_HINT = "replay it when that is there, or there since before the route had its `after`, or to send it without"


class Turns(Protocol):
    """The attempts of the route."""

    held: Held
    stopping: asyncio.Event
    start: Callable[[Delivery], None]  # tries one whose turn it is, as soon as a runner is free

    def note(self, delivery: Delivery, outcome: str, detail: str) -> None:
        """Record what happens to a delivery meanwhile."""


@dataclass(slots=True, eq=False)
class _Wait:
    """One delivery that looks for others, or waits for them."""

    delivery: Delivery
    resume: Callable[["_Wait"], None]
    woken: bool = False
    timer: asyncio.TimerHandle | None = None

    def wake(self) -> None:
        """Hear that one of them has come, or that the time is over."""
        self.woken = True
        if self.timer is not None:
            self.resume(self)


class Waits:
    """Parks what has to wait, as a retry does: it costs no attempt, and holds up nothing but its own key.

    What it waits for goes before it, also if it has the same key and came later.
    """

    def __init__(self, route: Route, awaited: Awaited, turns: Turns, clock: Callable[[], float] = time.time) -> None:
        assert route.after is not None
        self._route = route
        self._after: After = route.after
        self._awaited = awaited
        self._turns = turns
        self._clock = clock

    async def keeps(self, delivery: Delivery) -> bool:
        """Park a delivery that has to wait, true; false when it may be tried, or has problems now."""
        wait = _Wait(delivery, self._resume)
        while not self._turns.stopping.is_set():
            wait.woken = False
            try:
                missing = await self._awaited.missing(delivery.after, wait.wake)
            except Unavailable:
                self._awaited.forget(delivery.after, wait.wake)
                await nap(AWAY, self._turns.stopping)
                continue
            if missing and self._left(delivery) > 0 and not wait.woken:
                self._park(wait, missing)
                return True
            self._awaited.forget(delivery.after, wait.wake)
            if not wait.woken:
                self._free(delivery, missing)
                return False
        return True

    def joined(self, delivery: Delivery) -> None:
        """Look whether the one at the head of its key waits for what has just come."""
        head = self._turns.held.head(delivery.key)
        if head is not None and head.parked and _means(head, delivery):
            self.pass_by(head)

    def pass_by(self, waiting: Delivery) -> None:
        """Let those of its key that a waiting delivery waits for go before it."""
        if waiting.key and not waiting.freed:
            ahead = self._turns.held.bring_forward(waiting.key, lambda other: _means(waiting, other))
            if ahead is not None and not ahead.parked:
                self._turns.start(ahead)

    def _park(self, wait: _Wait, missing: list[Reference]) -> None:
        delivery = wait.delivery
        self._turns.held.park(delivery)
        wait.timer = asyncio.get_running_loop().call_later(self._left(delivery), wait.wake)
        self._turns.note(delivery, WAITING, f"waiting for {_named(missing)}")
        self.pass_by(delivery)

    def _resume(self, wait: _Wait) -> None:
        delivery, timer, held = wait.delivery, wait.timer, self._turns.held
        wait.timer = None
        if timer is not None:
            timer.cancel()
        self._awaited.forget(delivery.after, wait.wake)
        held.unpark(delivery)
        if not self._turns.stopping.is_set() and (not delivery.key or held.head(delivery.key) is delivery):
            self._turns.start(delivery)

    def _free(self, delivery: Delivery, missing: list[Reference]) -> None:
        """End the wait: they are there, or the time is over."""
        delivery.freed = self._clock()
        if not missing or expires(self._route, delivery) <= delivery.freed:
            return
        within = duration(self._after.within)  # arrivals are noted only since the content has the `after`
        why = f"{_named(missing)} is not known to have reached {self._route.connector} within {within}"
        if self._after.buries:
            delivery.problems = (Problem("after_missing", why, _HINT),)
        else:
            self._turns.note(delivery, WAITING, f"waits no more: {why}")

    def _left(self, delivery: Delivery) -> float:
        until = min(delivery.message.time + self._after.within, expires(self._route, delivery))
        return until - self._clock()


def _means(waiting: Delivery, other: Delivery) -> bool:
    return other is not waiting and any(reference.means(other.event) for reference in waiting.after)


def _named(missing: list[Reference]) -> str:
    return " and ".join(map(str, missing))
