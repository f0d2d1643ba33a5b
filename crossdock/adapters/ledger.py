"""The ledger of a running installation: sums that are carried on, and the proof from the streams alone.

What the journal tells comes from the projection, which reads it anyway; of RAW, EVENTS and DLQ only the broker's own
account is looked at, and the messages nobody told of. Where a stream lost what it had, all of it is read anew.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from nats.aio.client import Client
from nats.errors import Error as NatsError

from crossdock.adapters import ledgersums
from crossdock.adapters.ledgerlook import Look, events_id, messages
from crossdock.adapters.ledgersums import ChangedError, Sums, Tell, nobody
from crossdock.adapters.positions import positions
from crossdock.adapters.projector import Told
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import EVENTS, RAW
from crossdock.project import Project
from journal.ledger import Ledger, Missing, ledger_of

log = logging.getLogger(__name__)

EVERY = 5.0  # seconds from look to look
GRACE = 60.0  # seconds that something must be missing before it is told as a gap
PATIENCE = 60.0  # seconds for an answer
MOST_NAMED = 10_000  # of what does not add up
_HEARD = 100_000  # entries that wait for the end of a look; those beyond are read by the next


class Ledgers:
    """The running ledger; `keep` says how many seconds each stream keeps what it is given."""

    def __init__(
        self, client: Client, project: Callable[[], Project], keep: Mapping[str, float], grace: float = GRACE
    ) -> None:
        self._client = client
        self._project = project
        self._keep = keep
        self._grace = grace
        self._lock, self._proving = asyncio.Lock(), asyncio.Lock()
        self._sums: Sums | None = None
        self._looking = False
        self._heard: list[Told] = []
        self._read: dict[str, tuple[int, int]] = {}
        self._noticed: dict[Missing, float] = {}
        self._begun = 0.0
        self.latest: Ledger | None = None

    async def run(self) -> None:
        """Carry the sums on until cancelled."""
        while True:
            try:
                await self._look(whole=False)
            except Unavailable as error:
                log.warning("ledger: %s", error)
            await asyncio.sleep(EVERY)

    def hear(self, told: Told) -> None:
        """Take what messages of JOURNAL say that follow each other, so that they are not read twice."""
        if self._looking:
            if sum(len(lines) for lot in self._heard for _, lines in lot) < _HEARD:
                self._heard.append(told)
        elif self._sums is not None and told[0][0] <= self._sums.position + 1:
            for seq, lines in told:
                if seq > self._sums.position:  # a look reads on to the end, and so further than the projection is
                    self._sums.book.tell(lines)
                    self._sums.position = seq

    async def now(self) -> Ledger:
        """Return the ledger as of now, with all that is under way.

        Raises:
            Unavailable: the broker does not answer, or the sums, which are made once at the start, are not there yet.
        """
        look = asyncio.ensure_future(self._look(whole=True))
        try:
            return await asyncio.wait_for(asyncio.shield(look), PATIENCE)
        except TimeoutError:
            look.add_done_callback(lambda done: done.cancelled() or done.exception())
            read = ", ".join(f"{stream} {at:,} of {last:,}" for stream, (at, last) in self._read.items())
            raise Unavailable(f"the ledger is still reading the streams: {read}") from None

    async def deep(self, tell: Tell = nobody) -> Ledger:
        """Return the ledger proved from the streams alone; `tell` is told of what stream how much of it was read.

        One proof is made at a time, as each holds all that it reads.

        Raises:
            Unavailable: the broker does not answer.
        """
        async with self._proving:
            return await self._proved(tell)

    async def _proved(self, tell: Tell) -> Ledger:
        try:
            while True:
                sums = await ledgersums.from_nothing(self._client, self._project(), self._keep, tell)
                try:
                    return await self._ledger(sums, {}, whole=True)
                except ChangedError as error:
                    log.warning("ledger: %s; read again", error)
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error

    async def _look(self, *, whole: bool) -> Ledger:
        async with self._lock:
            self._looking = True
            try:
                self.latest = await self._carried_on(whole)
            except (NatsError, OSError) as error:
                raise Unavailable(f"nats: {type(error).__name__}") from error
            finally:
                self._looking = False
                heard, self._heard = self._heard, []
                for one in heard:
                    self.hear(one)
            return self.latest

    async def _carried_on(self, whole: bool) -> Ledger:
        while True:
            if self._sums is None:
                self._sums = await ledgersums.from_nothing(self._client, self._project(), self._keep, self._tell)
            try:
                return await self._ledger(self._sums, self._noticed, whole=whole)
            except ChangedError as error:
                log.warning("ledger: %s; the sums are made anew", error)
                self._sums = None

    async def _ledger(self, sums: Sums, noticed: dict[Missing, float], *, whole: bool) -> Ledger:
        """Look at positions first, then at what was recorded, then at what is stored.

        In this order whatever happens meanwhile counts as in progress, never as missing.
        """
        project, book = self._project(), sums.book
        at = await positions(self._client, project)
        book.takes, book.carries = at.takes(), at.carries()
        if sums.revision != project.revision:
            sums.revision = project.revision
            sums.peeked.clear()
        await ledgersums.read_on(self._client, sums)
        await ledgersums.compare(self._client, sums)
        look = Look(self._client, project, book, at, whole=whole)
        await look.take(sums.peeked, sums.replays)
        missing = look.missing()
        named = await self._named(missing[:MOST_NAMED])
        old = self._old(missing, noticed)
        self._begun = self._begun or time.monotonic()
        young = len(old) < len(missing) and time.monotonic() - self._begun < self._grace
        return replace(ledger_of(book, named, len(missing), old, look.unread), young=young)

    def _tell(self, stream: str, at: int, last: int) -> None:
        self._read[stream] = at, last

    def _old(self, missing: Sequence[Missing], noticed: dict[Missing, float]) -> list[Missing]:
        """Return what has been missing for longer than the grace; `noticed` says since when what is missing is."""
        now = time.monotonic()
        keys = [item._replace(event_id="", day=0) for item in missing]
        since = {key: noticed.get(key, now) for key in keys}
        noticed.clear()
        noticed.update(since)
        return [item for key, item in zip(keys, missing, strict=True) if now - since[key] >= self._grace]

    async def _named(self, missing: Sequence[Missing]) -> list[Missing]:
        """Return what is missing with the ids that the messages have."""
        ids: dict[tuple[str, int], str] = {}
        for stream in (RAW, EVENTS):
            nameless = sorted({item.seq for item in missing if item.stream == stream and not item.event_id})
            async for message in messages(self._client, stream, nameless, headers_only=stream == RAW):
                ids[stream, message.seq] = events_id(message)
        return [item._replace(event_id=item.event_id or ids.get((item.stream, item.seq), "")) for item in missing]
