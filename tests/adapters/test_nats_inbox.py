"""The pull consumer on NATS: redelivery, and a consumer that is lost."""

import asyncio
import time
from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client

from crossdock.adapters import inbox as inbox_module
from crossdock.adapters import topology as topology_module
from crossdock.adapters.consumers import route_consumer
from crossdock.adapters.inbox import NatsInbox
from crossdock.adapters.log import Acks, NatsLog
from crossdock.adapters.nats import as_message, hand_out
from crossdock.adapters.whole import read
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import EVENTS, Record
from tests.realservers import clean, connected

CONSUMER = route_consumer("stock", ["inventory.sold"])


async def fill(client: Client, number: int) -> None:
    await store(client, *["inventory.sold"] * number)


async def store(client: Client, *types: str) -> None:
    acks = Acks(client)
    await acks.start()
    await NatsLog(acks).append_all([Record(f"event.{kind}", b"x", f"k{i}") for i, kind in enumerate(types)])
    await acks.close()


async def until_done(inbox: NatsInbox, seq: int, in_hand: Collection[int] = ()) -> None:
    async with asyncio.timeout(5):
        while not await inbox.done(seq, in_hand):  # noqa: ASYNC110  the broker tells nobody that it took an acknowledgement
            await asyncio.sleep(0.01)


def test_what_is_not_acknowledged_comes_again_after_the_brokers_patience(
    nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topology_module, "ACK_WAIT", 1.0)

    async def scenario() -> None:
        async with clean(nats_url) as (client, topology):
            # given
            await topology.consumer(CONSUMER)
            inbox = await NatsInbox(client, CONSUMER.stream, CONSUMER.name).start()
            await fill(client, 2)
            first = [await inbox.fetch(1, 5), await inbox.fetch(1, 5)]
            # when
            inbox.ack(first[0])
            # then
            (again,) = await inbox.fetch(10, 5)
            assert (again.seq, again.deliveries) == (2, 2)
            await inbox.close()

    asyncio.run(scenario())


def test_what_is_extended_does_not_come_again(nats_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topology_module, "ACK_WAIT", 0.6)

    async def scenario() -> None:
        async with clean(nats_url) as (client, topology):
            await topology.consumer(CONSUMER)
            inbox = await NatsInbox(client, CONSUMER.stream, CONSUMER.name).start()
            await fill(client, 1)
            messages = await inbox.fetch(1, 5)
            for _ in range(6):
                assert await inbox.fetch(1, 0.2) == []
                inbox.extend(messages)
            await inbox.close()

    asyncio.run(scenario())


def test_it_is_done_with_a_place_between_its_own_messages_while_later_ones_are_in_hand(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, topology):
            # given a consumer of every third message
            await topology.consumer(CONSUMER)
            inbox = await NatsInbox(client, CONSUMER.stream, CONSUMER.name).start()
            await store(client, "inventory.sold", "a", "b", "inventory.sold", "c", "d", "inventory.sold")
            messages = await inbox.fetch(10, 5)
            while len(messages) < 3:
                messages += await inbox.fetch(10, 5)
            assert [message.seq for message in messages] == [1, 4, 7]
            assert not await inbox.done(3, {1, 4, 7})
            # when
            inbox.ack(messages[:1])
            # then
            await until_done(inbox, 3, {4, 7})
            assert not await inbox.done(5, {4, 7})
            # and not while somebody else who is gone had one of them
            assert not await inbox.done(5, {7})
            await inbox.close()

    asyncio.run(scenario())


def test_it_is_done_with_what_is_acknowledged_while_later_messages_stay_in_hand(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, topology):
            # given
            await topology.consumer(CONSUMER)
            inbox = await NatsInbox(client, CONSUMER.stream, CONSUMER.name).start()
            await fill(client, 3)
            first, second, third = [await inbox.fetch(1, 5) for _ in range(3)]
            inbox.ack(first)
            assert not await inbox.done(2, ())
            # when
            inbox.ack(second)
            # then
            await until_done(inbox, 2)
            assert not await inbox.done(3, ())
            # and when what came alone was acknowledged before the next came
            inbox.ack(third)
            await until_done(inbox, 3)
            await fill(client, 5)
            await inbox.fetch(1, 5)
            assert await inbox.done(3, ()) and not await inbox.done(4, ())
            await inbox.close()

    asyncio.run(scenario())


