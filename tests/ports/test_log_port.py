"""What every `Log` promises, asked of the one in memory and of NATS."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from crossdock.adapters.log import ATOMIC_FROM, Acks, NatsLog
from crossdock.adapters.memory import MemoryLog
from crossdock.kernel.stream import Log, Record
from tests.realservers import clean

Opened = Callable[[], AbstractAsyncContextManager[Log]]


@pytest.fixture(params=["memory", "nats"])
def opened(request: pytest.FixtureRequest) -> Opened:
    url = request.getfixturevalue("nats_url") if request.param == "nats" else ""

    @asynccontextmanager
    async def on_nats() -> AsyncIterator[Log]:
        async with clean(url) as (client, _):
            acks = Acks(client)
            await acks.start()
            yield NatsLog(acks)
            await acks.close()

    @asynccontextmanager
    async def in_memory() -> AsyncIterator[Log]:
        yield MemoryLog()

    return on_nats if url else in_memory


def record(key: str) -> Record:
    return Record("event.inventory.sold", key.encode(), key, {"Crossdock-Source": "tills"})


def test_an_append_is_acknowledged_with_the_next_sequence(opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as log:
            stored = [await log.append(record(key)) for key in "abc"]
            assert [(one.seq, one.duplicate) for one in stored] == [(1, False), (2, False), (3, False)]

    asyncio.run(scenario())


def test_a_repeat_names_the_first(opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as log:
            first = await log.append(record("a"))
            await log.append(record("b"))
            again = await log.append(Record("event.other", b"other content", "a"))
            assert (again.seq, again.duplicate) == (first.seq, True)
            assert (await log.append(record("c"))).seq == 3

    asyncio.run(scenario())


@pytest.mark.parametrize("number", [0, 1, 7, ATOMIC_FROM, 501])
def test_many_are_stored_in_their_order(opened: Opened, number: int) -> None:
    async def scenario() -> None:
        async with opened() as log:
            stored = await log.append_all([record(str(i)) for i in range(number)])
            assert [(one.seq, one.duplicate) for one in stored] == [(i + 1, False) for i in range(number)]

    asyncio.run(scenario())


def test_repeats_among_many_are_told_one_by_one(opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as log:
            await log.append_all([record("a"), record("b")])
            stored = await log.append_all([record("c"), record("a"), record("d"), record("b")])
            assert [(one.seq, one.duplicate) for one in stored] == [(3, False), (1, True), (4, False), (2, True)]

    asyncio.run(scenario())


def test_repeats_in_a_batch_that_would_be_atomic_are_told_one_by_one(opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as log:
            await log.append_all([record(str(i)) for i in range(ATOMIC_FROM)])
            stored = await log.append_all([record(str(i)) for i in range(1, ATOMIC_FROM + 1)])
            assert [one.duplicate for one in stored] == [True] * (ATOMIC_FROM - 1) + [False]
            assert [one.seq for one in stored] == list(range(2, ATOMIC_FROM + 2))

    asyncio.run(scenario())


def test_the_same_record_twice_among_many_is_stored_once(opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as log:
            stored = await log.append_all([record("a"), record("b"), record("a")])
            assert [(one.seq, one.duplicate) for one in stored] == [(1, False), (2, False), (1, True)]

    asyncio.run(scenario())


def test_appends_at_the_same_time_are_each_stored_once(opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as log:
            stored = await asyncio.gather(*(log.append(record(str(i % 50))) for i in range(100)))
            assert sorted(one.seq for one in stored) == sorted([*range(1, 51), *range(1, 51)])
            assert sum(one.duplicate for one in stored) == 50

    asyncio.run(scenario())
