"""The durable consumers of Crossdock: their names, what they take, and what the broker says of them."""

from collections.abc import Iterable
from dataclasses import dataclass

from nats.aio.client import Client
from nats.js.api import ConsumerInfo

from crossdock.kernel.stream import EVENTS, JOURNAL, RAW
from routes.spec import Route
from transforms.lookups import Fed, Table

PROCESS = "process"
FEED = "feed-"
ROUTE = "route-"
_REPLAY = "replay."
TABLE = "table-"


@dataclass(frozen=True, slots=True)
class Consumer:
    """A durable consumer as it should be; `begin` says whether a new one starts at the stream's beginning or now."""

    stream: str
    name: str
    subjects: tuple[str, ...]
    begin: bool = False


def route_consumer(route: str, types: Iterable[str]) -> Consumer:
    """Return the own consumer of a route that fell behind: its types, and what is replayed to it."""
    return Consumer(EVENTS, f"{ROUTE}{route}", _subjects(route, types))


def feed_consumer(seat: int, seats: int, routes: Iterable[Route]) -> Consumer:
    """Return the shared consumer of the routes of a seat.

    It takes a subject of its own too, on which nothing comes: without any it would take all there are.
    """
    subjects = dict.fromkeys(subject for route in routes for subject in _subjects(route.name, route.types))
    return Consumer(EVENTS, f"{FEED}{seat}-of-{seats}", (*subjects, f"{_REPLAY}feed.{seat}"))


def feed_of(route: Route, present: Iterable[ConsumerInfo]) -> ConsumerInfo | None:
    """Return the shared consumer that carries a route."""
    return next(
        (info for info in present if info.name.startswith(FEED) and f"{_REPLAY}{route.name}" in filters(info)), None
    )


def carried(info: ConsumerInfo) -> frozenset[str]:
    """Return the names of the routes that a shared consumer carries."""
    names = (subject.removeprefix(_REPLAY) for subject in filters(info) if subject.startswith(_REPLAY))
    return frozenset(name for name in names if "." not in name)


async def consumers(client: Client) -> list[ConsumerInfo]:
    """Return the consumers of EVENTS; the server lists so many at once."""
    found: list[ConsumerInfo] = []
    while page := await client.jetstream().consumers_info(EVENTS, len(found)):
        found += page
    return found


def filters(info: ConsumerInfo) -> list[str]:
    """Return the subjects that a consumer takes."""
    return info.config.filter_subjects or [info.config.filter_subject or ">"]


def _subjects(route: str, types: Iterable[str]) -> tuple[str, ...]:
    return (*(f"event.{kind}" for kind in types), f"{_REPLAY}{route}")


def table_consumer(table: Table) -> Consumer:
    """Return what feeds a lookup table with all events of its type that are kept."""
    assert isinstance(table.origin, Fed)
    return Consumer(EVENTS, f"{TABLE}{table.id}", (f"event.{table.origin.type}",), begin=True)


PROCESS_CONSUMER = Consumer(RAW, PROCESS, ("raw.>",), begin=True)
CALLBACKS_CONSUMER = Consumer(JOURNAL, "callbacks", ("journal.>",))
