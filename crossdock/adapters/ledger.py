"""Reads the streams for the ledger: what was stored, how far each consumer is, what was recorded."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import ConsumerInfo
from nats.js.errors import NotFoundError

from crossdock.adapters.consumers import PROCESS, ROUTE, consumers, feed_of
from crossdock.adapters.inbox import read
from crossdock.adapters.watch import consumer_of
from crossdock.kernel import event as events
from crossdock.kernel.problems import Refused, Unavailable
from crossdock.kernel.stream import CLAIM, DLQ, EVENT_ID, EVENTS, JOURNAL, ORIGIN, RAW, SOURCE, Message
from crossdock.project import Project
from journal.entry import MATCHED, MEANWHILE, Entry, unpack
from journal.ledger import Ledger, RawEvent, RoutedEvent, balance
from routes.spec import Route


async def read_ledger(client: Client, project: Project, kept_since: int) -> Ledger:
    """Prove the sums from the streams; positions first, then what was recorded, then what was stored.

    In this order whatever happens meanwhile counts as in progress, never as missing.

    Raises:
        Unavailable: the broker does not answer.
    """
    try:
        processed = await _processed(client)
        present = await _present(client)
        readings = {route.name: _Reading.of(route, present) for route in project.routes.values()}
        leaving = [info.name.removeprefix(ROUTE) for info in present if info.name.startswith(ROUTE)]
        entries = [line async for batch in read(client, JOURNAL) for m in batch for line in unpack(m.payload)]
        letters = frozenset([m.seq async for batch in read(client, DLQ, headers_only=True) for m in batch])
        told = _Told(entries)
        routed = [
            _routed(message, project, readings, told, leaving)
            async for batch in read(client, EVENTS)
            for message in batch
            if ORIGIN not in message.headers
        ]
        raw = [event async for batch in read(client, RAW, headers_only=True) for event in _raw(batch, processed)]
    except (NatsError, OSError) as error:
        raise Unavailable(f"nats: {type(error).__name__}") from error
    return balance(raw, routed, entries, letters, kept_since)


async def _present(client: Client) -> list[ConsumerInfo]:
    """Return the consumers, all of one moment.

    The broker first notes which there are and then asks each how far it is. A route that falls behind in between is
    told as far as its feed, which has given its events up, and without its own consumer, which has them.
    """
    present = list(await consumers(client))
    while True:
        again = list(await consumers(client))
        if {info.name for info in again} <= {info.name for info in present}:
            return present
        present = again


async def _processed(client: Client) -> int:
    try:
        return _floor(await client.jetstream().consumer_info(RAW, PROCESS))
    except NotFoundError:
        return 0


def _floor(info: ConsumerInfo | None) -> int:
    return (info.ack_floor.stream_seq or 0) if info and info.ack_floor else 0


class _Told:
    """What the journal says of deliveries: which have a last word, and to whom each event was handed out."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.settled: set[tuple[str, int]] = set()
        self.feeds: dict[int, set[str]] = {}
        self.matched: set[tuple[str, int]] = set()
        self.behind: set[tuple[str, int]] = set()
        self.routes: dict[int, set[str]] = {}
        for line in entries:
            if line.route and line.outcome not in MEANWHILE:
                self.settled.add((line.route, line.seq))
                self.routes.setdefault(line.seq, set()).add(line.route)
            elif line.outcome == MATCHED:
                self.feeds.setdefault(line.seq, set()).add(line.detail)
                self.matched.update((name, line.seq) for name in line.routes.split(",") if name)
                self.behind.update((name, line.seq) for name in line.behind.split(",") if name)
                self.routes.setdefault(line.seq, set()).update(name for name in line.routes.split(",") if name)


@dataclass(frozen=True, slots=True)
class _Reading:
    """How far a route is: the feed that carries it, and its own consumer while it has one."""

    feed: ConsumerInfo | None
    own: ConsumerInfo | None

    @classmethod
    def of(cls, route: Route, present: Iterable[ConsumerInfo]) -> "_Reading":
        own = {info.name: info for info in present}.get(consumer_of(route).name)
        return cls(feed_of(route, present), own)

    def waits(self, seq: int) -> bool:
        """Tell whether a consumer still has to bring this, or is not done with it."""
        return self.waits_own(seq) or (self.feed is not None and seq > _floor(self.feed))

    def waits_own(self, seq: int) -> bool:
        """Tell whether its own consumer still has to bring this, or is not done with it."""
        return self.own is not None and seq >= (self.own.config.opt_start_seq or 0) and seq > _floor(self.own)

    def begins(self, route: str, subject: str) -> int:
        """Return from where a route takes a subject; what came with a change begins later than the feed."""
        if self.feed is None:
            return 2**63
        known = self.feed.config.metadata or {}
        return max(int(known.get(one, self.feed.config.opt_start_seq or 0)) for one in (subject, f"replay.{route}"))


def _raw(batch: list[Message], processed: int) -> list[RawEvent]:
    return [
        RawEvent(m.seq, m.subject.split(".", 2)[2], unquote(m.headers.get(EVENT_ID, "")), m.seq > processed)
        for m in batch
        if ORIGIN not in m.headers
    ]


def _routed(
    message: Message, project: Project, readings: Mapping[str, _Reading], told: _Told, leaving: Collection[str]
) -> RoutedEvent:
    event = _event(message)
    names, waiting = [], set()
    for route in project.routes_for(event.type):
        state = _state(message, route, readings[route.name], told)
        if state is None or (state == "unknown" and not _wants(project, route, event, message)):
            continue
        names.append(route.name)
        if state != "due":
            waiting.add(route.name)
    present = {route.name for route in project.routes_for(event.type)}
    unseen = {name for name in leaving if (name, message.seq) in told.behind and name not in present}
    gone = (told.routes.get(message.seq, set()) | unseen) - present
    names += gone  # of routes that the content had, while it had them
    waiting |= {name for name in gone if (name, message.seq) not in told.settled and name in leaving}
    return RoutedEvent(message.seq, event.id, tuple(names), frozenset(waiting))


def _event(message: Message) -> events.Event:
    """Return an event; of a large one, whose body is not read for this, only the type."""
    if CLAIM in message.headers:
        return events.Event("", "", message.subject.removeprefix("event."))
    return events.restore(message.payload)


def _state(message: Message, route: Route, reading: _Reading, told: _Told) -> str | None:
    """Tell whether a route wants an event: `due`, `waiting`, or `unknown` as nobody looked yet; None for no."""
    place = route.name, message.seq
    if place in told.settled:
        return "due"
    waits = reading.waits(message.seq)
    if place in told.matched:
        return "waiting" if waits else "due"
    if place in told.behind:
        return "unknown" if waits else "due"
    if reading.waits_own(message.seq):
        return "unknown"
    feeds = told.feeds.get(message.seq, set())
    before = message.seq < reading.begins(route.name, message.subject)
    if before or (reading.feed is not None and reading.feed.name in feeds):
        return None  # its feed looked and it did not match, or it did not exist then
    return "unknown" if waits else "due"


def _wants(project: Project, route: Route, event: events.Event, message: Message) -> bool:
    if CLAIM in message.headers:
        return True  # until its feed has looked
    try:
        return project.wants(route, event, message.headers.get(SOURCE, ""))
    except Refused:
        return True  # it will become a dead letter of this route
