"""What every `Inbox` promises, asked of the one in memory and of NATS."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from crossdock.adapters.consumers import route_consumer
from crossdock.adapters.inbox import NatsInbox
from crossdock.adapters.log import Acks, NatsLog
from crossdock.adapters.memory import MemoryInbox, MemoryLog
from crossdock.kernel.stream import ORIGIN, Inbox, Log, Message, Record
from tests.realservers import clean

Opened = Callable[[], AbstractAsyncContextManager[tuple[Log, Inbox]]]
CONSUMER = route_consumer("stock", ["inventory.sold"])


@pytest.fixture(params=["memory", "nats"])
def opened(request: pytest.FixtureRequest) -> Opened:
    url = request.getfixturevalue("nats_url") if request.param == "nats" else ""

    @asynccontextmanager
    async def on_nats() -> AsyncIterator[tuple[Log, Inbox]]:
        async with clean(url) as (client, topology):
            await topology.consumer(CONSUMER)
            acks = Acks(client)
            await acks.start()
            inbox = await NatsInbox(client, CONSUMER.stream, CONSUMER.name).start()
            yield NatsLog(acks), inbox
            await inbox.close()
            await acks.close()

    @asynccontextmanager
    async def in_memory() -> AsyncIterator[tuple[Log, Inbox]]:
        log = MemoryLog()
        yield log, MemoryInbox(log, CONSUMER.subjects)

    return on_nats if url else in_memory


def record(key: str, subject: str = "event.inventory.sold") -> Record:
    return Record(subject, key.encode(), key, {"Crossdock-Source": "tills"})


async def all_of(inbox: Inbox, number: int) -> list[Message]:
    messages: list[Message] = []
    async with asyncio.timeout(5):
        while len(messages) < number:
            messages += await inbox.fetch(number - len(messages), 1)
    return messages


def test_a_message_says_all_that_was_stored(opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as (log, inbox):
            before = time.time()
            stored = await log.append(record("a"))
            (message,) = await inbox.fetch(10, 5)
            assert (message.seq, message.subject, message.payload) == (stored.seq, "event.inventory.sold", b"a")
            assert (message.headers["Crossdock-Source"], message.deliveries) == ("tills", 1)
            assert before - 1 < message.time < time.time() + 1
            assert message.origin == message.seq

    asyncio.run(scenario())


def test_a_replay_stands_for_the_message_it_names(opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as (log, inbox):
            await log.append(Record("replay.stock", b"a", "r", {ORIGIN: "77"}))
            (message,) = await inbox.fetch(1, 5)
            assert (message.seq, message.origin) == (1, 77)

    asyncio.run(scenario())


def test_messages_come_in_stream_order_and_never_more_than_asked(opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as (log, inbox):
            await log.append_all([record(str(i)) for i in range(25)])
            first = await inbox.fetch(10, 5)
            assert 0 < len(first) <= 10
            rest = await all_of(inbox, 25 - len(first))
            assert [message.seq for message in [*first, *rest]] == list(range(1, 26))

    asyncio.run(scenario())


def test_only_wanted_subjects_come(opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as (log, inbox):
            await log.append(record("a", "event.inventory.moved"))
            await log.append(record("b", "replay.other"))
            await log.append(record("c"))
            assert [message.payload for message in await inbox.fetch(10, 5)] == [b"c"]

    asyncio.run(scenario())


def test_nothing_comes_when_nothing_is_there(opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as (_, inbox):
            began = time.monotonic()
            assert await inbox.fetch(10, 0.2) == []
            assert 0.15 < time.monotonic() - began < 1

    asyncio.run(scenario())


def test_an_idle_inbox_hands_over_a_message_as_it_comes(opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as (log, inbox):
            waiting = asyncio.create_task(inbox.fetch(100, 8))
            await asyncio.sleep(0.05)
            began = time.monotonic()
            await log.append(record("a"))
            assert [message.payload for message in await waiting] == [b"a"]
            assert time.monotonic() - began < 1

    asyncio.run(scenario())


def test_the_next_fetch_after_a_partial_one_does_not_wait_either(opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as (log, inbox):
            for number in range(5):
                began = time.monotonic()
                await log.append(record(str(number)))
                (message,) = await inbox.fetch(100, 8)
                inbox.ack([message])
                assert time.monotonic() - began < 1

    asyncio.run(scenario())


def test_what_is_acknowledged_or_extended_is_accepted_without_complaint(opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as (log, inbox):
            await log.append_all([record(str(i)) for i in range(3)])
            messages = await all_of(inbox, 3)
            inbox.extend(messages)
            inbox.ack(messages)
            inbox.ack([])
            assert await inbox.fetch(10, 0.1) == []

    asyncio.run(scenario())
