"""Consumers of the worker and paused routes, on NATS; see `crossdock.worker.Watch`."""

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import NoKeysError

from crossdock.adapters.faststream import CONTROL_SUBJECT
from crossdock.adapters.topology import CONTROL, PROCESS_CONSUMER, Consumer, Topology, route_consumer
from crossdock.kernel.problems import Unavailable
from routes.spec import Route


class NatsWatch:
    """See `crossdock.worker.Watch`."""

    def __init__(self, client: Client, topology: Topology) -> None:
        self._client = client
        self._topology = topology

    async def prepare(self, route: Route | None) -> None:
        """See `Watch.prepare`."""
        await self._topology.consumer(consumer_of(route))

    async def watch(self, route: Route | None) -> bool:
        """See `Watch.watch`."""
        return await self._topology.watch(consumer_of(route))

    async def paused(self) -> frozenset[str]:
        """See `Watch.paused`."""
        try:
            bucket = await self._client.jetstream().key_value(CONTROL)
            keys = await bucket.keys()
        except NoKeysError:
            return frozenset()
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error
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


def consumer_of(route: Route | None) -> Consumer:
    """Return the consumer of a route, or of the process step."""
    return PROCESS_CONSUMER if route is None else route_consumer(route.name, route.types)
