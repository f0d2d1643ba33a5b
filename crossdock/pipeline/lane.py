"""The delivery lane of one route: pulls from EVENTS, keeps order per key, retries, gives up, records, acknowledges."""

import asyncio
import logging
import random
import time
from collections.abc import Coroutine
from contextlib import suppress

from connectors.port import Connector, Result
from crossdock.kernel import event as events
from crossdock.kernel.event import Event
from crossdock.kernel.expression import view
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.retry import delay
from crossdock.kernel.stream import Inbox, Log, Message
from crossdock.pipeline.delivery import Delivery, dead_letter, idempotency_key, journal_line, refer
from crossdock.pipeline.gate import Gate, nap
from crossdock.pipeline.held import MOST, RUNNABLE, Held
from crossdock.pipeline.process import problems_of
from crossdock.pipeline.recorder import Recorder, append_patiently
from dlq.record import DELIVER, record
from journal import entry
from journal.entry import Entry
from routes.match import matches, order_key
from routes.spec import Route

log = logging.getLogger(__name__)

EXTEND_EVERY = 2.0  # seconds; a third of the broker's patience
PULL_WAIT = 1.0


class Lane:
    """Delivers one route until stopped."""

    def __init__(
        self,
        route: Route,
        inbox: Inbox,
        connector: Connector,
        gate: Gate,
        streams: Log,
        metrics: Metrics,
        revision: str,
    ) -> None:
        self.route = route
        self._inbox = inbox
        self._connector = connector
        self._gate = gate
        self._streams = streams
        self._recorder = Recorder(streams)
        self._metrics = metrics
        self._revision = revision
        self._slots = asyncio.Semaphore(route.in_flight)
        self._held = Held()
        self._paused = False
        self._stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._finished: dict[asyncio.Future[None], list[Delivery]] = {}
        self._since = time.time()

    async def run(self) -> None:
        """Pull and deliver until `stop`."""
        extending = asyncio.create_task(self._extend())
        try:
            while not self._stopping.is_set():
                await self._pull()
        finally:
            extending.cancel()

    async def stop(self, grace: float) -> None:
        """Stop pulling, let attempts under way end, record their outcomes; the rest goes to the next worker."""
        self._stopping.set()
        self._changed.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace)
            for task in late:
                task.cancel()
        with suppress(TimeoutError):  # the broker may be away; what is not recorded comes again
            await asyncio.wait_for(self._recorder.close(), grace)
        if self._tasks:  # acknowledgements of what was recorded just now
            await asyncio.wait(self._tasks, timeout=grace)

    def pause(self, paused: bool) -> None:
        """Stop or resume attempts; the route keeps its place."""
        self._paused = paused
        self._since = time.time()
        self._changed.set()

    @property
    def state(self) -> str:
        """The state of the breaker, or `paused`, or `full` when it holds as much as it may."""
        full = len(self._held) >= MOST
        return "paused" if self._paused else "full" if full else self._gate.breaker.state

    async def _pull(self) -> None:
        room = self._room()
        if room <= 0:
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(PULL_WAIT):
                    await self._changed.wait()
            return
        try:
            messages = await self._inbox.fetch(room, PULL_WAIT)
        except Unavailable as error:
            log.warning("route %s: %s", self.route.name, error)
            await asyncio.sleep(PULL_WAIT)
            return
        for message in messages:
            self._admit(message)

    def _room(self) -> int:
        if self._paused or self._stopping.is_set():
            return 0
        limit = RUNNABLE if self._gate.breaker.state == "closed" else min(RUNNABLE, self.route.in_flight)
        return self._held.room(limit)

    def _admit(self, message: Message) -> None:
        if self._held.again(message):
            return
        if self._held.is_settled(message.seq):
            self._spawn(self._inbox.ack([message]))
            return
        delivery = Delivery(message, Event("", "", ""), str(message.seq))
        self._held.take(delivery)
        try:
            delivery.event = events.restore(message.payload)
            seen = view(delivery.event)
            if not matches(self.route, seen):
                self._settle(delivery, entry.SKIPPED)
                return
            if self.route.order_by is not None:
                delivery.key = "k" + order_key(self.route, seen)
        except Exception as error:
            delivery.problems = problems_of(error)
        if self._held.line_up(delivery):
            self._spawn(self._drain(delivery.key))

    def _spawn(self, coroutine: Coroutine[None, None, None]) -> None:
        task: asyncio.Task[None] = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._changed.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("route %s: delivery ended with an error", self.route.name, exc_info=task.exception())

    async def _drain(self, key: str) -> None:
        """Deliver what waits for a key, one at a time, in stream order."""
        while not self._stopping.is_set() and (delivery := self._held.first(key)) is not None:
            await self._deliver(delivery)
            self._held.next(key)

    async def _deliver(self, delivery: Delivery) -> None:
        """Try until it is done; when the lane stops first, the next worker goes on with it."""
        while not delivery.problems:
            result = await self._attempt(delivery)
            if self._stopping.is_set() and result is None:
                return
            if result is None or result.outcome == "permanent":
                break
            if result.outcome == "delivered":
                self._metrics.end_to_end_seconds.labels(self.route.name).observe(time.time() - delivery.message.time)
                self._settle(delivery, entry.DELIVERED, result.detail)
                return
            if self._left(delivery) <= 0:
                break
            await self._park(delivery, result)
        await self._bury(delivery)

    async def _park(self, delivery: Delivery, result: Result) -> None:
        self._recorder.note(self._line(delivery, entry.RETRIED, result.detail))
        pause = max(result.retry_after, delay(self.route.retry, delivery.attempts, random.random()))
        self._held.park(delivery.key, True)
        self._changed.set()
        await nap(min(pause, max(0.0, self._left(delivery))), self._stopping)
        self._held.park(delivery.key, False)

    async def _attempt(self, delivery: Delivery) -> Result | None:
        """Make one attempt as soon as it may be; None when the delivery is too old or the lane stops first."""
        while not self._stopping.is_set():
            if self._paused:
                await nap(PULL_WAIT / 4, self._stopping)
                continue
            if not await self._gate.opened(lambda: self._left(delivery), self._stopping):
                return None
            async with self._slots, self._gate.slots:
                if not self._paused and await self._gate.admits(self._stopping):
                    return await self._try(delivery)
        return None

    async def _try(self, delivery: Delivery) -> Result:
        delivery.attempts += 1
        delivery.last = result = await self._send(delivery)
        self._gate.breaker.record(result.outcome in ("delivered", "permanent"))
        self._metrics.attempts.labels(self.route.name, result.outcome).inc()
        self._metrics.breaker_open.labels(self.route.name).set(self._gate.breaker.state != "closed")
        return result

    async def _send(self, delivery: Delivery) -> Result:
        try:
            return await self._connector.deliver(delivery.event, idempotency_key(self.route.name, delivery.event))
        except Exception as error:
            log.exception("route %s: the connector failed", self.route.name)
            return Result("retry", 0, f"internal error: {type(error).__name__}")

    def _left(self, delivery: Delivery) -> float:
        """Seconds until retries end: by age, counted from when this lane could first try; a pause does not age."""
        since = time.time() if self._paused else max(delivery.message.time, self._since)
        return since + self.route.retry.age - time.time()

    async def _bury(self, delivery: Delivery) -> None:
        letter = dead_letter(self.route, delivery, self._revision)
        (seq,) = await append_patiently(self._streams, [record(letter)])
        self._metrics.dead_letters.labels(DELIVER, self.route.name).inc()
        line = self._line(delivery, entry.DEAD_LETTERED)
        self._finish(delivery, refer(line, letter, seq))

    def _line(self, delivery: Delivery, outcome: str, detail: str = "") -> Entry:
        return journal_line(self.route.name, delivery, outcome, self._revision, detail)

    def _settle(self, delivery: Delivery, outcome: str, detail: str = "") -> None:
        self._finish(delivery, self._line(delivery, outcome, detail))

    def _finish(self, delivery: Delivery, line: Entry) -> None:
        """Record the last word on a delivery, then acknowledge it."""
        stored = self._recorder.note(line)
        if stored not in self._finished:
            self._finished[stored] = []
            stored.add_done_callback(lambda _: self._spawn(self._acknowledge(self._finished.pop(stored))))
        self._finished[stored].append(delivery)

    async def _acknowledge(self, deliveries: list[Delivery]) -> None:
        await self._inbox.ack([delivery.message for delivery in deliveries])
        self._held.release(deliveries)
        self._metrics.held.labels(self.route.name).set(len(self._held))

    async def _extend(self) -> None:
        while True:
            await asyncio.sleep(EXTEND_EVERY)
            try:
                await self._inbox.extend(self._held.messages())
            except Exception as error:
                log.warning("route %s: %s", self.route.name, error)
