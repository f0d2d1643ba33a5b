"""One worker: the process step if it holds seat 0, and the delivery lanes of its share of the routes."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol

from crossdock.inforce import Content
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Unavailable
from crossdock.laneset import Carrier, LaneSet, Workshop, share
from crossdock.pipeline.lane import Lane
from crossdock.pipeline.told import told
from routes.spec import Route

log = logging.getLogger(__name__)

GRACE = 10.0
HAND_OVER = 5.0
WATCH_EVERY = 2.0


class Part(Protocol):
    """What a worker runs until it ends."""

    async def run(self) -> None:
        """Work; an exception ends the worker, which is started again."""


class Watch(Carrier, Protocol):
    """Keeps the consumers of a worker in being."""

    async def prepare(self, shares: Mapping[int, Sequence[Route]]) -> None:
        """Make sure of what the process step reads, and of the feeds of the seats that deliver."""

    async def watch(self, processes: bool, behind: Callable[[], Sequence[Route]]) -> list[str]:
        """Make consumers again that are gone; return their names.

        `behind` returns the routes that have a consumer of their own at that moment: they give it up as they catch up.
        """

    async def paused(self) -> frozenset[str]:
        """Return the routes that a person paused."""


class Worker:
    """Starts, watches and stops what a seat does; one lane of a route in the whole installation, so order holds."""

    def __init__(
        self, seat: int, seats: int, workshop: Workshop, watch: Watch, metrics: Metrics, others: Sequence[Part] = ()
    ) -> None:
        self.processes = seat == 0
        self._set = LaneSet(seat, seats, workshop, watch, self._start)
        self._delivering = range(seats)[seats > 1 :]
        self._delivers = seat in self._delivering
        self._seats = seats
        self._watch = watch
        self._metrics = metrics
        self._others = others
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def lanes(self) -> Mapping[str, Lane]:
        """The lanes of this seat by route."""
        return self._set.lanes

    async def start(self, content: Content) -> None:
        """Make sure of the consumers and start the lanes."""
        if self.processes:
            shares = {seat: share(content.project, seat, self._seats) for seat in self._delivering}
            await self._watch.prepare(shares)
        if self._delivers:
            feed = await self._set.open(content)
            await self.follow_pauses()
            self._start(feed.run())
        for part in self._others:
            self._start(part.run())
        self._start(self._keep_watch())

    async def change(self, content: Content) -> None:
        """Work by other content.

        Raises:
            Unavailable: the broker does not answer; to be done again.
        """
        await self._set.change(content)

    async def stop(self) -> None:
        """Let attempts under way end and record them."""
        feed = self._set.feed
        if feed:
            feed.stop()
        await asyncio.gather(*(lane.stop(GRACE) for lane in self.lanes.values()))
        if feed:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(feed.close(), HAND_OVER)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def follow_pauses(self) -> None:
        """Pause and resume lanes as the control bucket says; those of removed routes go on to their end."""
        paused = await self._watch.paused()
        for name, lane in self.lanes.items():
            if lane.until is None and lane.attempts.hold.paused != (name in paused):
                lane.pause(name in paused)

    def state(self) -> Mapping[str, Any]:
        """Return what is shown of each route."""
        return {name: told(lane) for name, lane in self.lanes.items()}

    def _behind(self) -> list[Route]:
        return [lane.route for lane in self.lanes.values() if lane.has_own]

    def _start(self, act: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(_run(act))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep_watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_EVERY)
            with contextlib.suppress(Unavailable):
                for name in await self._watch.watch(self.processes, self._behind):
                    log.error("the consumer %s was gone and has been made again", name)
                    self._metrics.recovered.labels(name).inc()
            with contextlib.suppress(Unavailable):
                await self.follow_pauses()


async def _run(act: Coroutine[Any, Any, None]) -> None:
    try:
        await act
    except Exception:
        log.exception("a part of delivery broke: this worker ends and is started again")
        raise SystemExit(1) from None
