"""An event loop whose time is not the world's: it jumps to the next thing due, so that a day passes at once."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any


class Clockwork(asyncio.SelectorEventLoop):
    """A loop that never waits; `now` is its time in seconds."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_Jumping(self))

    def time(self) -> float:
        return self.now


class _Jumping(selectors.DefaultSelector):
    def __init__(self, loop: Clockwork) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found and timeout:
            self._loop.now += timeout
        return found


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Run a scenario to its end."""
    with asyncio.Runner(loop_factory=Clockwork) as runner:
        runner.run(scenario)


def clock() -> float:
    """Return the time of the running loop."""
    return asyncio.get_running_loop().time()
