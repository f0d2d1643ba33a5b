"""What every store of small documents promises, asked of that in memory and of NATS."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from crossdock.adapters.memoryrecords import MemoryRecords
from crossdock.adapters.records import NatsRecords
from crossdock.adapters.topology import PROBLEMS
from crossdock.kernel.problems import Unavailable
from dlq.ports import Records
from tests.realservers import clean

Open = Callable[[], AbstractAsyncContextManager[Records]]


@pytest.fixture(params=["memory", "nats"])
def opened(request: pytest.FixtureRequest) -> Open:
    url = request.getfixturevalue("nats_url") if request.param == "nats" else ""

    @asynccontextmanager
    async def on_nats() -> AsyncIterator[Records]:
        async with clean(url) as (client, _):
            yield NatsRecords(client, PROBLEMS)

    @asynccontextmanager
    async def in_memory() -> AsyncIterator[Records]:
        yield MemoryRecords()

    return on_nats if url else in_memory


def test_a_record_is_replaced_only_by_who_has_seen_it(opened: Open) -> None:
    async def scenario() -> None:
        async with opened() as records:
            assert (await records.get("a-1"), await records.all()) == (None, {})
            first = await records.put("a-1", b"one", 0)
            assert first is not None
            assert await records.get("a-1") == (b"one", first)
            assert await records.put("a-1", b"two", 0) is None
            assert await records.put("a-1", b"two", first + 1) is None
            second = await records.put("a-1", b"two", first)
            other = await records.put("b", b"", 0)
            assert await records.all() == {"a-1": (b"two", second), "b": (b"", other)}
            under = await records.put("a-1.x", b"3", 0)
            assert await records.all("a-1") == {"a-1.x": (b"3", under)}
            assert await records.all("c") == {}

    asyncio.run(scenario())


def test_a_record_that_is_too_large_for_a_message_is_refused(opened: Open) -> None:
    async def scenario() -> None:
        async with opened() as records:
            assert await records.put("a", bytes(900 << 10), 0)
            with pytest.raises(Unavailable):
                await records.put("b", bytes(5 << 20), 0)
            assert list(await records.all()) == ["a"]

    asyncio.run(scenario())


def test_a_removed_record_is_gone_and_its_name_is_free_again(opened: Open) -> None:
    async def scenario() -> None:
        async with opened() as records:
            await records.remove("nobody")
            first = await records.put("users.a", b"one", 0)
            assert first is not None
            await records.remove("users.a")
            assert (await records.get("users.a"), await records.all(), await records.all("users")) == (None, {}, {})
            assert await records.put("users.a", b"two", first) is None
            again = await records.put("users.a", b"two", 0)
            assert await records.all() == {"users.a": (b"two", again)}
            assert await records.put("users.a", b"three", 0) is None

    asyncio.run(scenario())
