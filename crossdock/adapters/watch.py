"""The consumers of a worker and paused routes, on NATS; see `crossdock.worker.Watch`."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import NoKeysError

from crossdock.adapters.consumers import (
    CALLBACKS_CONSUMER,
    FEED,
    PROCESS_CONSUMER,
    Consumer,
    carried,
    consumers,
    feed_consumer,
    filters,
    route_consumer,
)
from crossdock.adapters.inbox import NatsInbox
from crossdock.adapters.topology import CONTROL, CONTROL_SUBJECT, REDELIVERED, Topology
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import EVENTS, Inbox
from routes.spec import Route

LOOK_EVERY = 0.05
NEVER = 2**62


class NatsWatch:
    """See `crossdock.worker.Watch`, for one seat of all."""

    def __init__(self, client: Client, topology: Topology, seat: int = 0, seats: int = 1) -> None:
        self._client = client
        self._topology = topology
        self._seat, self._seats = seat, seats
        self._own: Consumer | None = None
        self._tells = False
        self._control = 0, 0, frozenset[str]()  # state of the bucket when it was read, and what was in it

    async def prepare(self, shares: Mapping[int, Sequence[Route]]) -> None:
        """See `Watch.prepare`."""
        await self._topology.consumer(PROCESS_CONSUMER)
        await self._topology.feeds([feed_consumer(seat, self._seats, routes) for seat, routes in shares.items()])

    async def tell(self, wanted: bool) -> None:
        """See `Watch.tell`."""
        if wanted:
            await self._topology.consumer(CALLBACKS_CONSUMER)
        else:  # else the next callback would tell of all that happened until then
            await self._topology.drop(CALLBACKS_CONSUMER)
        self._tells = wanted

    async def carried(self) -> frozenset[str]:
        """See `Watch.carried`."""
        name = feed_consumer(self._seat, self._seats, ()).name
        while True:
            with told():
                found = {info.name: info for info in await consumers(self._client)}
            if name in found:
                return carried(found[name])
            await asyncio.sleep(LOOK_EVERY)  # the seat that processes makes it

    async def carry(self, routes: Sequence[Route], begins: Mapping[str, int]) -> int:
        """See `Watch.carry`."""
        self._own = own = feed_consumer(self._seat, self._seats, routes)
        with told():
            jetstream = self._client.jetstream()
            known = filters(await jetstream.consumer_info(own.stream, own.name))
            new = [subject for subject in own.subjects if subject not in known]
            if not (new or begins or set(known) - set(own.subjects)):
                return 0
            at = {f"replay.{name}": seq for name, seq in begins.items()}
            await self._topology.consumer(own, begins=dict.fromkeys(new, NEVER) | at)
            newest: int = (await jetstream.stream_info(EVENTS)).state.last_seq
            await self._topology.consumer(own, begins=dict.fromkeys(new, newest + 1) | at)
        return newest

    async def newest(self) -> int:
        """See `Watch.newest`."""
        with told():
            return int((await self._client.jetstream().stream_info(EVENTS)).state.last_seq)

    async def free(self, route: Route) -> bool:
        """See `Watch.free`."""
        own = feed_consumer(self._seat, self._seats, ()).name
        with told():
            present = await consumers(self._client)
        return not any(
            route.name in carried(info) for info in present if info.name.startswith(FEED) and info.name != own
        )

    async def watch(self, processes: bool, behind: Callable[[], Sequence[Route]]) -> list[str]:
        """See `Watch.watch`."""
        watched = [PROCESS_CONSUMER] if processes else []
        watched += [CALLBACKS_CONSUMER] if self._tells else []
        watched += [self._own] if self._own else []
        made = [consumer.name for consumer in watched if await self._topology.watch(consumer)]
        for consumer in map(consumer_of, behind()):
            if await self._topology.watch(consumer, partial(_is_behind, consumer, behind)):
                made.append(consumer.name)
        return made

    async def paused(self) -> frozenset[str]:
        """See `Watch.paused`."""
        try:
            state = (await self._client.jetstream().stream_info(f"KV_{CONTROL}")).state
            if (state.last_seq, state.messages) != self._control[:2]:  # reading makes the broker a consumer and drop it
                self._control = state.last_seq, state.messages, await self._read_paused()
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error
        return self._control[2]

    async def _read_paused(self) -> frozenset[str]:
        bucket = await self._client.jetstream().key_value(CONTROL)
        try:
            keys = await bucket.keys()
        except NoKeysError:
            return frozenset()
        return frozenset(key.removeprefix("paused.") for key in keys if key.startswith("paused."))

    async def pause(self, route: str, paused: bool) -> None:
        """Keep a route's pause for all workers and tell them."""
        try:
            bucket = await self._client.jetstream().key_value(CONTROL)
            if paused:
                await bucket.put(f"paused.{route}", b"1")
            else:
                await bucket.delete(f"paused.{route}")
            await self._client.publish(
                CONTROL_SUBJECT, b'{"look":"paused"}', headers={"content-type": "application/json"}
            )
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error


@contextmanager
def told() -> Iterator[None]:
    """Turn what the client raises into what the ports promise."""
    try:
        yield
    except (NatsError, OSError) as error:
        raise Unavailable(f"nats: {type(error).__name__}") from error


def consumer_of(route: Route) -> Consumer:
    """Return the own consumer of a route."""
    return route_consumer(route.name, route.types)


def _is_behind(consumer: Consumer, behind: Callable[[], Sequence[Route]]) -> bool:
    return consumer in map(consumer_of, behind())


class NatsBacklogs:
    """See `crossdock.pipeline.ports.Backlogs`."""

    def __init__(self, client: Client, topology: Topology) -> None:
        self._client = client
        self._topology = topology

    async def find(self, route: Route) -> Inbox | None:
        """See `Backlogs.find`."""
        if not await self._topology.exists(consumer_of(route)):
            return None
        await self._topology.consumer(consumer_of(route))  # it may be of a revision with other types
        return await self._inbox(route)

    async def exists(self, route: Route) -> bool:
        """Tell whether a route has a consumer of its own."""
        return await self._topology.exists(consumer_of(route))

    async def open(self, route: Route, since: int) -> Inbox:
        """See `Backlogs.open`."""
        await self._topology.drop(consumer_of(route))  # one that an earlier try left behind begins elsewhere
        await self._topology.consumer(consumer_of(route), since)
        return await self._inbox(route)

    async def drop(self, route: Route, inbox: Inbox | None) -> None:
        """See `Backlogs.drop`."""
        await self._topology.drop(consumer_of(route))
        if inbox is not None:
            await self.close(inbox)

    async def close(self, inbox: Inbox) -> None:
        """See `Backlogs.close`."""
        if isinstance(inbox, NatsInbox):
            await inbox.close()

    async def _inbox(self, route: Route) -> NatsInbox:
        patience = REDELIVERED if route.order_by is not None else 0
        return await NatsInbox(self._client, EVENTS, consumer_of(route).name, patience).start()
