"""The shared consumers on the real broker: no route loses its place, whoever carries it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.breaker import Breaker
from crossdock.adapters.consumers import Consumer, feed_consumer, route_consumer
from crossdock.adapters.inbox import PULL_BYTES, NatsInbox
from crossdock.adapters.log import Acks, NatsLog
from crossdock.adapters.memory import MemoryLog
from crossdock.adapters.topology import Topology
from crossdock.adapters.watch import NatsBacklogs, NatsWatch
from crossdock.kernel.event import Event, encode_structured
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.stream import EVENTS, Record
from crossdock.pipeline.attempts import Attempts
from crossdock.pipeline.feed import Feed
from crossdock.pipeline.gate import Gate
from crossdock.pipeline.lane import Lane
from crossdock.pipeline.recorder import Recorder
from routes.spec import Route
from tests.pipeline.scene import QUICK, Target
from tests.realservers import clean, until
from tests.smallproject import project

Broker = Callable[[Any, Topology], Any]


def on_broker(url: str, act: Broker) -> None:
    async def scenario() -> None:
        async with clean(url) as (client, topology):
            await act(client, topology)

    asyncio.run(scenario())


async def put(client: Any, *records: Record) -> None:
    acks = Acks(client)
    await acks.start()
    await NatsLog(acks).append_all(records)
    await acks.close()


def kinds(*names: str) -> list[Record]:
    return [Record(f"event.kind.{name}", b"{}", f"{name}{number}") for number, name in enumerate(names)]


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Route, Route]:
    base = project(tmp_path).routes["stock"]
    first, second = (replace(base, name=name, types=(f"kind.{name}",)) for name in "ab")
    return first, second


async def pending(client: Any, name: str) -> int:
    return int((await client.jetstream().consumer_info(EVENTS, name)).num_pending)


def test_a_feed_that_is_there_stays_as_it_is(nats_url: str, pair: tuple[Route, Route]) -> None:
    a, b = pair

    async def act(client: Any, topology: Topology) -> None:
        # given a feed that carries one route
        await topology.feeds([feed_consumer(1, 3, [a])])
        # when another worker would have it carry another
        await topology.feeds([feed_consumer(1, 3, [b])])
        # then only its own worker may change that, which knows the place of each route
        assert await NatsWatch(client, topology, 1, 3).carried() == {"a"}

    on_broker(nats_url, act)


def test_a_feed_says_from_where_it_is_sure_to_bring_what_it_took_up(nats_url: str, pair: tuple[Route, Route]) -> None:
    a, b = pair

    async def act(client: Any, topology: Topology) -> None:
        # given a feed that has passed events of another route
        watch = NatsWatch(client, topology)
        await watch.prepare({0: [a]})
        await put(client, *kinds(*"bab"))
        inbox = await NatsInbox(client, EVENTS, feed_consumer(0, 1, ()).name).start()
        assert [m.seq for m in await inbox.fetch(10, 2)] == [2]
        # when it takes that up
        assert await watch.carry([a, b], {"b": 2}) == 3
        await put(client, Record("event.kind.b", b"{}", "later"))
        # then
        assert [m.seq for m in await inbox.fetch(10, 2)][-1] == 4
        known = (await client.jetstream().consumer_info(EVENTS, feed_consumer(0, 1, ()).name)).config.metadata
        assert (known["event.kind.b"], known["replay.b"]) == ("4", "2")
        assert await watch.carried() == {"a", "b"}

    on_broker(nats_url, act)


def test_a_change_of_seats_repeats_nothing_that_a_healthy_seat_had_done(
    nats_url: str, pair: tuple[Route, Route]
) -> None:
    a, b = pair

    async def act(client: Any, topology: Topology) -> None:
        before = [feed_consumer(1, 3, [a]), feed_consumer(2, 3, [b])]
        await topology.feeds(before)
        await put(client, *kinds(*"ab" * 100))
        two = await NatsInbox(client, EVENTS, before[1].name).start()
        done = 0
        while done < 100:
            two.ack(got := await two.fetch(200, 2))
            done += len(got)
        await client.flush()
        after = [feed_consumer(1, 4, [a]), feed_consumer(2, 4, [b])]
        await topology.feeds(after)
        assert [await pending(client, consumer.name) for consumer in after] == [100, 0]

    on_broker(nats_url, act)


def test_a_backlog_that_vanishes_at_once_begins_again_where_it_was(nats_url: str, pair: tuple[Route, Route]) -> None:
    route = pair[0]
    consumer = route_consumer(route.name, route.types)

    async def act(client: Any, topology: Topology) -> None:
        await put(client, *kinds(*"aaaaa"))
        watch, backlogs = NatsWatch(client, topology), NatsBacklogs(client, topology)
        await backlogs.drop(route, await backlogs.open(route, 3))
        inbox = await backlogs.open(route, 3)
        await client.jetstream().delete_consumer(EVENTS, consumer.name)
        assert await watch.watch(False, lambda: [route]) == [consumer.name]
        async with asyncio.timeout(10):
            assert [m.seq for m in await inbox.fetch(10, 9)] == [3, 4, 5]

    on_broker(nats_url, act)


def test_a_backlog_of_large_events_does_not_cut_the_reader_off(nats_url: str, pair: tuple[Route, Route]) -> None:
    route = pair[0]
    consumer = route_consumer(route.name, route.types)
    number = 200  # of half a MiB: more than the server lets a client have waiting

    async def act(client: Any, topology: Topology) -> None:
        await topology.consumer(consumer, 1)
        await put(client, *[Record("event.kind.a", bytes(1 << 19), str(n)) for n in range(number)])
        inbox = await NatsInbox(client, EVENTS, consumer.name).start()
        got: list[int] = []
        async with asyncio.timeout(30):
            while len(got) < number:
                messages = await inbox.fetch(1000, 5)
                assert sum(len(m.payload) for m in messages) <= 2 * PULL_BYTES
                got += [m.seq for m in messages]
                inbox.ack(messages)
        assert got == list(range(1, number + 1))

    on_broker(nats_url, act)


async def successor(
    client: Any, topology: Topology, consumer: Consumer, targets: dict[str, Target], routes: list[Route]
) -> tuple[Feed, list[Lane]]:
    """Return the delivery of a worker that begins, with memory for all streams but EVENTS."""
    log, backlogs, metrics = MemoryLog(), NatsBacklogs(client, topology), Metrics()
    recorder = Recorder(log)
    inbox = await NatsInbox(client, EVENTS, consumer.name).start()
    lanes = []
    for route in routes:
        gate = Gate(Breaker(0.5, 30, clock=lambda: 0.0), 0, 1000)
        attempts = Attempts(route, targets[route.name], gate, log, recorder, metrics, "rev")
        lanes.append(Lane(route, attempts, backlogs, await backlogs.find(route)))
    return Feed(inbox, await inbox.position(), lanes, recorder, consumer.name, "rev"), lanes


def test_what_a_killed_worker_had_in_hand_is_not_lost_for_a_paused_route(nats_url: str, tmp_path: Path) -> None:
    base = replace(project(tmp_path).routes["stock"], order_by=None, when=None, retry=QUICK)
    routes = [replace(base, name=name) for name in ("first", "second")]

    def sale(id_: str) -> Record:
        return Record(
            "event.inventory.sold", encode_structured(Event(id_, "/t", "inventory.sold", {"location": 1})), id_
        )

    async def act(client: Any, topology: Topology) -> None:
        # given a worker that was killed with `a` in hand
        consumer = feed_consumer(0, 1, routes)
        await topology.feeds([consumer])
        await put(client, sale("a"))
        dead = await NatsInbox(client, EVENTS, consumer.name).start()
        assert len(await dead.fetch(10, 2)) == 1
        await dead.close()
        # and its successor, with one of two routes paused
        targets = {route.name: Target() for route in routes}
        feed, lanes = await successor(client, topology, consumer, targets, routes)
        lanes[0].pause(True)
        parts: list[Feed | Lane] = [feed, *lanes]
        running = [asyncio.create_task(part.run()) for part in parts]
        # when another event comes before the broker's patience with the dead worker ends
        await put(client, sale("b"))
        await until(lambda: sorted(targets["second"].arrived) == ["a", "b"], within=15)
        lanes[0].pause(False)
        # then
        await until(lambda: sorted(targets["first"].arrived) == ["a", "b"], within=15)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    on_broker(nats_url, act)
