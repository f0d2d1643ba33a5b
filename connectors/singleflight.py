"""One call under way for all who want its result, such as a token or the addresses of a name."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Calls anew when nobody waits for an earlier call; who is cancelled takes the result from nobody."""

    def __init__(self, call: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._call = call
        self._under_way: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """Return the result of the call under way, or of a new one; raise what it raises."""
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(self._call())
            self._under_way.add_done_callback(_heard)
        return await asyncio.shield(self._under_way)


def _heard(task: "asyncio.Task[Any]") -> None:
    """Take note of how it ended, also when all who waited have gone."""
    if not task.cancelled():
        task.exception()
