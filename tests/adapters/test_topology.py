"""Streams, buckets and consumers: made, brought back to the declaration, and found again after a loss."""

import asyncio
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.js.api import RetentionPolicy, StreamConfig
from nats.js.errors import NotFoundError

from crossdock.adapters.consumers import PROCESS_CONSUMER, route_consumer
from crossdock.adapters.log import Acks, NatsLog
from crossdock.adapters.topology import REPEAT_WINDOW, Topology
from crossdock.adapters.watch import NatsWatch, consumer_of
from crossdock.kernel.stream import EVENTS, STREAMS, Record
from tests.realservers import RETENTION, clean, connected, patiently
from tests.smallproject import project

CONSUMER = route_consumer("stock", ["inventory.sold"])


async def fill(client: Client, number: int, name: str = "k") -> None:
    acks = Acks(client)
    await acks.start()
    await NatsLog(acks).append_all([Record("event.inventory.sold", b"x", f"{name}{i}") for i in range(number)])
    await acks.close()


async def take(client: Client, number: int) -> list[int]:
    """Pull and acknowledge; return the sequences."""
    subscription = await client.jetstream().pull_subscribe_bind(CONSUMER.name, CONSUMER.stream)
    messages = await subscription.fetch(number, timeout=5)
    for message in messages:
        await message.ack_sync()
    await subscription.unsubscribe()
    return [message.metadata.sequence.stream for message in messages]


def test_streams_are_made_as_declared(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _):
            for name, subjects in STREAMS.items():
                config = (await client.jetstream().stream_info(name)).config
                assert (config.subjects, config.retention) == (subjects, RetentionPolicy.LIMITS)
                assert (config.duplicate_window, config.max_age) == (REPEAT_WINDOW, RETENTION[name])

    asyncio.run(scenario())


def test_a_stream_that_drifted_is_brought_back_and_keeps_what_it_holds(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, topology):
            # given
            await fill(client, 3)
            jetstream = client.jetstream()
            config = (await jetstream.stream_info(EVENTS)).config
            await jetstream.update_stream(config.evolve(subjects=["event.only"], max_age=60.0, duplicate_window=30.0))
            # when
            await topology.streams()
            # then
            info = await jetstream.stream_info(EVENTS)
            assert (info.config.subjects, info.config.max_age) == (STREAMS[EVENTS], RETENTION[EVENTS])
            assert (info.config.duplicate_window, info.state.messages) == (REPEAT_WINDOW, 3)

    asyncio.run(scenario())


def test_all_processes_may_make_the_topology_at_once(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _):
            for name in [*STREAMS, "KV_KEYS", "KV_CONTROL", "KV_POSITIONS"]:
                await client.jetstream().delete_stream(name)
            await asyncio.gather(*(patiently(Topology(client, 1, RETENTION).streams) for _ in range(6)))
            assert {info.config.name for info in await client.jetstream().streams_info()} >= STREAMS.keys()

    asyncio.run(scenario())


def test_a_new_route_begins_now_and_the_process_step_at_the_beginning(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, topology):
            await fill(client, 3)
            assert (await topology.consumer(CONSUMER)).num_pending == 0
            await fill(client, 2, "later")
            assert await take(client, 2) == [4, 5]
            assert (await topology.consumer(PROCESS_CONSUMER)).config.opt_start_seq == 1

    asyncio.run(scenario())


def test_a_consumer_that_is_declared_again_keeps_its_place_and_takes_new_types(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, topology):
            await topology.consumer(CONSUMER)
            await fill(client, 3)
            assert await take(client, 2) == [1, 2]
            wider = route_consumer("stock", ["inventory.sold", "inventory.moved"])
            info = await topology.consumer(wider)
            assert info.config.filter_subjects == ["event.inventory.sold", "event.inventory.moved", "replay.stock"]
            assert await take(client, 1) == [3]

    asyncio.run(scenario())


def test_a_deleted_consumer_is_made_again_after_its_last_known_position(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, topology):
            # given
            await topology.consumer(CONSUMER)
            await fill(client, 5)
            assert await take(client, 2) == [1, 2]
            assert await topology.watch(CONSUMER) is False
            # when
            await client.jetstream().delete_consumer(CONSUMER.stream, CONSUMER.name)
            # then
            assert await topology.watch(CONSUMER) is True
            assert await take(client, 3) == [3, 4, 5]
            assert await topology.watch(CONSUMER) is False

    asyncio.run(scenario())


def test_the_consumer_that_a_route_gave_up_meanwhile_is_not_made_again(nats_url: str, tmp_path: Path) -> None:
    route = project(tmp_path).routes["stock"]

    async def scenario() -> None:
        async with clean(nats_url) as (client, topology):
            watch, answers = NatsWatch(client, topology), [[route], [], [route], [route]]
            # when it is gone because the route has caught up, then nothing is made
            assert await watch.watch(False, lambda: answers.pop(0)) == []
            assert not await topology.exists(consumer_of(route))
            # when it is gone though the route is behind, then it is made again
            assert await watch.watch(False, lambda: answers.pop(0)) == [consumer_of(route).name]
            assert await topology.exists(consumer_of(route))

    asyncio.run(scenario())


def test_a_deleted_stream_is_made_again_by_the_watch(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, topology):
            await topology.consumer(CONSUMER)
            await client.jetstream().delete_stream(EVENTS)
            assert await patiently(lambda: topology.watch(CONSUMER)) is True
            await fill(client, 1)
            assert await take(client, 1) == [1]

    asyncio.run(scenario())


def test_a_stream_of_somebody_else_is_left_alone(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, topology):
            jetstream = client.jetstream()
            await jetstream.add_stream(StreamConfig(name="THEIRS", subjects=["theirs.>"], max_msgs=7))
            await topology.streams()
            assert (await jetstream.stream_info("THEIRS")).config.max_msgs == 7
            await jetstream.delete_stream("THEIRS")
            with pytest.raises(NotFoundError):
                await jetstream.stream_info("THEIRS")

    asyncio.run(scenario())


def test_a_pause_is_kept_and_seen_by_all(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, topology), connected(nats_url) as other:
            here, there = NatsWatch(client, topology), NatsWatch(other, Topology(other, 1, RETENTION))
            assert await there.paused() == frozenset()
            await here.pause("stock", True)
            await here.pause("goods", True)
            assert await there.paused() == {"stock", "goods"}
            await there.pause("stock", False)
            assert await here.paused() == {"goods"}

    asyncio.run(scenario())
