"""The attempts of one route: order per key, retries, giving up, the last word on every delivery."""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress

from connectors.port import Connector, Result
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.retry import delay
from crossdock.kernel.stream import Log
from crossdock.pipeline.delivery import Delivery, dead_letter, given_up, journal_line, left, refer, said
from crossdock.pipeline.gate import Gate, nap
from crossdock.pipeline.hands import release
from crossdock.pipeline.held import LEAST, RUNNABLE, Held
from crossdock.pipeline.hold import Hold
from crossdock.pipeline.process import problems_of
from crossdock.pipeline.recorder import Recorder, append_patiently
from crossdock.pipeline.replies import Replies
from crossdock.pipeline.runners import Runners
from crossdock.pipeline.tries import Form, Tries
from crossdock.pipeline.waits import Waits
from dlq.record import DELIVER, record
from journal import entry
from journal.entry import Entry
from routes.spec import Route

log = logging.getLogger(__name__)

HELD_LOOK = 0.25
CHANGE_WITHIN = 1.0
FULL_FOR = 1.0  # seconds a route may hold up the others by being full: one that does 1,000 a second never does
STALE = 4.0  # seconds a delivery may take before its route falls behind; less than the broker's patience


class Attempts:
    """Tries what it is given until each delivery is delivered, skipped or a dead letter, and that is recorded.

    At most `route.in_flight` runners try at once; what waits for a retry or behind another of its key occupies none.
    """

    def __init__(
        self,
        route: Route,
        connector: Connector,
        gate: Gate,
        streams: Log,
        recorder: Recorder,
        metrics: Metrics,
        revision: str,
        form: Form | None = None,
    ) -> None:
        self.route = route
        self.gate = gate
        self.held = Held()
        self.hold = Hold(route.window)
        self.stopping = asyncio.Event()
        self.changed = asyncio.Event()
        self.tries = Tries(route, connector, gate, metrics, form)
        self._streams = streams
        self._recorder = recorder
        self._metrics = metrics
        self.revision = revision
        self.replies: Replies | None = None  # where answers of the target become events
        self.discards = False  # a person's word on what is left of a route that was removed
        self._runners = Runners(route.name, route.in_flight, self._deliver, self.stopping)
        self.start: Callable[[Delivery], None] = self._runners.start  # what has its turn
        self._awaited = gate.awaited
        self._waits = Waits(route, gate.awaited, self) if route.after and gate.awaited else None
        self._finished: dict[asyncio.Future[None], list[Delivery]] = {}
        self._end_to_end = metrics.end_to_end_seconds.labels(route.name)
        self._held_gauge = metrics.held.labels(route.name)

    def room(self) -> int:
        """Return how many more deliveries may be taken."""
        if self._halted():
            return 0
        closed = self.gate.breaker.state == "closed"
        return self.held.room(RUNNABLE if closed else min(RUNNABLE, self.route.in_flight))

    def keeps_up(self) -> bool:
        """Tell whether the feed may go on giving it events, or wait for it; a delayed route never follows it."""
        if self.route.delay or self.hold.active or self.gate.breaker.state != "closed":
            return False
        oldest = self.held.oldest()
        if oldest is None:
            return True
        age = time.monotonic() - oldest.taken
        return age < (STALE if self.held.room(RUNNABLE) >= LEAST else FULL_FOR)

    async def change(self) -> None:
        """Wait until something was recorded, or a moment."""
        self.changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(CHANGE_WITHIN):
                await self.changed.wait()

    def take(self, delivery: Delivery) -> None:
        """Hold a delivery and try it in its turn."""
        if self.held.take(delivery):
            self.start(delivery)
        elif self._waits:
            self._waits.joined(delivery)

    def skip(self, delivery: Delivery) -> None:
        """Record that the route does not want it."""
        self.held.take(delivery)
        self._finish(delivery, self._line(delivery, entry.SKIPPED))

    async def end(self) -> None:
        """Make no more attempts, let those under way end and be recorded; what is left stays held."""
        self.stopping.set()
        self.changed.set()
        await self._runners.ended()
        while self._finished:
            await asyncio.wait(self._finished)

    async def stop(self, grace: float) -> None:
        """Let attempts under way end and record their outcomes; the rest goes to the next worker."""
        self.stopping.set()
        self.changed.set()
        await self._runners.ended(grace)
        with suppress(TimeoutError):  # the broker may be away; what is not recorded comes again
            await asyncio.wait_for(self._recorder.close(), grace)

    async def _deliver(self, delivery: Delivery) -> None:
        """Make one attempt and do what its result asks for; when the lane stops first, the next worker goes on."""
        try:
            delivery.revision = self.revision
            if self.discards:
                self._settle(delivery, self._line(delivery, entry.DISCARDED, "the route was removed"))
                return
            if self._waits and delivery.after and not delivery.freed and await self._waits.keeps(delivery):
                return
            if not delivery.problems:
                result = await self._attempt(delivery)
                if result is None and self.stopping.is_set():
                    return
                if result is not None and result.reply is not None and self.replies:
                    delivery.problems = await self.replies.store(delivery, result.reply)
                if result is not None and result.outcome == "delivered" and not delivery.problems:
                    if self._awaited:
                        await self._awaited.arrived(delivery.event)
                    self._end_to_end.observe(time.time() - delivery.message.time)
                    self._settle(delivery, self._line(delivery, entry.DELIVERED, result.detail))
                    return
                again = result is not None and result.outcome not in ("delivered", "permanent")
                if result is not None and again and self._left(delivery) > 0:
                    self._park(delivery, result)
                    return
        except Exception as error:  # a fault of ours must end this delivery and hold up no other
            delivery.problems = problems_of(error, delivery.event.id)
        await self._bury(delivery)

    def _park(self, delivery: Delivery, result: Result) -> None:
        self.note(delivery, entry.RETRIED, said(result))
        pause = max(result.retry_after, delay(self.route.retry, delivery.attempts, random.random()))
        self.held.park(delivery)
        self.changed.set()
        wait = min(pause, max(0.0, self._left(delivery)))
        asyncio.get_running_loop().call_later(wait, self._unpark, delivery)

    def _unpark(self, delivery: Delivery) -> None:
        self.held.unpark(delivery)
        if not self.stopping.is_set():
            self.start(delivery)

    async def _attempt(self, delivery: Delivery) -> Result | None:
        """Make one attempt as soon as it may be; None when the delivery is too old or the lane stops first."""
        while not (self.stopping.is_set() or delivery.problems):
            if self.route.expire and self._left(delivery) <= 0:
                return None
            if self.hold.active:
                await nap(HELD_LOOK, self.stopping)
                continue
            if self.hold.drains(delivery.message.time):
                await self.hold.drained(self.stopping)
            if not await self.gate.opened(lambda: self._left(delivery), self.stopping, tried=delivery.attempts > 0):
                return None
            delivery.revision = self.revision  # it may have waited long, and the attempt may last
            if result := await self.tries.enter(delivery, self._halted):
                return result
        return None

    def _halted(self) -> bool:
        return self.stopping.is_set() or (self.hold.active and not self.discards)

    def _left(self, delivery: Delivery) -> float:
        return left(self.route, delivery, self.hold.clock(), self.hold.ages_from)

    async def _bury(self, delivery: Delivery) -> None:
        if not delivery.problems:
            delivery.problems = (given_up(self.route, delivery, self.hold.clock()),)
        elif self.tries.cover:  # what came of an attempt was covered when it was made
            headers, event = delivery.message.headers, delivery.event
            delivery.problems = self.tries.cover.problems(headers, event, delivery.problems)
        if self.route.tap:
            why = delivery.problems[0]
            line = self._line(delivery, entry.DISCARDED, why.message)
            self._settle(delivery, line._replace(reason=why.code, attempts=delivery.attempts))
            return
        letter = dead_letter(self.route, delivery, self.tries.sent(delivery))
        (seq,) = await append_patiently(self._streams, [record(letter)])
        self._metrics.dead_letters.labels(DELIVER, self.route.name).inc()
        self._settle(delivery, refer(self._line(delivery, entry.DEAD_LETTERED), letter, seq))

    def note(self, delivery: Delivery, outcome: str, detail: str) -> None:
        """Record what happens to a delivery meanwhile."""
        self._recorder.note(self._line(delivery, outcome, detail))

    def _line(self, delivery: Delivery, outcome: str, detail: str = "") -> Entry:
        return journal_line(self.route.name, delivery, outcome, delivery.revision or self.revision, detail)

    def _settle(self, delivery: Delivery, line: Entry) -> None:
        """Record the last word, and let the next of its key have its turn."""
        self._finish(delivery, line)
        if not delivery.key or (following := self.held.next(delivery.key)) is None:
            return
        if not following.parked:
            self.start(following)
        elif self._waits:
            self._waits.pass_by(following)

    def _finish(self, delivery: Delivery, line: Entry) -> None:
        """Record the last word on a delivery, then give back its message."""
        stored = self._recorder.note(line)
        if stored not in self._finished:
            self._finished[stored] = []
            stored.add_done_callback(self._recorded)
        self._finished[stored].append(delivery)

    def _recorded(self, stored: "asyncio.Future[None]") -> None:
        deliveries = self._finished.pop(stored)
        self.held.settle(deliveries)
        release([delivery.share for delivery in deliveries if delivery.share is not None])
        self._held_gauge.set(len(self.held))
        self.changed.set()
