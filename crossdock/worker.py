"""One worker: the process step if it holds seat 0, and its share of the delivery lanes."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Unavailable
from crossdock.pipeline.lane import Lane
from crossdock.project import Project
from routes.spec import Route

log = logging.getLogger(__name__)

GRACE = 10.0
WATCH_EVERY = 2.0


class Watch(Protocol):
    """Keeps the consumers of a worker in being."""

    async def prepare(self, route: Route | None) -> None:
        """Make sure of a consumer (None: of the process step)."""

    async def watch(self, route: Route | None) -> bool:
        """Make the consumer again if it is gone; return whether it was."""

    async def paused(self) -> frozenset[str]:
        """Return the routes that a person paused."""


LaneFactory = Callable[[Route], Awaitable[Lane]]


def share(project: Project, seat: int, seats: int) -> list[Route]:
    """Return the routes of a seat: those of a connector stay together, as they share its limits."""
    connectors = list(dict.fromkeys(route.connector for route in project.routes.values()))
    mine = {name for number, name in enumerate(connectors, 1) if number % seats == seat}
    return [route for route in project.routes.values() if route.connector in mine]


class Worker:
    """Starts, watches and stops lanes; one lane of a route in the whole installation, so order holds."""

    def __init__(
        self, project: Project, seat: int, seats: int, make_lane: LaneFactory, watch: Watch, metrics: Metrics
    ) -> None:
        self.routes = share(project, seat, seats)
        self.processes = seat == 0
        self.lanes: dict[str, Lane] = {}
        self._make_lane = make_lane
        self._watch = watch
        self._metrics = metrics
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Make sure of the consumers and start the lanes."""
        for route in self.routes:
            await self._watch.prepare(route)
            self.lanes[route.name] = await self._make_lane(route)
        await self.follow_pauses()
        self._tasks.extend(asyncio.create_task(self._run(lane)) for lane in self.lanes.values())
        self._tasks.append(asyncio.create_task(self._keep_watch()))
        if self.processes:
            await self._watch.prepare(None)

    async def stop(self) -> None:
        """Let attempts under way end and record them."""
        await asyncio.gather(*(lane.stop(GRACE) for lane in self.lanes.values()))
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
        """Return the state of each lane."""
        return {name: lane.state for name, lane in self.lanes.items()}

    async def _run(self, lane: Lane) -> None:
        try:
            await lane.run()
        except Exception:
            log.exception("the lane of route %s broke: this worker ends and is started again", lane.route.name)
            raise SystemExit(1) from None

    async def _keep_watch(self) -> None:
        watched: list[Route | None] = [*([None] if self.processes else []), *self.routes]
        while True:
            await asyncio.sleep(WATCH_EVERY)
            for route in watched:
                with contextlib.suppress(Unavailable):
                    if await self._watch.watch(route):
                        name = route.name if route else "process"
                        log.error("the consumer of %s was gone and has been made again", name)
                        self._metrics.recovered.labels(name).inc()
            with contextlib.suppress(Unavailable):
                await self.follow_pauses()
