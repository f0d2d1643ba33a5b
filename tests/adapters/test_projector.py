"""The journal's projection: it catches up, goes on after a restart, skips nothing and survives its servers."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from nats.aio.client import Client
from sqlalchemy.exc import OperationalError

from crossdock.adapters import projector
from crossdock.adapters.log import Acks, NatsLog
from crossdock.adapters.projector import Projector
from crossdock.adapters.sql import SqlJournal
from crossdock.kernel.stream import JOURNAL, Record
from journal.entry import SUBJECT, Entry, pack
from tests.realservers import clean


async def write(client: Client, *ids: int) -> None:
    """Append one message of two entries for each id."""
    acks = Acks(client)
    await acks.start()
    payloads = [pack([Entry(id_, "gateway", "accepted", id=f"e{id_}", raw=id_)] * 2) for id_ in ids]
    await NatsLog(acks).append_all(
        [Record(SUBJECT, payload, f"j{id_}") for id_, payload in zip(ids, payloads, strict=True)]
    )
    await acks.close()


@asynccontextmanager
async def projecting(client: Client, store: SqlJournal) -> AsyncIterator[None]:
    task = asyncio.create_task(Projector(client, store).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def reached(store: SqlJournal, position: int) -> list[str]:
    """Wait for the position; return the ids in the order they were projected."""
    async with asyncio.timeout(8):
        while store.position() < position:
            await asyncio.sleep(0.01)
    return [line.id for line in reversed(store.recent(1000))]


def twice(*ids: int) -> list[str]:
    return [f"e{id_}" for id_ in ids for _ in range(2)]


def test_it_catches_up_and_then_follows(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _):
            store = SqlJournal("sqlite://")
            await write(client, *range(1, 31))
            async with projecting(client, store):
                assert await reached(store, 30) == twice(*range(1, 31))
                await write(client, 31)
                assert (await reached(store, 31))[-1] == "e31"
            store.close()

    asyncio.run(scenario())


def test_it_goes_on_where_the_store_stands_and_builds_a_new_store_from_the_beginning(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _):
            store, other = SqlJournal("sqlite://"), SqlJournal("sqlite://")
            await write(client, 1, 2)
            async with projecting(client, store):
                await reached(store, 2)
            await write(client, 3, 4)
            async with projecting(client, store):
                assert await reached(store, 4) == twice(1, 2, 3, 4)
            async with projecting(client, other):
                assert await reached(other, 4) == twice(1, 2, 3, 4)
            store.close()
            other.close()

    asyncio.run(scenario())


def test_a_stream_that_begins_later_is_read_from_there(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _):
            store = SqlJournal("sqlite://")
            await write(client, 1, 2, 3, 4)
            await client.jetstream().purge_stream(JOURNAL, seq=3)
            async with projecting(client, store):
                assert await reached(store, 4) == twice(3, 4)
            store.close()

    asyncio.run(scenario())


def test_a_consumer_that_is_lost_is_replaced_and_nothing_is_skipped(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _):
            store = SqlJournal("sqlite://")
            async with projecting(client, store):
                await write(client, 1)
                await reached(store, 1)
                jetstream = client.jetstream()
                (consumer,) = await jetstream.consumers_info(JOURNAL)
                await jetstream.delete_consumer(JOURNAL, consumer.name)
                await write(client, 2, 3)
                assert await reached(store, 3) == twice(1, 2, 3)
            store.close()

    asyncio.run(scenario())


def test_a_message_lost_on_the_way_is_fetched_again(nats_url: str) -> None:
    class Losing(projector.NatsInbox):
        lost = False

        async def fetch(self, limit: int, wait: float) -> list[projector.Message]:
            found = await super().fetch(limit, wait)
            if len(found) > 1 and not Losing.lost:
                Losing.lost = True
                return found[1:]
            return found

    async def scenario() -> None:
        async with clean(nats_url) as (client, _):
            store = SqlJournal("sqlite://")
            await write(client, 1, 2, 3)
            async with projecting(client, store):
                assert await reached(store, 3) == twice(1, 2, 3)
            store.close()
            assert Losing.lost

    original, projector.NatsInbox = projector.NatsInbox, Losing  # type: ignore[misc]
    try:
        asyncio.run(scenario())
    finally:
        projector.NatsInbox = original  # type: ignore[misc]


def test_a_database_that_fails_once_is_asked_again(nats_url: str) -> None:
    class Failing(SqlJournal):
        failures = 1

        def project(self, entries: Sequence[Entry], position: int) -> None:
            if self.failures:
                self.failures -= 1
                raise OperationalError("insert", {}, Exception("the database is locked"))
            super().project(entries, position)

    async def scenario() -> None:
        async with clean(nats_url) as (client, _):
            store = Failing("sqlite://")
            await write(client, 1, 2)
            async with projecting(client, store):
                assert await reached(store, 2) == twice(1, 2)
            store.close()

    asyncio.run(scenario())
