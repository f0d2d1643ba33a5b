"""How far the consumers of the pipeline are, for the ledger."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nats.aio.client import Client
from nats.js.api import ConsumerInfo
from nats.js.errors import NotFoundError

from crossdock.adapters.consumers import FEED, PROCESS, ROUTE, carried, consumers, feed_of, filters
from crossdock.adapters.watch import consumer_of
from crossdock.kernel.stream import RAW
from crossdock.project import Project
from routes.spec import Route

_NEVER = 2**63
_EVENT = "event."


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a route is: the feed that carries it, and its own consumer while it has one."""

    feed: ConsumerInfo | None
    own: ConsumerInfo | None

    def waits(self, seq: int) -> bool:
        """Tell whether a consumer still has to bring this, or is not done with it."""
        return self.waits_own(seq) or (self.feed is not None and seq > floor(self.feed))

    def waits_own(self, seq: int) -> bool:
        """Tell whether its own consumer still has to bring this, or is not done with it."""
        return self.own is not None and seq >= start(self.own) and seq > floor(self.own)

    def done(self) -> int:
        """Return up to where nothing waits."""
        floors = [floor(self.feed)] if self.feed else []
        return min([*floors, max(start(self.own) - 1, floor(self.own))] if self.own else floors, default=0)

    def begins(self, route: str, subject: str) -> int:
        """Return from where a route takes a subject; what came with a change begins later than the feed."""
        if self.feed is None:
            return _NEVER
        known = self.feed.config.metadata or {}
        return max(int(known.get(one, start(self.feed))) for one in (subject, f"replay.{route}"))


@dataclass(frozen=True, slots=True)
class Positions:
    """The consumers of one moment; `leaving` are the routes with one of their own, `processed` is a floor in RAW."""

    processed: int
    feeds: Mapping[str, ConsumerInfo]
    leaving: frozenset[str]
    readings: Mapping[str, Reading]

    def takes(self) -> dict[str, frozenset[str]]:
        """Return the types that each feed takes."""
        return {
            name: frozenset(one.removeprefix(_EVENT) for one in filters(info) if one.startswith(_EVENT))
            for name, info in self.feeds.items()
        }

    def carries(self) -> dict[str, frozenset[str]]:
        """Return the routes of each feed."""
        return {name: carried(info) for name, info in self.feeds.items()}


async def positions(client: Client, project: Project) -> Positions:
    """Return how far all are."""
    processed, present = await _processed(client), await _present(client)
    own = {info.name: info for info in present}
    return Positions(
        processed,
        {info.name: info for info in present if info.name.startswith(FEED)},
        frozenset(info.name.removeprefix(ROUTE) for info in present if info.name.startswith(ROUTE)),
        {one.name: _reading(one, present, own) for one in project.routes.values()},
    )


def floor(info: ConsumerInfo) -> int:
    """Return the sequence up to which everything was acknowledged."""
    return (info.ack_floor.stream_seq or 0) if info.ack_floor else 0


def start(info: ConsumerInfo) -> int:
    """Return the sequence at which a consumer began."""
    return info.config.opt_start_seq or 0


def _reading(route: Route, present: Iterable[ConsumerInfo], own: Mapping[str, ConsumerInfo]) -> Reading:
    return Reading(feed_of(route, present), own.get(consumer_of(route).name))


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
        return floor(await client.jetstream().consumer_info(RAW, PROCESS))
    except NotFoundError:
        return 0
