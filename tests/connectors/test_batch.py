"""Attempts that are sent as one: each gets its own result, whatever the sending does."""

import asyncio
from collections.abc import Sequence

from connectors.batch import Batcher, Item
from connectors.port import Result
from crossdock.kernel.event import Event

DONE = Result("delivered", 200, "ok")


def test_an_answer_that_tells_of_too_few_leaves_no_attempt_waiting() -> None:
    async def send(items: Sequence[Item]) -> list[Result]:
        return [DONE] * (len(items) - 1)

    async def act() -> list[Result | BaseException]:
        batcher = Batcher(send, 2, 60)
        async with asyncio.timeout(5):
            return await asyncio.gather(
                *(batcher.deliver(Event(str(n), "/till", "x"), str(n)) for n in range(2)), return_exceptions=True
            )

    assert [type(result) for result in asyncio.run(act())] == [ValueError, ValueError]