def test_a_consumer_that_never_was_is_unavailable_at_once(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _):
            inbox = await NatsInbox(client, EVENTS, "nobody").start()
            began = time.monotonic()
            with pytest.raises(Unavailable, match="nobody"):
                await inbox.fetch(1, 8)
            assert time.monotonic() - began < 2
            await inbox.close()

    asyncio.run(scenario())


def test_a_consumer_deleted_while_waiting_is_unavailable_at_once_and_works_when_it_is_back(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, topology):
            # given
            await topology.consumer(CONSUMER)
            inbox = await NatsInbox(client, CONSUMER.stream, CONSUMER.name).start()
            waiting = asyncio.create_task(inbox.fetch(1, 8))
            await asyncio.sleep(0.1)
            # when
            await client.jetstream().delete_consumer(CONSUMER.stream, CONSUMER.name)
            # then
            began = time.monotonic()
            with pytest.raises(Unavailable):
                await waiting
            assert time.monotonic() - began < 1
            await topology.consumer(CONSUMER)
            await fill(client, 1)
            assert len(await inbox.fetch(1, 5)) == 1
            await inbox.close()

    asyncio.run(scenario())


def test_a_standing_request_that_ends_is_renewed(nats_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "PULL_EXPIRES", 0.5)
    monkeypatch.setattr(inbox_module, "PULL_HEARTBEAT", 0.2)

    async def scenario() -> None:
        async with clean(nats_url) as (client, topology):
            await topology.consumer(CONSUMER)
            inbox = await NatsInbox(client, CONSUMER.stream, CONSUMER.name).start()
            waiting = asyncio.create_task(inbox.fetch(5, 8))
            await asyncio.sleep(1.2)
            began = time.monotonic()
            await fill(client, 1)
            assert len(await waiting) == 1
            assert time.monotonic() - began < 1
            await inbox.close()

    asyncio.run(scenario())


def test_a_stream_is_read_to_its_end_and_no_consumer_is_left(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _):
            await fill(client, 1200)
            seqs = [message.seq async for batch in read(client, EVENTS) for message in batch]
            assert seqs == list(range(1, 1201))
            assert (await client.jetstream().stream_info(EVENTS)).state.consumer_count == 0

    asyncio.run(scenario())


def test_an_empty_stream_and_one_that_is_not_there_are_read_as_nothing(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _):
            for stream in (EVENTS, "NOWHERE"):
                assert [batch async for batch in read(client, stream)] == []

    asyncio.run(scenario())


@given(st.integers(1, 9), st.integers(1, 2**40), st.integers(0, 2**60), st.booleans())
def test_both_versions_of_the_acknowledgement_subject_are_read(
    deliveries: int, seq: int, nanoseconds: int, newer: bool
) -> None:
    middle = "domain.account." if newer else ""
    reply = f"$JS.ACK.{middle}EVENTS.route-x.{deliveries}.{seq}.77.{nanoseconds}.5{'.random' if newer else ''}"
    header = b"NATS/1.0\r\nCrossdock-Source: tills\r\n\r\n"
    message = as_message(b"event.a", reply.encode(), header, b"x")
    assert (message.seq, message.deliveries, message.handle) == (seq, deliveries, reply.encode())
    assert (message.subject, message.payload, message.headers) == ("event.a", b"x", {"Crossdock-Source": "tills"})
    assert hand_out(reply.encode()) == 77
    assert message.time == nanoseconds / 1e9


def test_a_reader_that_is_cancelled_ends_though_the_connection_has_gone_before(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (_, topology), connected(nats_url) as client:
            # given
            await topology.consumer(CONSUMER)
            inbox = await NatsInbox(client, CONSUMER.stream, CONSUMER.name).start()
            waits = asyncio.Event()

            async def reader() -> None:
                try:
                    waits.set()
                    await inbox.fetch(1, 30)
                finally:
                    await inbox.remove()

            task = asyncio.create_task(reader())
            await waits.wait()
            # when
            await client.close()
            task.cancel()
            await asyncio.wait([task], timeout=5)
            # then
            assert task.cancelled()

    asyncio.run(scenario())
