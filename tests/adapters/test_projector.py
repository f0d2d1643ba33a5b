"""The journal's projection: it catches up, goes on after a restart, skips nothing and survives its servers."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from nats.aio.client import Client
from sqlalchemy.exc import OperationalError

from crossdock.adapters import projector
from crossdock.adapters.inbox import NatsInbox
from crossdock.adapters.log import Acks, NatsLog
from crossdock.adapters.memoryrecords import MemoryRecords
from crossdock.adapters.projector import Projector, pause
from crossdock.adapters.sql import SqlJournal
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.stream import JOURNAL, Message, Record
from crossdock.pipeline.unreadable import Unreadable
from dlq.ports import Records
from journal.entry import SUBJECT, Entry, pack
from tests.realservers import clean, until

AGES = 100 * 365 * 86400.0  # the entries here are of 1970


def journal(folder: Path, name: str = "journal") -> SqlJournal:
    return SqlJournal(f"sqlite:///{folder}/{name}.db")  # in memory all threads would share one transaction


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
async def projecting(client: Client, store: SqlJournal, records: Records | None = None) -> AsyncIterator[None]:
    noted = Unreadable(records or MemoryRecords(), Metrics().unreadable)
    task = asyncio.create_task(Projector(client, store, AGES, noted).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def reached(store: SqlJournal, position: int) -> list[str]:
    """Wait for the position; return the ids in the order they were projected."""
    await until(lambda: store.position() >= position)
    return [line.id for line in reversed(store.recent(1000))]


def twice(*ids: int) -> list[str]:
    return [f"e{id_}" for id_ in ids for _ in range(2)]


def test_it_catches_up_and_then_follows(nats_url: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _):
            store = journal(tmp_path)
            await write(client, *range(1, 31))
            async with projecting(client, store):
                assert await reached(store, 30) == twice(*range(1, 31))
                await write(client, 31)
                assert (await reached(store, 31))[-1] == "e31"
            store.close()

    asyncio.run(scenario())


def test_it_goes_on_where_the_store_stands_and_builds_a_new_store_from_the_beginning(
    nats_url: str, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _):
            store, other = journal(tmp_path), journal(tmp_path, "other")
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


def test_a_store_of_an_earlier_version_is_built_again_from_the_stream(nats_url: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _):
            store = journal(tmp_path)
            await write(client, 1, 2)
            async with projecting(client, store):
                await reached(store, 2)
            with store._engine.begin() as connection:
                connection.exec_driver_sql("UPDATE position SET seq = 1 WHERE name = 'layout'")
            await write(client, 3)
            async with projecting(client, store):
                assert await reached(store, 3) == twice(1, 2, 3)
            store.close()

    asyncio.run(scenario())


def test_a_backlog_is_stored_in_few_transactions_and_none_is_too_large(
    nats_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projector, "MOST_ENTRIES", 10)
    sizes: list[int] = []

    class Counting(SqlJournal):
        def project(self, entries: Sequence[Entry], position: int) -> None:
            sizes.append(len(entries))
            super().project(entries, position)

    async def scenario() -> None:
        async with clean(nats_url) as (client, _):
            store = Counting(f"sqlite:///{tmp_path}/journal.db")
            await write(client, *range(1, 101))
            async with projecting(client, store):
                assert await reached(store, 100) == twice(*range(1, 101))
            store.close()

    asyncio.run(scenario())
    assert max(sizes) == 10
    assert len(sizes) <= 40


def test_a_stream_that_begins_later_is_read_from_there(nats_url: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _):
            store = journal(tmp_path)
            await write(client, 1, 2, 3, 4)
            await client.jetstream().purge_stream(JOURNAL, seq=3)
            async with projecting(client, store):
                assert await reached(store, 4) == twice(3, 4)
            store.close()

    asyncio.run(scenario())


def test_a_consumer_that_is_lost_is_replaced_and_nothing_is_skipped(nats_url: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _):
            store = journal(tmp_path)
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


def test_a_message_lost_on_the_way_is_fetched_again(
    nats_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch, lost = NatsInbox.fetch, list[Message]()

    async def losing(self: NatsInbox, limit: int, wait: float) -> list[Message]:
        found = await fetch(self, limit, wait)
        if found and not lost:
            lost.append(found.pop(0))
            found = found or await fetch(self, limit, wait)
        return found

    monkeypatch.setattr(NatsInbox, "fetch", losing)

    async def scenario() -> None:
        async with clean(nats_url) as (client, _):
            store = journal(tmp_path)
            await write(client, 1, 2, 3)
            async with projecting(client, store):
                assert await reached(store, 3) == twice(1, 2, 3)
            store.close()
        assert [message.seq for message in lost] == [1]

    asyncio.run(scenario())


def test_a_database_that_fails_once_is_asked_again(nats_url: str, tmp_path: Path) -> None:
    class Failing(SqlJournal):
        failures = 1

        def project(self, entries: Sequence[Entry], position: int) -> None:
            if self.failures:
                self.failures -= 1
                raise OperationalError("insert", {}, Exception("the database is locked"))
            super().project(entries, position)

    async def scenario() -> None:
        async with clean(nats_url) as (client, _):
            store = Failing(f"sqlite:///{tmp_path}/journal.db")
            await write(client, 1, 2)
            async with projecting(client, store):
                assert await reached(store, 2) == twice(1, 2)
            store.close()

    asyncio.run(scenario())


@pytest.mark.parametrize(("entries", "seconds"), [(1, 0.101), (400, 0.5), (900, 1.0), (100_000, 1.0)])
def test_the_more_came_at_once_the_more_are_collected_for_the_next_transaction_for_a_second_at_most(
    entries: int, seconds: float
) -> None:
    assert pause(entries) == pytest.approx(seconds)
