"""What every `KeyBook` promises, asked of the one in memory and of the NATS bucket."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

import pytest

from crossdock.adapters.keys import NatsKeys
from crossdock.adapters.memory import MemoryKeys
from crossdock.kernel.apikeys import KeyBook, KeyRecord
from tests.realservers import clean

Opened = Callable[[], AbstractAsyncContextManager[KeyBook]]
ONE, TWO = KeyRecord("aa", "stores", "digest", 1), KeyRecord("bb", "acme", "digest", 2)


@pytest.fixture(params=["memory", "nats"])
def opened(request: pytest.FixtureRequest) -> Opened:
    url = request.getfixturevalue("nats_url") if request.param == "nats" else ""

    @asynccontextmanager
    async def on_nats() -> AsyncIterator[KeyBook]:
        async with clean(url) as (client, _):
            keys = NatsKeys(client)
            await keys.start()
            yield keys
            await keys.close()

    @asynccontextmanager
    async def in_memory() -> AsyncIterator[KeyBook]:
        yield MemoryKeys()

    return on_nats if url else in_memory


def test_a_stored_key_is_found_at_once(opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as keys:
            assert (keys.find("aa"), keys.records()) == (None, [])
            await keys.put(ONE)
            assert keys.find("aa") == ONE

    asyncio.run(scenario())


def test_keys_are_listed_oldest_first(opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as keys:
            await keys.put(TWO)
            await keys.put(ONE)
            assert keys.records() == [ONE, TWO]

    asyncio.run(scenario())


def test_a_removed_key_is_gone_and_cannot_be_removed_twice(opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as keys:
            await keys.put(ONE)
            await keys.put(TWO)
            assert await keys.remove("aa") is True
            assert (keys.find("aa"), keys.records()) == (None, [TWO])
            assert await keys.remove("aa") is False
            assert await keys.remove("never") is False

    asyncio.run(scenario())


def test_a_record_is_replaced_only_while_it_is_what_is_stored(opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as keys:
            # given
            ending = replace(ONE, expires=9, rolled_to="bb")
            assert await keys.replace(ONE, ending) is False
            await keys.put(ONE)
            # when
            outcomes = [await keys.replace(ONE, ending), await keys.replace(ONE, replace(ONE, note="late"))]
            # then
            assert (outcomes, keys.find("aa")) == ([True, False], ending)
            assert await keys.remove("aa") is True
            assert await keys.replace(ending, ONE) is False
            assert keys.find("aa") is None

    asyncio.run(scenario())


def test_expired_keys_stay_in_the_list(opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as keys:
            await keys.put(replace(ONE, expires=1))
            assert [record.id for record in keys.records()] == ["aa"]

    asyncio.run(scenario())
