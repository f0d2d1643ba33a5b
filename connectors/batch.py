"""Attempts that are made at the same time, sent as one; for kinds whose targets take many events at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from connectors.port import Result
from crossdock.kernel.event import Event

Item = tuple[Event, str]  # an event and its key


class Batcher:
    """Gathers up to `most` attempts for up to `within` seconds; `send` returns a result for each, in order."""

    def __init__(self, send: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]], most: int, within: float) -> None:
        self._send = send
        self._most = most
        self._within = within
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._alarm: asyncio.TimerHandle | None = None
        self._sending: set[asyncio.Task[None]] = set()

    async def deliver(self, event: Event, key: str) -> Result:
        """Make one attempt together with others."""
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append(((event, key), answer))
        if len(self._waiting) >= self._most:
            self._go()
        elif self._alarm is None:
            self._alarm = asyncio.get_running_loop().call_later(self._within, self._go)
        return await answer

    async def close(self) -> None:
        """Wait for what is under way."""
        self._go()
        await asyncio.gather(*self._sending)

    def _go(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        waiting, self._waiting = self._waiting, []
        wanted = [(item, answer) for item, answer in waiting if not answer.cancelled()]
        if wanted:
            task = asyncio.create_task(self._batch(wanted))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _batch(self, wanted: list[tuple[Item, "asyncio.Future[Result]"]]) -> None:
        answers = [answer for _, answer in wanted]
        try:
            results = await self._send([item for item, _ in wanted])
            ended = list(zip(answers, results, strict=True))
        except Exception as error:  # each attempt says so, as if it had been alone
            for answer in answers:
                if not answer.done():
                    answer.set_exception(error)
            return
        for answer, result in ended:
            if not answer.done():
                answer.set_result(result)
