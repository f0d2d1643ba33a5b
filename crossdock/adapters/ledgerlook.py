"""Looks at messages of RAW and EVENTS of which the journal says nothing (yet), and finds what does not add up."""

from collections.abc import AsyncIterator, Iterable, Iterator
from urllib.parse import unquote

from nats.aio.client import Client
from nats.js.api import DeliverPolicy

from crossdock.adapters.ledgerreplays import Replays
from crossdock.adapters.pages import READING, read
from crossdock.adapters.positions import Positions, floor, start
from crossdock.kernel import event as events
from crossdock.kernel.problems import Refused
from crossdock.kernel.records import UNFIT
from crossdock.kernel.stream import CLAIM, DLQ, EVENT_ID, EVENTS, ORIGIN, RAW, SOURCE, Message
from crossdock.pipeline.recorder import now_ms
from crossdock.project import Project
from journal.book import AGAIN, BEHIND, DAY, GUESSED, OPEN, PASSED, SKIPPED, Book
from journal.ledger import Missing
from journal.marks import STATE
from routes.spec import Route

MOST = 20_000  # messages that are looked at for one answer
_LOT = 1000
_REPLAY, _EVENT = "replay.", "event."


class Look:
    """One look; `whole` looks at what is still on its way too, so that the sums are exact.

    `unread` is how many messages were too many to look at.
    """

    def __init__(self, client: Client, project: Project, book: Book, at: Positions, *, whole: bool) -> None:
        self._client = client
        self._project = project
        self._book = book
        self._at = at
        self._whole = whole
        self.unread = 0
        self._lost: dict[tuple[str, int], str] = {}
        self._replays: list[Missing] = []

    async def take(self, peeked: dict[str, int], replays: Replays) -> None:
        """Look at what nobody has told of; `peeked` says up to where that was done before, by consumer."""
        await self._raw()
        for feed in self._at.feeds:
            await self._feed(feed, peeked)
        if self._whole:
            for route in self._project.routes.values():
                await self._own(route, peeked)
                await self._behind(route)
        self._replays = await replays.gone(self._book, self._at)

    def missing(self) -> list[Missing]:
        """Return what does not add up, without the ids."""
        return [*self._raw_gaps(), *self._route_gaps(), *self._not_stored(), *self._letters_gone(), *self._replays]

    async def _raw(self) -> None:
        stored = self._book.stored[RAW]
        last = stored.last if self._whole else min(stored.last, self._at.processed)
        unsaid = (seq for seq in self._book.raw.unsaid(stored.first, last) if not stored.misses(seq))
        async for message in messages(self._client, RAW, unsaid, headers_only=True):
            if ORIGIN in message.headers:
                self._book.copy(message.seq)
            else:
                self._book.know(message.seq, message.subject.split(".", 2)[2], int(message.time * 1000))

    async def _feed(self, feed: str, peeked: dict[str, int]) -> None:
        """Look at what a feed has not told of: it must have, up to its floor."""
        stored, info = self._book.stored[EVENTS], self._at.feeds[feed]
        done, first = min(floor(info), stored.last), max(start(info), stored.first)
        unsaid = self._unsaid(feed, first, done)
        async for message in messages(self._client, EVENTS, unsaid):
            self._told_or_lost(feed, message)
        if not self._whole:
            return
        ahead = self._some(self._unsaid(feed, max(done + 1, first, peeked.get(feed, 0) + 1), stored.last))
        async for message in messages(self._client, EVENTS, ahead):
            self._guess(feed, message)
        peeked[feed] = ahead[-1] if self.unread else stored.last

    def _unsaid(self, feed: str, first: int, last: int) -> Iterator[int]:
        stored, looked = self._book.stored[EVENTS], self._book.looked_at(feed)
        return (seq for seq in looked.unsaid(first, last) if not stored.misses(seq))

    def _told_or_lost(self, feed: str, message: Message) -> None:
        routes = self._routes(feed, message)
        untold = [route for route in routes if self._book.state(route.name, message.seq) in (0, GUESSED)]
        reached = [route for route in untold if not self._at.readings[route.name].waits_own(message.seq)]
        for route in untold:
            if route in reached:
                self._lost[route.name, message.seq] = events_id(message)
            else:
                self._guess_for(route, message)
        if not reached:
            self._book.pass_by(feed, message.seq)

    def _guess(self, feed: str, message: Message) -> None:
        routes = self._routes(feed, message)
        for route in routes:
            self._guess_for(route, message)
        if not routes:
            self._book.pass_by(feed, message.seq)

    def _guess_for(self, route: Route, message: Message) -> None:
        if not self._book.state(route.name, message.seq) and self._wants(route, message):
            self._book.set(route.name, message.seq, GUESSED, int(message.time * 1000))

    def _routes(self, feed: str, message: Message) -> list[Route]:
        """Return the routes that a feed must hand a message to, if they want it."""
        if ORIGIN in message.headers or not message.subject.startswith(_EVENT):
            return []
        carries, seq, subject = self._book.carries[feed], message.seq, message.subject
        routes = (one for one in self._project.routes_for(subject.removeprefix(_EVENT)) if one.name in carries)
        return [one for one in routes if seq >= self._at.readings[one.name].begins(one.name, subject)]

    async def _own(self, route: Route, peeked: dict[str, int]) -> None:
        """Look at what a route takes of the time before its feed took it on."""
        own, stored = self._at.readings[route.name].own, self._book.stored[EVENTS]
        if own is None:
            return
        begins = max(self._at.readings[route.name].begins(route.name, _EVENT + kind) for kind in route.types)
        first, last = max(start(own), floor(own) + 1, stored.first), min(begins - 1, stored.last)
        place = f"{own.name}/{start(own)}"
        first = max(first, peeked.get(place, 0) + 1)
        ahead = self._some(seq for seq in range(first, last + 1) if not self._book.state(route.name, seq))
        async for message in messages(self._client, EVENTS, ahead):
            taken = {_EVENT + kind for kind in route.types}
            if message.subject in taken and ORIGIN not in message.headers:
                self._guess_for(route, message)
        peeked[place] = ahead[-1] if self.unread else last

    async def _behind(self, route: Route) -> None:
        """Look at what a route will see through its own consumer, where it does not take all of its types."""
        marks, stored = self._book.routes.get(route.name), self._book.stored[EVENTS]
        if marks is None or (route.when is None and route.sample >= 1):
            return
        behind = self._some(seq for seq, state in marks.open(stored.first, stored.last) if state == BEHIND)
        async for message in messages(self._client, EVENTS, behind):
            state = OPEN if self._wants(route, message) else PASSED
            self._book.set(route.name, message.seq, state, int(message.time * 1000))

    def _some(self, seqs: Iterable[int]) -> list[int]:
        found = list(seqs)
        self.unread += max(0, len(found) - MOST)
        return found[:MOST]

    def _wants(self, route: Route, message: Message) -> bool:
        if CLAIM in message.headers:
            return True  # until it has looked
        try:
            return self._project.wants(route, events.restore(message.payload), message.headers.get(SOURCE, ""))
        except (Refused, *UNFIT):
            return True  # it will become a dead letter of this route

    def _raw_gaps(self) -> Iterator[Missing]:
        stored = self._book.stored[RAW]
        for seq, value in self._book.raw.open(stored.first, min(stored.last, self._at.processed)):
            day = self._book.day(RAW, seq)
            if value & STATE != AGAIN:
                yield Missing(RAW, seq, self._book.source_of(value), "", "no outcome was recorded", day)

    def _route_gaps(self) -> Iterator[Missing]:
        stored = self._book.stored[EVENTS]
        for name, marks in self._book.routes.items():
            for seq, state in list(marks.open(stored.first, self._reached(name))):
                if state != AGAIN and not self._waits(name, seq, state):
                    self._lost.setdefault((name, seq), "")
        for (name, seq), id_ in self._lost.items():
            if self._book.state(name, seq) in (0, GUESSED):
                self._book.set(name, seq, OPEN, now_ms())
            yield Missing(EVENTS, seq, "", name, "no outcome was recorded", self._book.day(EVENTS, seq), id_)

    def _reached(self, name: str) -> int:
        """Return up to where a route may be done."""
        reading, last = self._at.readings.get(name), self._book.stored[EVENTS].last
        if reading and reading.feed:
            last = min(last, floor(reading.feed))
        return min(last, max(floor(reading.own), start(reading.own) - 1)) if reading and reading.own else last

    def _waits(self, name: str, seq: int, state: int) -> bool:
        """Tell whether an event of a route without an outcome has one to come."""
        reading = self._at.readings.get(name)
        if reading is None:  # the content has it no more
            if state != OPEN and name not in self._at.leaving:
                self._book.set(name, seq, SKIPPED, now_ms())
                return True
            return name in self._at.leaving
        if state == GUESSED and not reading.waits(seq):
            self._book.set(name, seq, 0, now_ms())
            return True
        return reading.waits(seq)

    def _not_stored(self) -> Iterator[Missing]:
        book = self._book
        for (stream, seq), lost in list(book.doubtful.items()):
            if book.stored[stream].has(seq) or lost.at <= book.kept[stream]:
                del book.doubtful[stream, seq]
            else:
                yield Missing(stream, seq, lost.of, "", lost.why, lost.at // DAY, lost.id)

    def _letters_gone(self) -> Iterator[Missing]:
        book = self._book
        for (route, seq), (ref, lost) in list(book.letters.items()):
            if book.stored[DLQ].has(ref) or lost.at <= book.kept[DLQ]:
                del book.letters[route, seq]
                continue
            day = book.day(EVENTS if route else RAW, seq)
            yield Missing(DLQ, ref, "" if route else lost.of, route, lost.why, day, lost.id)


async def messages(
    client: Client, stream: str, seqs: Iterable[int], *, headers_only: bool = False
) -> AsyncIterator[Message]:
    """Yield those of some messages that are there; `seqs` are in order."""
    for lot in _lots(seqs):
        begin = {"deliver_policy": DeliverPolicy.BY_START_SEQUENCE, "opt_start_seq": lot[0]}
        config = READING.evolve(**begin, headers_only=headers_only)
        wanted = set(lot)
        for message in await read(client, stream, config, lot[-1] - lot[0] + 1, whole=False):
            if message.seq in wanted:
                yield message


def events_id(message: Message) -> str:
    """Return the id of a message's event; of a canonical one whose body is large, or none, it is not known."""
    if EVENT_ID in message.headers:
        return unquote(message.headers[EVENT_ID])
    try:
        return "" if CLAIM in message.headers else events.restore(message.payload).id
    except UNFIT:
        return ""


def _lots(seqs: Iterable[int]) -> Iterator[list[int]]:
    """Yield sequences in lots that lie near enough to be read at once."""
    lot: list[int] = []
    for seq in seqs:
        if lot and seq - lot[0] >= _LOT:
            yield lot
            lot = []
        lot.append(seq)
    if lot:
        yield lot
