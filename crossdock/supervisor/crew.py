"""All children of one installation: started stage by stage, watched, stopped in the reverse order. Called by `up`."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from crossdock.supervisor import logs
from crossdock.supervisor.children import Child, Keeper

_LOG_CHECK = 5.0  # seconds


class Crew:
    """Keepers in the order in which they were started.

    `over` is set when all must end: by whoever calls `up`, or because `fault` crashed too often before it was ready.
    """

    def __init__(self, data: Path, lock: int, changed: Callable[[dict[str, int]], None]) -> None:
        self.over = asyncio.Event()
        self.fault: Keeper | None = None
        self._data, self._lock, self._changed = data, lock, changed
        self._stages: list[list[Keeper]] = []
        self._tasks: list[asyncio.Task[None]] = [asyncio.create_task(self._bound_logs())]

    def start(self, stage: Iterable[Child]) -> None:
        """Start children that stop together, before those of earlier stages."""
        keepers = [Keeper(child, self._data, self._lock, self._tell) for child in stage]
        self._stages.append(keepers)
        for keeper in keepers:
            logs.rotate(self._data, keeper.child.name)
            self._tasks.append(asyncio.create_task(self._keep(keeper)))

    async def ready(self) -> bool:
        """Wait until all that were started are ready; false if all must end before that."""
        ends = [asyncio.create_task(self._all_ready()), asyncio.create_task(self.over.wait())]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()
        return not self.over.is_set()

    def pids(self) -> dict[str, int]:
        """Return the processes that run now, by name."""
        return {keeper.child.name: keeper.pid for keeper in self._keepers() if keeper.pid}

    async def stop(self) -> None:
        """Stop everything, last stage first; returns when no process is left."""
        self.over.set()
        for stage in reversed(self._stages):
            await asyncio.gather(*(keeper.stop() for keeper in stage))
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def _keepers(self) -> list[Keeper]:
        return [keeper for stage in self._stages for keeper in stage]

    async def _all_ready(self) -> bool:
        return all([await keeper.ready.wait() for keeper in self._keepers()])

    def _tell(self) -> None:
        self._changed(self.pids())

    async def _keep(self, keeper: Keeper) -> None:
        await keeper.run()
        if not self.over.is_set():  # it ended by itself: it gave up
            self.fault = keeper
            self.over.set()

    async def _bound_logs(self) -> None:
        while True:
            await asyncio.sleep(_LOG_CHECK)
            for keeper in self._keepers():
                logs.bound(self._data, keeper.child.name)
