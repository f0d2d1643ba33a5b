"""Backfills on NATS: their records, and the past events that they read; see `crossdock.pipeline.backfill`."""

from dataclasses import replace
from datetime import datetime

from nats.aio.client import Client
from nats.js.api import DeliverPolicy
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError

from crossdock.adapters.consumers import consumers, feed_of
from crossdock.adapters.pages import READING, read
from crossdock.adapters.topology import POSITIONS
from crossdock.adapters.watch import consumer_of, told
from crossdock.kernel import jsontext
from crossdock.kernel.stream import EVENTS, Message
from crossdock.pipeline.backfill import LOT, Backfill
from routes.spec import Route


class NatsBackfills:
    """The record of a route's last backfill stands beside the positions of consumers."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def get(self, route: str) -> Backfill | None:
        """See `Backfills.get`."""
        with told():
            try:
                bucket = await self._client.jetstream().key_value(POSITIONS)
                found = await bucket.get(_place(route))
            except KeyNotFoundError:
                return None
        return Backfill(**jsontext.own_loads(found.value or b""), version=found.revision or 0)

    async def put(self, backfill: Backfill) -> Backfill | None:
        """See `Backfills.put`."""
        with told():
            bucket = await self._client.jetstream().key_value(POSITIONS)
            text = jsontext.dumps(backfill.as_dict())
            try:
                version = await bucket.update(_place(backfill.route), text, last=backfill.version)
            except KeyWrongLastSequenceError:
                return None
        return replace(backfill, version=version)

    async def page(self, route: Route, after: int, last: int) -> list[Message]:
        """See `Past.page`."""
        subjects = [f"event.{type_}" for type_ in route.types]
        config = READING.evolve(deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=after + 1)
        messages = (
            await read(self._client, EVENTS, config.evolve(filter_subjects=subjects), LOT) if after < last else []
        )
        return [message for message in messages if message.seq <= last]

    async def unread(self, route: Route) -> int:
        """See `Past.unread`."""
        with told():
            present = await consumers(self._client)
        own = next((info for info in present if info.name == consumer_of(route).name), None)
        reading = own or feed_of(route, present)
        return (reading.num_pending or 0) if reading else 0

    async def since(self, moment: datetime) -> int:
        """See `Past.since`."""
        config = READING.evolve(deliver_policy=DeliverPolicy.BY_START_TIME, opt_start_time=moment)
        first = await read(self._client, EVENTS, config, 1)
        return first[0].seq if first else await self.newest() + 1

    async def newest(self) -> int:
        """See `Past.newest`."""
        with told():
            return int((await self._client.jetstream().stream_info(EVENTS)).state.last_seq)


def _place(route: str) -> str:
    return f"backfill.{route}"
