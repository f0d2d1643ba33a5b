"""What every store of backfills and of arrivals promises, asked of those in memory and of NATS."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from crossdock.adapters.arrived import NatsArrivals
from crossdock.adapters.backfills import NatsBackfills
from crossdock.adapters.log import Acks, NatsLog
from crossdock.adapters.memory import MemoryLog
from crossdock.adapters.memorybackfills import MemoryBackfills
from crossdock.adapters.memorytables import MemoryArrivals
from crossdock.kernel.stream import Log, Record
from crossdock.pipeline.awaited import Arrivals
from crossdock.pipeline.backfill import Backfill
from routes.match import Reference
from tests.realservers import clean
from tests.smallproject import project


class Opened(NamedTuple):
    log: Log
    backfills: Any  # both `Backfills` and `Past`
    arrivals: Arrivals


Open = Callable[[], AbstractAsyncContextManager[Opened]]


@pytest.fixture(params=["memory", "nats"])
def opened(request: pytest.FixtureRequest) -> Open:
    url = request.getfixturevalue("nats_url") if request.param == "nats" else ""

    @asynccontextmanager
    async def on_nats() -> AsyncIterator[Opened]:
        async with clean(url) as (client, _):
            acks = Acks(client)
            await acks.start()
            yield Opened(NatsLog(acks), NatsBackfills(client), NatsArrivals(client))
            await acks.close()

    @asynccontextmanager
    async def in_memory() -> AsyncIterator[Opened]:
        log = MemoryLog()
        yield Opened(log, MemoryBackfills(log), MemoryArrivals())

    return on_nats if url else in_memory


def test_the_past_of_a_route_is_read_in_pages_and_no_replays_with_it(opened: Open, tmp_path: Path) -> None:
    route = project(tmp_path).routes["stock"]

    async def scenario() -> None:
        async with opened() as (log, past, _):
            assert (await past.newest(), await past.page(route, 0, 0), await past.unread(route)) == (0, [], 0)
            subjects = ["event.inventory.sold", "event.other", "replay.stock", *["event.inventory.sold"] * 3]
            for number, subject in enumerate(subjects[:3]):
                await log.append(Record(subject, b"{}", str(number)))
            await asyncio.sleep(0.01)
            moment = datetime.now(UTC)
            for number, subject in enumerate(subjects[3:], 3):
                await log.append(Record(subject, b"{}", str(number)))
            assert await past.newest() == 6
            assert [message.seq for message in await past.page(route, 0, 6)] == [1, 4, 5, 6]
            assert [message.seq for message in await past.page(route, 1, 5)] == [4, 5]
            assert await past.page(route, 6, 6) == []
            assert await past.since(moment - timedelta(days=1)) == 1
            assert await past.since(moment) == 4
            assert await past.since(moment + timedelta(hours=1)) == 7

    asyncio.run(scenario())


def test_a_record_takes_the_place_of_the_version_that_was_read_and_of_no_other(opened: Open) -> None:
    first = Backfill("bf-1", "stock", 1, 9, 5, 1_790_000_000_000, 0, state="running")

    async def scenario() -> None:
        async with opened() as (_, store, _):
            assert await store.get("stock") is None
            stored = await store.put(first)
            assert stored == first
            assert await store.put(first) is None
            assert await store.get("stock") == stored
            further = await store.put(replace(stored, done=7, sent=3))
            assert await store.put(replace(stored, state="stopped")) is None
            present = await store.get("stock")
            assert (present, present.version) == (further, further.version)
            assert await store.get("other") is None

    asyncio.run(scenario())


def test_what_has_arrived_is_known_of_its_connector_type_and_key(opened: Open) -> None:
    odd = Reference("order.paid", "ß" * 200 + " > * .")

    async def scenario() -> None:
        async with opened() as (_, _, arrivals):
            assert not await arrivals.has("erp", odd)
            await arrivals.put("erp", [odd, Reference("", "4711")])
            await arrivals.put("erp", [odd])
            assert await arrivals.has("erp", odd)
            assert await arrivals.has("erp", Reference("", "4711"))
            assert not await arrivals.has("oms", odd)
            assert not await arrivals.has("erp", Reference("order.paid", "4711"))

    asyncio.run(scenario())
