"""Runs an act on what is ready, one after the other, with so many runners at once."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from crossdock.pipeline.delivery import Delivery

log = logging.getLogger(__name__)


class Runners:
    """At most `most` runners of a route, each a task while there is something to do; none begins once it stops."""

    def __init__(
        self, route: str, most: int, act: Callable[[Delivery], Awaitable[None]], stopping: asyncio.Event
    ) -> None:
        self._route = route
        self._most = most
        self._act = act
        self._stopping = stopping
        self._ready: deque[Delivery] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._running = 0

    def start(self, delivery: Delivery) -> None:
        """Act on a delivery as soon as a runner is free."""
        self._ready.append(delivery)
        if self._running < self._most and not self._stopping.is_set():
            self._running += 1
            runner = asyncio.create_task(self._run())
            self._tasks.add(runner)
            runner.add_done_callback(self._ended)

    async def ended(self, grace: float | None = None) -> None:
        """Wait until those under way have ended; cancel them after so many seconds."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace)
            for task in late:
                task.cancel()

    async def _run(self) -> None:
        try:
            while self._ready and not self._stopping.is_set():
                await self._act(self._ready.popleft())
        finally:
            self._running -= 1  # at once: what is ready from now on needs another runner

    def _ended(self, runner: "asyncio.Task[None]") -> None:
        self._tasks.discard(runner)
        if not runner.cancelled() and runner.exception() is not None:
            what = "route %s: delivery ended with an error"
            log.error(what, self._route, exc_info=runner.exception(), extra={"route": self._route})
