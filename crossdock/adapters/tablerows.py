"""The rows of lookup tables that are made of events, in a bucket on NATS."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError

from crossdock.adapters.inbox import NatsInbox
from crossdock.adapters.nats import hand_out
from crossdock.adapters.topology import LOOKUPS
from crossdock.kernel import jsontext
from crossdock.kernel.problems import Unavailable
from crossdock.pipeline.parking import key_mark
from crossdock.pipeline.tables import FedRow

log = logging.getLogger(__name__)

BATCH = 500
AWAY = 1.0
_STREAM = f"KV_{LOOKUPS}"
_IDLE = 60.0

Apply = Callable[[list[FedRow]], None]


class NatsRows:
    """See `crossdock.pipeline.tables.Rows`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def put(self, table: str, rows: Sequence[FedRow]) -> None:
        """See `Rows.put`."""
        latest = {row.key: row for row in sorted(rows, key=lambda row: row.age)}
        try:
            bucket = await self._client.jetstream().key_value(LOOKUPS)
            await asyncio.gather(*(_put(bucket, f"{table}.{key_mark(row.key)}", row) for row in latest.values()))
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error

    async def follow(self, table: str, apply: Apply, whole: asyncio.Event) -> None:
        """See `Rows.follow`."""
        reader = _Reader(self._client, table, apply, whole)
        while True:
            try:
                await reader.hear()
            except (Unavailable, NatsError, OSError) as error:
                log.warning("lookup table %s: %s", table, error)
                await asyncio.sleep(AWAY)


class _Reader:
    """Reads on where the last consumer ended; the broker forgets its consumers when it is killed."""

    def __init__(self, client: Client, table: str, apply: Apply, whole: asyncio.Event) -> None:
        self._client = client
        self._subject = f"$KV.{LOOKUPS}.{table}.>"
        self._apply = apply
        self._whole = whole
        self._position = 0
        self._born: Any = None

    async def hear(self) -> None:
        """Hand over rows until the consumer is gone or a message got lost.

        Raises:
            Unavailable: that is so.
        """
        jetstream = self._client.jetstream()
        born = (await jetstream.stream_info(_STREAM)).created
        if born != self._born:  # a bucket made anew counts from 1 again
            self._born, self._position = born, 0
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=self._position + 1,
            filter_subject=self._subject,
            ack_policy=AckPolicy.NONE,
            inactive_threshold=_IDLE,
            mem_storage=True,
        )
        info = await jetstream.add_consumer(_STREAM, config)
        inbox = await NatsInbox(self._client, _STREAM, info.name).start()
        try:
            await self._read(inbox, info.num_pending or 0)
        finally:
            await inbox.close()

    async def _read(self, inbox: NatsInbox, present: int) -> None:
        taken = 0
        while True:
            if taken >= present:
                self._whole.set()
            messages = await inbox.fetch(BATCH, 5)
            if not messages:
                continue
            taken += len(messages)
            if hand_out(messages[-1].handle) != taken:  # as the broker counts them
                raise Unavailable("messages got lost on the way")
            self._apply([FedRow(*jsontext.own_loads(message.payload)) for message in messages])
            self._position = messages[-1].seq


async def _put(bucket: Any, place: str, row: FedRow) -> None:
    value = jsontext.dumps(list(row))
    while True:
        try:
            try:
                present = await bucket.get(place)
            except KeyNotFoundError:
                await bucket.create(place, value)
                return
            if FedRow(*jsontext.own_loads(present.value)).age < row.age:
                await bucket.update(place, value, last=present.revision)
            return
        except KeyWrongLastSequenceError:  # another worker was quicker: look again at what it stored
            continue
