"""The broker as the measures see it; called by the stages."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from crossdock.adapters import nats
from crossdock.adapters.log import Acks, NatsLog


class Broker:
    """A connection of the measures' own; `streams` appends."""

    def __init__(self, client: Any, streams: NatsLog) -> None:
        self.client = client
        self.streams = streams

    async def count(self, stream: str) -> int:
        """Return how many messages a stream holds."""
        return int((await self.client.jetstream().stream_info(stream)).state.messages)

    async def last(self, stream: str) -> int:
        """Return the last sequence of a stream."""
        return int((await self.client.jetstream().stream_info(stream)).state.last_seq)

    async def redelivered(self, stream: str, consumer: str) -> int:
        """Return how many messages a consumer got more than once: the broker lost patience with it."""
        info = await self.client.jetstream().consumer_info(stream, consumer)
        return int(info.delivered.consumer_seq - info.delivered.stream_seq)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Broker]:
    """Connect to the broker of a stage."""
    client = await nats.connect(url, "bench")
    acks = Acks(client)
    await acks.start()
    try:
        yield Broker(client, NatsLog(acks))
    finally:
        await acks.close()
        await client.close()
