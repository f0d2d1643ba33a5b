"""Reads the streams for the ledger: what was stored, how far each consumer is, what was recorded."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from crossdock.adapters.inbox import read
from crossdock.adapters.topology import Consumer
from crossdock.adapters.watch import consumer_of
from crossdock.kernel import event as events
from crossdock.kernel.expression import view
from crossdock.kernel.problems import Refused, Unavailable
from crossdock.kernel.stream import DLQ, EVENT_ID, EVENTS, JOURNAL, ORIGIN, RAW, Message
from crossdock.project import Project
from journal.entry import RETRIED, unpack
from journal.ledger import Ledger, RawEvent, RoutedEvent, balance
from routes.match import matches
from routes.spec import Route


async def read_ledger(client: Client, project: Project, kept_since: int) -> Ledger:
    """Prove the sums from the streams; positions first, then what was recorded, then what was stored.

    In this order whatever happens meanwhile counts as in progress, never as missing.

    Raises:
        Unavailable: the broker does not answer.
    """
    try:
        processed = (await _position(client, consumer_of(None))).floor
        positions = {route.name: await _position(client, consumer_of(route)) for route in project.routes.values()}
        entries = [line async for batch in read(client, JOURNAL) for m in batch for line in unpack(m.payload)]
        letters = frozenset([m.seq async for batch in read(client, DLQ, headers_only=True) for m in batch])
        stored = [message async for batch in read(client, EVENTS) for message in batch if ORIGIN not in message.headers]
        raw = [event async for batch in read(client, RAW, headers_only=True) for event in _raw(batch, processed)]
    except (NatsError, OSError) as error:
        raise Unavailable(f"nats: {type(error).__name__}") from error
    settled = frozenset((line.route, line.seq) for line in entries if line.route and line.outcome != RETRIED)
    return balance(
        raw, [_routed(message, project, positions, settled) for message in stored], entries, letters, kept_since
    )


@dataclass(frozen=True, slots=True)
class _Position:
    """Up to where a consumer is done, where it began, and where subjects that were added later began."""

    floor: int
    began: int
    added: Mapping[str, str]

    def begins(self, subject: str) -> int:
        return int(self.added.get(subject, self.began))


async def _position(client: Client, consumer: Consumer) -> _Position:
    try:
        info = await client.jetstream().consumer_info(consumer.stream, consumer.name)
    except NotFoundError:
        return _Position(0, 2**63, {})
    floor = info.ack_floor.stream_seq if info.ack_floor else 0
    return _Position(floor or 0, info.config.opt_start_seq or 0, info.config.metadata or {})


def _raw(batch: list[Message], processed: int) -> list[RawEvent]:
    return [
        RawEvent(m.seq, m.subject.split(".", 2)[2], unquote(m.headers.get(EVENT_ID, "")), m.seq > processed)
        for m in batch
        if ORIGIN not in m.headers
    ]


def _routed(
    message: Message, project: Project, positions: Mapping[str, _Position], settled: frozenset[tuple[str, int]]
) -> RoutedEvent:
    event = events.restore(message.payload)
    names, waiting = [], set()
    for route in project.routes_for(event.type):
        at, done = positions[route.name], (route.name, message.seq) in settled
        if message.seq < at.begins(message.subject) and not done:
            continue
        if message.seq > at.floor and not done:
            if not _wants(route, event):
                continue
            waiting.add(route.name)
        names.append(route.name)
    return RoutedEvent(message.seq, event.id, tuple(names), frozenset(waiting))


def _wants(route: Route, event: events.Event) -> bool:
    try:
        return matches(route, view(event))
    except Refused:
        return True  # it will become a dead letter of this route
