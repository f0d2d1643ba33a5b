"""What every `Buckets` promises, asked of those in memory and of Valkey."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from crossdock.adapters.memorygateway import MemoryBuckets
from crossdock.adapters.valkeybuckets import ValkeyBuckets
from crossdock.kernel.buckets import Buckets, Spend
from crossdock.kernel.problems import Unavailable

Opened = Callable[[], AbstractAsyncContextManager[Buckets]]
_RUNS = itertools.count()
NEVER = 1e-9  # a rate that refills nothing while a test runs


@pytest.fixture(params=["memory", "valkey"])
def opened(request: pytest.FixtureRequest) -> Opened:
    url = request.getfixturevalue("valkey_url") if request.param == "valkey" else ""

    @asynccontextmanager
    async def on_valkey() -> AsyncIterator[Buckets]:
        buckets = ValkeyBuckets(url)
        yield buckets
        await buckets.close()

    @asynccontextmanager
    async def in_memory() -> AsyncIterator[Buckets]:
        yield MemoryBuckets()

    return on_valkey if url else in_memory


@pytest.fixture
def name() -> str:
    return f"run{next(_RUNS)}/rate"


def test_a_bucket_that_nobody_has_spent_from_is_full(opened: Opened, name: str) -> None:
    async def scenario() -> None:
        async with opened() as buckets:
            assert await buckets.spend([Spend(name, NEVER, 10, 3)]) == pytest.approx([7])

    asyncio.run(scenario())


def test_what_is_spent_adds_up_and_may_be_owed(opened: Opened, name: str) -> None:
    async def scenario() -> None:
        async with opened() as buckets:
            await buckets.spend([Spend(name, NEVER, 10, 8)])
            assert await buckets.spend([Spend(name, NEVER, 10, 1000)]) == pytest.approx([-998])

    asyncio.run(scenario())


def test_a_bucket_refills_at_its_rate(opened: Opened, name: str) -> None:
    async def scenario() -> None:
        async with opened() as buckets:
            began = asyncio.get_running_loop().time()
            await buckets.spend([Spend(name, 100, 1000, 1000)])
            await asyncio.sleep(0.2)
            (level,) = await buckets.spend([Spend(name, 100, 1000, 0)])
            elapsed = asyncio.get_running_loop().time() - began
            assert 19 <= level <= 100 * elapsed

    asyncio.run(scenario())


def test_a_bucket_never_holds_more_than_it_may(opened: Opened, name: str) -> None:
    async def scenario() -> None:
        async with opened() as buckets:
            await buckets.spend([Spend(name, 1e6, 5, 5)])
            await asyncio.sleep(0.01)
            assert await buckets.spend([Spend(name, 1e6, 5, 0)]) == [5]

    asyncio.run(scenario())


def test_a_quota_does_not_refill(opened: Opened, name: str) -> None:
    async def scenario() -> None:
        async with opened() as buckets:
            await buckets.spend([Spend(name, 0, 5, 5)])
            await asyncio.sleep(0.01)
            assert await buckets.spend([Spend(name, 0, 5, 0)]) == [0]

    asyncio.run(scenario())


def test_the_buckets_of_one_call_are_answered_in_order(opened: Opened, name: str) -> None:
    async def scenario() -> None:
        async with opened() as buckets:
            spends = [Spend(f"{name}{number}", NEVER, 100, number) for number in range(50)]
            assert await buckets.spend(spends) == pytest.approx([100 - number for number in range(50)])

    asyncio.run(scenario())


def test_those_who_spend_at_the_same_time_see_each_other(opened: Opened, name: str) -> None:
    async def scenario() -> None:
        async with opened() as buckets:
            levels = await asyncio.gather(*(buckets.spend([Spend(name, NEVER, 20, 1)]) for _ in range(20)))
            assert sorted(round(level) for (level,) in levels) == list(range(20))

    asyncio.run(scenario())


def test_a_store_that_is_not_there_is_unavailable() -> None:
    async def scenario() -> None:
        buckets = ValkeyBuckets("redis://127.0.0.1:1")
        with pytest.raises(Unavailable):
            await buckets.spend([Spend("any", 1, 1, 1)])
        await buckets.close()

    asyncio.run(scenario())
