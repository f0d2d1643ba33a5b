"""Projects the JOURNAL stream into the journal store."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError
from sqlalchemy.exc import SQLAlchemyError

from crossdock.adapters.inbox import NatsInbox
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import JOURNAL, Message
from journal.entry import Entry, unpack
from journal.store import JournalStore

log = logging.getLogger(__name__)

BATCH = 200
MOST_ENTRIES = 5_000  # in one transaction
PACE, PACE_PER_ENTRY, MOST_PACE = 0.1, 0.001, 1.0  # seconds from lot to lot under load
FORGET_EVERY = 600.0  # seconds
_IDLE = 60.0

Hear = Callable[[Sequence[Entry], int, int], None]


class Projector:
    """Reads on from the store's own position, so the store can be dropped and is built again.

    Days that ended `keep` seconds ago are deleted; nothing but the projection waits for that. `hear` gets each lot of
    entries too, with the sequences of the first and the last message they stood in.
    """

    def __init__(self, client: Client, store: JournalStore, keep: float, hear: Hear = lambda *_: None) -> None:
        self._client = client
        self._store = store
        self._keep = keep
        self._hear = hear
        self._forgot = -FORGET_EVERY

    async def run(self) -> None:
        """Project until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self._store.prepare)
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
                await self._forget()
                if not messages:
                    continue
                begun = time.monotonic()
                await self._check_sequence(position, messages)
                taken = 0
                for entries, begin, end in lots(messages):
                    self._hear(entries, begin, end)
                    await asyncio.to_thread(self._store.project, entries, end)
                    position, taken = end, taken + len(entries)
                if len(messages) < BATCH:  # what comes after an idle time is never kept waiting
                    await asyncio.sleep(begun + pause(taken) - time.monotonic())
        finally:
            await inbox.close()

    async def _forget(self) -> None:
        if time.monotonic() - self._forgot >= FORGET_EVERY:
            self._forgot = time.monotonic()
            await asyncio.to_thread(self._store.forget, int((time.time() - self._keep) * 1000))

    async def _check_sequence(self, position: int, messages: Sequence[Message]) -> None:
        """Make sure that what is missing between messages is missing in the stream too: past its retention, deleted.

        Raises:
            Unavailable: a message got lost on the way.
        """
        for message in messages:
            if message.seq != position + 1 and await self._is_stored(position + 1):
                raise Unavailable(f"a message after {position} got lost on the way")
            position = message.seq

    async def _is_stored(self, seq: int) -> bool:
        try:
            await self._client.jetstream().get_msg(JOURNAL, seq)
        except NotFoundError:
            return False
        return True

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


def pause(entries: int) -> float:
    """Return the seconds from the begin of a lot of so many entries to the next one."""
    # A transaction costs as much as 50 entries, and an entry a third less in lots of 4,000 than of 400.
    return min(MOST_PACE, PACE + entries * PACE_PER_ENTRY)


def lots(messages: Sequence[Message]) -> Iterator[tuple[list[Entry], int, int]]:
    """Yield the entries of messages in lots, each with the sequences of its first and its last message."""
    entries: list[Entry] = []
    for message in messages:
        if not entries:
            begin = message.seq
        entries += unpack(message.payload)
        if len(entries) >= MOST_ENTRIES or message is messages[-1]:
            yield entries, begin, message.seq
            entries = []
