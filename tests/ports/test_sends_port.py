"""What the streams say of replays, asked of those in memory and of NATS."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from crossdock.adapters.consumers import PROCESS_CONSUMER, feed_consumer
from crossdock.adapters.inbox import NatsInbox
from crossdock.adapters.log import Acks, NatsLog
from crossdock.adapters.memory import MemoryLog
from crossdock.adapters.memorysends import MemorySends
from crossdock.adapters.sends import NatsSends
from crossdock.kernel.stream import ACT, AGAIN, ORIGIN, Log, Record
from crossdock.pipeline.outbox import Sends
from dlq.record import DeadLetter
from dlq.record import replay as again
from journal.entry import SUBJECT
from tests.realservers import clean
from tests.smallproject import project

LETTER = DeadLetter(
    "dl-1", "deliver", "stores", "tills", "stock", "s-1", "inventory.sold", "refused", "no", (), 1, 1, 2, 5, 5,
    "event.inventory.sold",
)  # fmt: skip
REFUSED = replace(LETTER, id="dl-2", stage="process", route="", subject="raw.stores.tills")


class Opened(NamedTuple):
    """A log, what is said of it, and how everything in it is done with."""

    log: Log
    sends: Sends
    read: Callable[[], Awaitable[None]]


Open = Callable[[], AbstractAsyncContextManager[Opened]]


@pytest.fixture(params=["memory", "nats"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    url = request.getfixturevalue("nats_url") if request.param == "nats" else ""

    @asynccontextmanager
    async def on_nats() -> AsyncIterator[Opened]:
        async with clean(url) as (client, topology):
            acks = Acks(client)
            await acks.start()
            loaded = project(tmp_path)
            consumers = (PROCESS_CONSUMER, feed_consumer(0, 1, loaded.routes.values()))
            for consumer in consumers:
                await topology.consumer(consumer, 1)

            async def read() -> None:
                for consumer in consumers:
                    inbox = await NatsInbox(client, consumer.stream, consumer.name).start()
                    while not await inbox.drained(0):
                        inbox.ack(await inbox.fetch(100, 0.3))

            yield Opened(NatsLog(acks), NatsSends(client, lambda: loaded), read)
            await acks.close()

    @asynccontextmanager
    async def in_memory() -> AsyncIterator[Opened]:
        log = MemoryLog()
        sends = MemorySends(log)

        async def read() -> None:
            sends.done = len(log.records)

        yield Opened(log, sends, read)

    return on_nats if url else in_memory


def test_the_keys_of_what_was_sent_after_a_mark_are_known(opened: Open) -> None:
    async def scenario() -> None:
        async with opened() as (log, sends, _):
            before = await sends.newest()
            await log.append_all([Record("replay.stock", b"{}", "a"), Record("raw.stores.tills", b"{}", "b")])
            mark = await sends.newest()
            both = ["raw.stores.tills", "replay.stock"]
            assert await sends.since(before, both) == {("a", ""), ("b", "")}
            assert await sends.since(mark, both) == set()
            own = {ACT: "rp-1"}
            await log.append_all([Record("replay.stock", b"{}", "c", own), Record("replay.other", b"{}", "d")])
            assert await sends.since(mark, both) == {("c", "rp-1")}
            assert await sends.since(before, ["replay.other"]) == {("d", "")}
            assert await sends.since(before, []) == set()
            assert await sends.unread("nowhere") == 0

    asyncio.run(scenario())


def test_the_last_of_the_journal_is_known_and_nothing_of_one_that_is_empty(opened: Open) -> None:
    async def scenario() -> None:
        async with opened() as (log, sends, _):
            assert await sends.recorded() == 0
            stored = await log.append(Record(SUBJECT, b"", "a"))
            assert await sends.recorded() == stored.seq > 0

    asyncio.run(scenario())


def test_a_replay_waits_until_it_is_done_with_and_says_whose_it_is(opened: Open) -> None:
    async def scenario() -> None:
        async with opened() as (log, sends, read):
            both, other = [LETTER, REFUSED], replace(LETTER, origin=6)
            await log.append(Record("event.inventory.sold", b"{}", "e"))
            assert await sends.waiting(both) == {}
            await log.append_all([again(LETTER, "1", "rp-1"), again(REFUSED, "1"), again(other, "1")])
            assert await sends.waiting(both) == {("stock", 5): "rp-1", ("", 5): ""}
            await read()
            assert await sends.waiting(both) == {}

    asyncio.run(scenario())


def test_a_delivery_that_is_to_be_made_anew_waits_for_the_process_step(opened: Open) -> None:
    async def scenario() -> None:
        async with opened() as (log, sends, read):
            headers = {ORIGIN: "3", ACT: "rp-1", AGAIN: "rp-1 failed 5 stock"}
            await log.append(Record("raw.stores.tills", b"{}", "r", headers))
            assert await sends.waiting([LETTER]) == {("stock", 5): "rp-1"}
            await read()
            assert await sends.waiting([LETTER]) == {}

    asyncio.run(scenario())


def test_of_copies_before_and_after_the_process_step_the_one_that_is_further_says_whose_it_is(opened: Open) -> None:
    async def scenario() -> None:
        async with opened() as (log, sends, read):
            await log.append(Record("event.inventory.sold", b"{}", "e"))
            await log.append(again(LETTER, "1", "rp-1"))
            headers = {ORIGIN: "3", ACT: "rp-2", AGAIN: "rp-2 failed 5 stock"}
            await log.append(Record("raw.stores.tills", b"{}", "r", headers))
            assert await sends.waiting([LETTER]) == {("stock", 5): "rp-1"}
            await read()
            assert await sends.waiting([LETTER]) == {}
            # and who asked before hears of what came since
            await log.append(again(LETTER, "2", "rp-3"))
            assert await sends.waiting([LETTER]) == {("stock", 5): "rp-3"}

    asyncio.run(scenario())
