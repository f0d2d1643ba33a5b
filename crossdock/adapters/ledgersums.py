"""Brings the sums of the ledger to where the streams are: from nothing, or from where they were; see `ledger`."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from nats.aio.client import Client

from crossdock.adapters.ledgerreplays import Replays
from crossdock.adapters.positions import positions
from crossdock.adapters.shape import Shape, shape
from crossdock.adapters.whole import read
from crossdock.kernel.stream import DLQ, EVENTS, JOURNAL, ORIGIN, RAW, Message
from crossdock.pipeline.unreadable import entries
from crossdock.project import Project
from journal.book import DAY, Book

Tell = Callable[[str, int, int], None]

_MARGIN = 60.0  # seconds for what is just being removed
_STREAMS = (DLQ, EVENTS, RAW)


class ChangedError(Exception):
    """A stream is not what was read of it."""


@dataclass(slots=True)
class Sums:
    """A book, the place in JOURNAL up to which it is written, and what was seen of the streams meanwhile.

    `keep` says how many seconds each stream keeps what it is given; `peeked` is of `Look.take`, under a `revision`.
    `replays` is what was found of them.
    """

    keep: Mapping[str, float]
    replays: Replays
    book: Book = field(default_factory=Book)
    position: int = 0
    shapes: dict[str, Shape] = field(default_factory=dict)
    peeked: dict[str, int] = field(default_factory=dict)
    revision: str = ""

    def kept(self, stream: str) -> int:
        """Return since when (Unix milliseconds) a stream must be whole; 0 for ever."""
        return int((time.time() - self.keep[stream] + _MARGIN) * 1000) if stream in self.keep else 0


def nobody(stream: str, at: int, last: int) -> None:
    """Tell nobody how far a stream was read."""


async def from_nothing(client: Client, project: Project, keep: Mapping[str, float], tell: Tell) -> Sums:
    """Read what is stored, and then what was recorded; what is stored later counts as under way."""
    sums = Sums(keep, Replays(client))
    at = await positions(client, project)
    sums.book.takes, sums.book.carries = at.takes(), at.carries()
    for stream in _STREAMS:
        sums.shapes[stream] = await shape(client, stream)
        await _read_stored(client, sums, stream, tell)
    sums.shapes[JOURNAL] = await shape(client, JOURNAL)
    await read_on(client, sums, tell)
    return sums


async def read_on(client: Client, sums: Sums, tell: Tell = nobody) -> None:
    """Read what was recorded, to the present end of JOURNAL."""
    last = (await shape(client, JOURNAL)).last
    if last <= sums.position:
        return
    async for batch in read(client, JOURNAL, after=sums.position):
        for message in batch:
            sums.book.tell(entries(message))
        sums.position = batch[-1].seq
        tell(JOURNAL, sums.position, last)
        await asyncio.sleep(0)
    sums.position = max(sums.position, last)


async def compare(client: Client, sums: Sums) -> None:
    """Follow the streams to their present ends; what was read must still be there while it is to be kept.

    Raises:
        ChangedError: it is not.
    """
    for stream in (*_STREAMS, JOURNAL):
        before, now, kept = sums.shapes[stream], await shape(client, stream), sums.kept(stream)
        sums.shapes[stream] = now
        if not now.follows(before):
            raise ChangedError(f"{stream} was {before} and is {now}")
        if stream == JOURNAL:
            sums.book.forget_repeats(kept // DAY + 1 if kept else 0)
            continue
        sums.book.kept[stream], stored = kept, sums.book.stored[stream]
        if now.first > stored.first:
            if stream != DLQ and stored.first and sums.book.day(stream, now.first - 1) > kept // DAY:
                raise ChangedError(f"{stream} begins at {now.first}")
            sums.book.trim(stream, now.first)
        stored.last = max(stored.last, now.last)


async def _read_stored(client: Client, sums: Sums, stream: str, tell: Tell) -> None:
    stored, now = sums.book.stored[stream], sums.shapes[stream]
    sums.book.kept[stream] = sums.kept(stream)
    stored.first, seq = now.first, now.first - 1
    async for batch in read(client, stream, headers_only=True):
        for message in batch:
            if message.seq > seq + 1:
                stored.holes.append((seq + 1, message.seq - 1))
            seq = message.seq
            _take(sums.book, stream, message)
        tell(stream, seq, now.last)
        await asyncio.sleep(0)
    if now.last > seq:
        stored.holes.append((seq + 1, now.last))
    stored.last = max(seq, now.last)


def _take(book: Book, stream: str, message: Message) -> None:
    if stream == RAW and ORIGIN in message.headers:
        book.copy(message.seq)
    elif stream == RAW:
        book.know(message.seq, message.subject.split(".", 2)[2], int(message.time * 1000))
    elif stream == EVENTS and ORIGIN in message.headers:
        for feed in book.takes:
            book.pass_by(feed, message.seq)
