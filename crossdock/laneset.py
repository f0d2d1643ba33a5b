"""The lanes of a seat, brought into line with each content that goes in force; called by the worker."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

from crossdock.inforce import Content
from crossdock.kernel.problems import Unavailable
from crossdock.pipeline.feed import Feed
from crossdock.pipeline.lane import Lane
from crossdock.project import Project
from routes.spec import Route

log = logging.getLogger(__name__)

LOOK_AGAIN = 0.25  # seconds until another worker is asked again whether it has given a route up
SEE_OFF_EVERY = 1.0


class Carrier(Protocol):
    """The shared consumer of a seat, as far as it says which routes it carries."""

    async def carried(self) -> frozenset[str]:
        """Return the routes that it carries, once it is there."""

    async def carry(self, routes: Sequence[Route], begins: Mapping[str, int]) -> int:
        """Let it carry these; return a sequence after which it is sure to bring all of what it took up just now.

        `begins` says of routes that are new where in the stream they begin.
        """

    async def free(self, route: Route) -> bool:
        """Tell whether no other seat carries a route."""

    async def newest(self) -> int:
        """Return the last sequence in EVENTS."""


class Workshop(Protocol):
    """Makes feed and lanes of the content in force, with the connectors that lanes share."""

    def use(self, content: Content) -> None:
        """Make everything by this content from now on."""

    async def feed(self, lanes: Sequence[Lane]) -> Feed:
        """Return the feed of this seat."""

    async def lane(self, route: Route, since: int = 0) -> Lane:
        """Return a lane with the consumer that its route has, else one that begins at `since`; 0 makes none."""

    def fits(self, lane: Lane, route: Route) -> bool:
        """Tell whether a lane works as this route would now."""

    def renew(self, lane: Lane, route: Route) -> None:
        """Let a lane of which no attempt is under way work as this route."""

    async def has_own(self, route: Route) -> bool:
        """Tell whether a route has a consumer of its own."""

    async def tidy(self, lanes: Iterable[Lane]) -> None:
        """Close the connectors that none of these lanes use."""


class LaneSet:
    """Opens, renews and removes lanes; a change that breaks off is made again, which does what is left of it."""

    def __init__(
        self,
        seat: int,
        seats: int,
        workshop: Workshop,
        carrier: Carrier,
        start: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self.lanes: dict[str, Lane] = {}
        self.feed: Feed | None = None
        self._seat, self._seats = seat, seats
        self._workshop = workshop
        self._carrier = carrier
        self._start = start

    async def open(self, content: Content) -> Feed:
        """Open the lanes that the feed carried last, then do what has changed since.

        Raises:
            Unavailable: the broker does not answer.
        """
        self._workshop.use(content)
        known, newest = _known(content), await self._carrier.newest()
        for name in sorted(await self._carrier.carried() & known.keys()):
            self.lanes[name] = lane = await self._workshop.lane(known[name])
            lane.begins = newest  # nobody knows any more whether the feed has brought all before that
            self._start(lane.run())
        self.feed = await self._workshop.feed([*self.lanes.values()])
        await self.change(content)
        return self.feed

    async def change(self, content: Content) -> None:
        """Work by other content; lanes that it leaves as they are go on meanwhile.

        Raises:
            Unavailable: the broker does not answer.
        """
        self._workshop.use(content)
        if self.feed is None:
            return
        wanted = {route.name: route for route in share(content.project, self._seat, self._seats)}
        if gone := [lane for name, lane in self.lanes.items() if name not in wanted and lane.until is None]:
            acts = [self._remove(self.feed, lane, content) for lane in gone]
            for failed in await asyncio.gather(*acts, return_exceptions=True):
                if failed is not None:
                    raise failed
            # Now and not with what is new: another seat may wait for these while this one waits for what is there.
            await self._carrier.carry([lane.route for lane in self.lanes.values() if lane.until is None], {})
        await self._renew(self.feed, wanted, content.project.revision)
        # One that comes back, of which nothing is left, may not be put away yet.
        while any(lane.until is not None for name, lane in self.lanes.items() if name in wanted):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_AGAIN)
        new = [route for name, route in wanted.items() if name not in self.lanes]
        opened = [await self._open(route, content.force.starts) for route in new]
        begins = {route.name: content.force.starts.get(route.name, 1) for route in new}
        newest = await self._carrier.carry([*wanted.values()], begins)
        for lane in (*opened, *self.lanes.values()):
            lane.begins = max(lane.begins, newest)
        self.feed.carry(content.project.revision, opened)
        for lane in opened:
            self.lanes[lane.route.name] = lane
            self._start(lane.run())
        await self._see_off_others(content)
        await self._workshop.tidy(self.lanes.values())

    async def _renew(self, feed: Feed, wanted: Mapping[str, Route], revision: str) -> None:
        """Let all lanes go over to the routes as they are now, at once, when the attempts of the changed have ended."""
        stay = [(lane, wanted[name]) for name, lane in self.lanes.items() if name in wanted]
        changed = [(lane, route) for lane, route in stay if lane.until is None and not self._workshop.fits(lane, route)]
        await asyncio.gather(*(lane.settle() for lane, _ in changed))
        for lane, route in changed:
            self._workshop.renew(lane, route)
        for lane, _ in stay:
            lane.attempts.revision = revision
        feed.carry(revision)

    async def _open(self, route: Route, starts: Mapping[str, int]) -> Lane:
        while self._seats > 1 and not await self._carrier.free(route):  # noqa: ASYNC110  another process has it
            await asyncio.sleep(LOOK_AGAIN)
        return await self._workshop.lane(route, starts.get(route.name) or await self._carrier.newest() + 1)

    async def _remove(self, feed: Feed, lane: Lane, content: Content) -> None:
        """Give up a route: to another seat that has it now, or when what is left of it is done."""
        name = lane.route.name
        if name in content.project.routes:
            await feed.remove(lane)
            await lane.retire(feed.position)
            del self.lanes[name]
            return
        leaving = content.force.leaving.get(name)
        await feed.remove(lane, leaving.until if leaving else feed.position)
        await self._dismiss(lane, discards=leaving is not None and leaving.word == "discard")

    async def _see_off_others(self, content: Content) -> None:
        """Open the lanes of routes that were leaving when the worker before this one ended."""
        for name, leaving in content.force.leaving.items():
            before = content.before.get(leaving.revision)
            if name in self.lanes or before is None:
                continue
            mine = {route.name: route for route in share(before, self._seat, self._seats)}
            if name in mine and await self._workshop.has_own(mine[name]):
                self.lanes[name] = lane = await self._workshop.lane(mine[name])
                lane.until = leaving.until
                self._start(lane.run())
                await self._dismiss(lane, discards=leaving.word == "discard")

    async def _dismiss(self, lane: Lane, *, discards: bool) -> None:
        if discards:
            await lane.settle()
            self._workshop.renew(lane, lane.route)
            lane.discard()
        lane.pause(False)
        self._start(self._see_off(lane))

    async def _see_off(self, lane: Lane) -> None:
        """End a lane when nothing is left of its route."""
        while True:
            await asyncio.sleep(SEE_OFF_EVERY)
            lane.extend(SEE_OFF_EVERY)
            with suppress(Unavailable):
                if await lane.end():
                    break
        await lane.settle()
        del self.lanes[lane.route.name]
        await self._workshop.tidy(self.lanes.values())
        name = lane.route.name
        log.info("route %s is gone, and nothing of it is left", name, extra={"route": name})


def share(project: Project, seat: int, seats: int) -> list[Route]:
    """Return the routes of a seat: those of a connector stay together, as they share its limits.

    With several workers the first one only processes: the two steps cost about the same.
    """
    routes = list(project.routes.values())
    if seats == 1:
        return routes
    connectors = list(dict.fromkeys(route.connector for route in routes))
    mine = {name for number, name in enumerate(connectors) if 1 + number % (seats - 1) == seat}
    return [route for route in routes if route.connector in mine]


def _known(content: Content) -> dict[str, Route]:
    """Return the routes of the content, and those that are leaving as they were."""
    leaving = content.force.leaving
    gone = {
        name: content.before[one.revision].routes[name]
        for name, one in leaving.items()
        if one.revision in content.before
    }
    return gone | dict(content.project.routes)
