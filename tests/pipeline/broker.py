"""A broker for the group commit, in memory: it shows what it is asked, waits and fails as the test says."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from crossdock.adapters.memory import MemoryLog
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Record, Stored
from crossdock.pipeline.commit import GroupCommit


class Broker(MemoryLog):
    """A memory log that shows what it is asked, holds it back while the test says so, and fails where it says so."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[list[str]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.fails: Callable[[Sequence[str]], bool] = lambda keys: False

    async def append(self, record: Record) -> Stored:
        return (await self._store([record]))[0]

    async def append_all(self, records: Sequence[Record]) -> list[Stored]:
        return await self._store(records)

    async def _store(self, records: Sequence[Record]) -> list[Stored]:
        keys = [record.key for record in records]
        self.asked.append(keys)
        await self.open.wait()
        if self.fails(keys):
            raise Unavailable("away")
        return [await MemoryLog.append(self, record) for record in records]


def record(key: object, size: int = 10) -> Record:
    return Record("raw.a.b", b"x" * size, str(key))


def run(scenario: Callable[[Broker, GroupCommit], Coroutine[Any, Any, None]]) -> None:
    async def within() -> None:
        broker = Broker()
        async with asyncio.timeout(10):
            await scenario(broker, GroupCommit(broker))

    asyncio.run(within())


async def asked(broker: Broker, times: int) -> None:
    while len(broker.asked) < times:  # noqa: ASYNC110  # a turn of the loop, not a time
        await asyncio.sleep(0)
