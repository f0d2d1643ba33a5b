"""What has reached connectors, on NATS: one entry of a bucket each, kept as long as events are."""

import asyncio
from collections.abc import Sequence

from nats.aio.client import Client
from nats.js.errors import KeyNotFoundError

from crossdock.adapters.topology import ARRIVED
from crossdock.adapters.watch import told
from crossdock.pipeline.parking import key_mark
from routes.match import Reference


class NatsArrivals:
    """See `crossdock.pipeline.awaited.Arrivals`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def put(self, connector: str, arrived: Sequence[Reference]) -> None:
        """See `Arrivals.put`."""
        with told():
            bucket = await self._client.jetstream().key_value(ARRIVED)
            await asyncio.gather(*(bucket.put(_place(connector, reference), b"") for reference in arrived))

    async def has(self, connector: str, reference: Reference) -> bool:
        """See `Arrivals.has`."""
        with told():
            try:
                bucket = await self._client.jetstream().key_value(ARRIVED)
                await bucket.get(_place(connector, reference))
            except KeyNotFoundError:
                return False
        return True


def _place(connector: str, reference: Reference) -> str:
    return f"{connector}.{key_mark(f'{reference.type}/{reference.key}')}"
