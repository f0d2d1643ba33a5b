"""Projects the JOURNAL stream into the journal store."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError
from sqlalchemy.exc import SQLAlchemyError

from crossdock.adapters.inbox import NatsInbox
from crossdock.adapters.sieve import Sieve, is_of_data
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import JOURNAL, Message
from crossdock.pipeline.unreadable import Unreadable, readable
from journal.entry import Entry
from journal.store import JournalStore

log = logging.getLogger(__name__)

BATCH = 200
MOST_ENTRIES = 5_000  # in one transaction
PACE, PACE_PER_ENTRY, MOST_PACE = 0.1, 0.001, 1.0  # seconds from lot to lot under load
FORGET_EVERY = 600.0  # seconds
_IDLE = 60.0
NAMED = 10  # entries of a message that were left out

Told = Sequence[tuple[int, Sequence[Entry]]]  # messages by sequence, in order, and the entries in them
Hear = Callable[[Told], None]
Lot = list[tuple[Message, list[Entry] | str]]


class Projector:
    """Reads on from the store's own position, so the store can be dropped and is built again.

    Days that ended `keep` seconds ago are deleted; nothing but the projection waits for that. `hear` is told each lot
    before it is stored. A message that cannot be read, and an entry that cannot be stored, is noted and stepped over.
    """

    def __init__(
        self, client: Client, store: JournalStore, keep: float, unreadable: Unreadable, hear: Hear = lambda _: None
    ) -> None:
        self._client = client
        self._store = store
        self._sieve = Sieve(store)
        self._keep = keep
        self._unreadable = unreadable
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
                for lot in lots(messages):
                    taken += await self._lot(lot)
                    position = lot[-1][0].seq
                if len(messages) < BATCH:  # what comes after an idle time is never kept waiting
                    await asyncio.sleep(begun + pause(taken) - time.monotonic())
        finally:
            await inbox.close()

    async def _lot(self, lot: Lot) -> int:
        """Store the entries of a lot, and return how many."""
        told = [(message.seq, [] if isinstance(lines, str) else lines) for message, lines in lot]
        for message, lines in lot:
            if isinstance(lines, str):
                await self._unreadable.note(message, lines)
        self._hear(told)
        entries = list(chain.from_iterable(lines for _, lines in told))
        try:
            await asyncio.to_thread(self._store.project, entries, told[-1][0])
        except Exception as error:
            if not is_of_data(error):
                raise
            await self._without_refused(lot, entries)
        else:
            self._sieve.row = 0 if entries else self._sieve.row
        return len(entries)

    async def _without_refused(self, lot: Lot, entries: Sequence[Entry]) -> None:
        """Store the entries of a lot that the store takes, and name those that it refuses."""
        refused = await asyncio.to_thread(self._sieve.refused, entries)
        first = 0
        for message, lines in lot:
            places = [place for place in range(first, first + len(lines)) if place in refused]
            if places and not isinstance(lines, str):
                await self._unreadable.note(message, _why([place - first for place in places], refused[places[0]]))
            first += 0 if isinstance(lines, str) else len(lines)
        taken = [line for place, line in enumerate(entries) if place not in refused]
        await asyncio.to_thread(self._store.project, taken, lot[-1][0].seq)

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


def lots(messages: Sequence[Message]) -> Iterator[Lot]:
    """Yield messages in lots, each message with its entries or with why it has none that can be read."""
    lot: Lot = []
    count = 0
    for message in messages:
        lines = readable(message)
        lot.append((message, lines))
        count += 0 if isinstance(lines, str) else len(lines)
        if count >= MOST_ENTRIES or message is messages[-1]:
            yield lot
            lot, count = [], 0


def _why(places: Sequence[int], error: str) -> str:
    named = ", ".join(str(place + 1) for place in places[:NAMED])
    more = f" and {len(places) - NAMED} more" if len(places) > NAMED else ""
    return f"the store refuses entry {named}{more} of it: {error}"
