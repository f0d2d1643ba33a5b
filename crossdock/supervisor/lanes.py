"""Composition of a worker's delivery: its feed, its lanes, and the connectors and gates that these share."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from connectors.breaker import LONGEST_PAUSE, Breaker
from connectors.kinds import open_connector
from connectors.port import Connector
from connectors.showing import request_of
from connectors.spec import ConnectorSpec
from crossdock.adapters.arrived import NatsArrivals
from crossdock.adapters.consumers import feed_consumer
from crossdock.adapters.inbox import NatsInbox
from crossdock.adapters.topology import REDELIVERED
from crossdock.adapters.watch import NatsBacklogs
from crossdock.inforce import Content
from crossdock.personal import Cover
from crossdock.pipeline.admission import Cast
from crossdock.pipeline.attempts import Attempts
from crossdock.pipeline.awaited import Awaited
from crossdock.pipeline.feed import Feed
from crossdock.pipeline.gate import Gate
from crossdock.pipeline.lane import Lane
from crossdock.pipeline.recorder import Recorder
from crossdock.pipeline.replies import Replies
from crossdock.project import Project
from crossdock.supervisor.base import Base
from crossdock.supervisor.outside import Outward
from routes.spec import Route

PROBES = 5  # at least so many tries of a dead target before the age of a delivery ends its retries


@dataclass(frozen=True, slots=True)
class _Opened:
    """A connector that is open, its gate, and what both were made of."""

    spec: ConnectorSpec
    longest: float
    types: frozenset[str]  # that a route to it waits for
    connector: Connector = field(compare=False)
    gate: Gate = field(compare=False)


class Lanes:
    """See `crossdock.laneset.Workshop`; the lanes of one connector share its client, breaker, rate and slots."""

    def __init__(self, here: Base, recorder: Recorder, seat: int, seats: int) -> None:
        self._here = here
        self._outside = Outward(here.client)
        self._project: Project = here.content.project
        self._before: dict[str, Project] = {}
        self._backlogs = NatsBacklogs(here.client, here.topology)
        self._recorder = recorder
        self._feed = feed_consumer(seat, seats, ())
        self._shared: dict[str, _Opened] = {}
        self._open: list[_Opened] = []
        self._made: dict[str, tuple[_Opened, Any]] = {}  # by route: its connector, and what else it was made of

    def use(self, content: Content) -> None:
        """See `Workshop.use`."""
        # A revision may not load here any more though lanes of it still run.
        last = self._before | dict.fromkeys(self._project.routes, self._project)
        leaving = content.force.leaving.items()
        before = {name: content.before.get(one.revision) or last.get(name) for name, one in leaving}
        self._before = {name: project for name, project in before.items() if project is not None}
        self._project = content.project

    async def feed(self, lanes: Sequence[Lane]) -> Feed:
        """See `Workshop.feed`."""
        patience = REDELIVERED if any(lane.route.order_by is not None for lane in lanes) else 0
        inbox = await NatsInbox(self._here.client, self._feed.stream, self._feed.name, patience).start()
        return Feed(inbox, await inbox.position(), lanes, self._recorder, self._feed.name, self._project.revision)

    async def lane(self, route: Route, since: int = 0) -> Lane:
        """See `Workshop.lane`."""
        attempts, cast = self._parts(route)
        own = await self._backlogs.find(route)
        if own is None and since:
            own = await self._backlogs.open(route, since)
        return Lane(route, attempts, self._backlogs, own, cast)

    def fits(self, lane: Lane, route: Route) -> bool:
        """See `Workshop.fits`."""
        return self._made[route.name] == (self._connector(route), self._said(route))

    def renew(self, lane: Lane, route: Route) -> None:
        """See `Workshop.renew`."""
        lane.renew(*self._parts(route))

    async def has_own(self, route: Route) -> bool:
        """See `Workshop.has_own`."""
        return await self._backlogs.exists(route)

    async def tidy(self, lanes: Iterable[Lane]) -> None:
        """See `Workshop.tidy`."""
        names = {lane.route.name for lane in lanes}
        self._made = {name: made for name, made in self._made.items() if name in names}
        used = [opened.connector for opened, _ in self._made.values()]
        idle = [opened for opened in self._open if opened.connector not in used]
        self._open = [opened for opened in self._open if opened.connector in used]
        self._shared = {name: opened for name, opened in self._shared.items() if opened.connector in used}
        for opened in idle:
            await opened.connector.close()

    async def close(self) -> None:
        """Close the connectors."""
        await self.tidy(())

    def _parts(self, route: Route) -> tuple[Attempts, Cast | None]:
        here, project, opened = self._here, self._of(route), self._connector(route)
        self._made[route.name] = opened, self._said(route)
        form, cast = project.form_of(route), project.as_asked if route.majors else None
        attempts = Attempts(
            route, opened.connector, opened.gate, here.streams, self._recorder, here.metrics, project.revision, form
        )
        attempts.tries.tracer = here.tracer
        attempts.tries.cover = Cover(project)
        attempts.tries.shows = partial(request_of, opened.spec)
        if reply := opened.spec.reply:
            attempts.replies = Replies(project, reply[1], here.streams)
        return attempts, cast

    def _said(self, route: Route) -> Any:
        """Return what the content says of a route; what it maps by may have changed in any file."""
        revision = self._of(route).revision if route.map or route.majors else ""
        return route.spot.value(), route.connector, revision

    def _of(self, route: Route) -> Project:
        """Return the project that has a route, the one in force or the last that had it."""
        return self._project if route.name in self._project.routes else self._before[route.name]

    def _connector(self, route: Route) -> _Opened:
        """Return a connector as the content has it; the one before goes on until no lane uses it."""
        project, name = self._of(route), route.connector
        spec, present = project.connectors[name], self._shared.get(name)
        routes = [one for one in project.routes.values() if one.connector == name]
        types = frozenset(one.after.type for one in routes if one.after)
        shortest = min(one.retry.age for one in routes)
        longest = min(LONGEST_PAUSE, shortest / PROBES)
        if present is None or (present.spec, present.longest, present.types) != (spec, longest, types):
            breaker = Breaker(spec.breaker.open_at, spec.breaker.over, clock=time.monotonic, longest=longest)
            awaited = Awaited(name, types, NatsArrivals(self._here.client)) if types else None
            gate = Gate(breaker, spec.rate, spec.in_flight, awaited=awaited)
            present = _Opened(spec, longest, types, open_connector(spec, self._outside), gate)
            self._shared[name] = present
            self._open.append(present)
        return present
