"""Projects the JOURNAL stream into the journal store."""

import asyncio
import logging
from collections.abc import Sequence

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from sqlalchemy.exc import SQLAlchemyError

from crossdock.adapters.inbox import NatsInbox
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import JOURNAL, Message
from journal.entry import unpack
from journal.store import JournalStore

log = logging.getLogger(__name__)

BATCH = 200
_IDLE = 60.0


class Projector:
    """Reads on from the store's own position, so the store can be dropped and is built again."""

    def __init__(self, client: Client, store: JournalStore) -> None:
        self._client = client
        self._store = store

    async def run(self) -> None:
        """Project until cancelled."""
        while True:
            try:
                await self._follow(await asyncio.to_thread(self._store.position))
            except (Unavailable, NatsError, SQLAlchemyError, OSError) as error:
                log.warning("journal: %s", error)
                await asyncio.sleep(1)

    async def _follow(self, position: int) -> None:
        """Project until a message is missing or the broker lost the consumer; the caller then starts again."""
        inbox = await self._consumer(position + 1)
        try:
            while True:
                messages = await inbox.fetch(BATCH, 5)
                if messages and not await self._in_sequence(position, messages):
                    raise Unavailable(f"a message after {position} got lost on the way")
                if messages:
                    entries = [line for message in messages for line in unpack(message.payload)]
                    position = messages[-1].seq
                    await asyncio.to_thread(self._store.project, entries, position)
        finally:
            await inbox.close()

    async def _in_sequence(self, position: int, messages: Sequence[Message]) -> bool:
        numbers = [message.seq for message in messages]
        if numbers[0] != position + 1:  # the stream may begin later, after its retention
            info = await self._client.jetstream().stream_info(JOURNAL)
            if numbers[0] != info.state.first_seq:
                return False
        return numbers == list(range(numbers[0], numbers[0] + len(numbers)))

    async def _consumer(self, first: int) -> NatsInbox:
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=first,
            ack_policy=AckPolicy.NONE,
            inactive_threshold=_IDLE,
            mem_storage=True,
        )
        info = await self._client.jetstream().add_consumer(JOURNAL, config)
        return await NatsInbox(self._client, JOURNAL, info.name).start()
