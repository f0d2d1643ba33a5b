"""One worker: the process step if it holds seat 0, and the delivery lanes of its share of the routes."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Unavailable
from crossdock.pipeline.feed import Feed
from crossdock.pipeline.lane import Lane
from crossdock.project import Project
from routes.spec import Route

log = logging.getLogger(__name__)

GRACE = 10.0
HAND_OVER = 5.0
WATCH_EVERY = 2.0


class Part(Protocol):
    """What a worker runs until it ends."""

    async def run(self) -> None:
        """Work; an exception ends the worker, which is started again."""


class Watch(Protocol):
    """Keeps the consumers of a worker in being."""

    async def prepare(self, processes: bool) -> None:
        """Make sure of the consumers that the worker reads."""

    async def watch(self, processes: bool, behind: Callable[[], Sequence[Route]]) -> list[str]:
        """Make consumers again that are gone; return their names.

        `behind` returns the routes that have a consumer of their own at that moment: they give it up as they catch up.
        """

    async def paused(self) -> frozenset[str]:
        """Return the routes that a person paused."""


Open = Callable[[list[Route]], Awaitable[tuple[Feed, dict[str, Lane]]]]


def share(project: Project, seat: int, seats: int) -> list[Route]:
    """Return the routes of a seat: those of a connector stay together, as they share its limits.

    With several workers the first one only processes: the two steps cost about the same.
    """
    routes = list(project.routes.values())
    if seats == 1:
        return routes
    connectors = list(dict.fromkeys(route.connector for route in routes))
    mine = {name for number, name in enumerate(connectors) if 1 + number % (seats - 1) == seat}
    return [route for route in routes if route.connector in mine]


class Worker:
    """Starts, watches and stops lanes; one lane of a route in the whole installation, so order holds."""

    def __init__(
        self,
        project: Project,
        seat: int,
        seats: int,
        open_: Open,
        watch: Watch,
        metrics: Metrics,
        others: Sequence[Part] = (),
    ) -> None:
        self.routes = share(project, seat, seats)
        self.processes = seat == 0
        self.lanes: dict[str, Lane] = {}
        self._open = open_
        self._watch = watch
        self._metrics = metrics
        self._others = others
        self._feed: Feed | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Make sure of the consumers and start the lanes."""
        await self._watch.prepare(self.processes)
        if self.routes:
            self._feed, self.lanes = await self._open(self.routes)
            await self.follow_pauses()
            parts: list[Part] = [self._feed, *self.lanes.values()]
            self._tasks += [asyncio.create_task(self._run(part)) for part in parts]
        self._tasks += [asyncio.create_task(self._run(part)) for part in self._others]
        self._tasks.append(asyncio.create_task(self._keep_watch()))

    async def stop(self) -> None:
        """Let attempts under way end and record them."""
        if self._feed:
            self._feed.stop()
        await asyncio.gather(*(lane.stop(GRACE) for lane in self.lanes.values()))
        if self._feed:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._feed.close(), HAND_OVER)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def follow_pauses(self) -> None:
        """Pause and resume lanes as the control bucket says."""
        paused = await self._watch.paused()
        for name, lane in self.lanes.items():
            if (lane.state == "paused") != (name in paused):
                lane.pause(name in paused)

    def state(self) -> Mapping[str, Any]:
        """Return for each route the state of its breaker, and whether it is behind the feed."""
        return {name: {"breaker": lane.state, "behind": not lane.following} for name, lane in self.lanes.items()}

    def _behind(self) -> list[Route]:
        return [lane.route for lane in self.lanes.values() if lane.has_own]

    async def _run(self, part: Part) -> None:
        try:
            await part.run()
        except Exception:
            log.exception("a part of delivery broke: this worker ends and is started again")
            raise SystemExit(1) from None

    async def _keep_watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_EVERY)
            with contextlib.suppress(Unavailable):
                for name in await self._watch.watch(self.processes, self._behind):
                    log.error("the consumer %s was gone and has been made again", name)
                    self._metrics.recovered.labels(name).inc()
            with contextlib.suppress(Unavailable):
                await self.follow_pauses()
