"""Composition of a worker's delivery: its feed, its lanes, and the connectors and gates that these share."""

import time

from connectors.breaker import LONGEST_PAUSE, Breaker
from connectors.kinds import open_connector
from connectors.port import Connector
from crossdock.adapters.consumers import Consumer
from crossdock.adapters.inbox import NatsInbox
from crossdock.adapters.topology import REDELIVERED
from crossdock.adapters.watch import NatsBacklogs
from crossdock.pipeline.attempts import Attempts
from crossdock.pipeline.feed import Feed
from crossdock.pipeline.gate import Gate
from crossdock.pipeline.lane import Lane
from crossdock.pipeline.recorder import Recorder
from crossdock.supervisor.base import Base
from routes.spec import Route

PROBES = 5  # at least so many tries of a dead target before the age of a delivery ends its retries


class Lanes:
    """Makes the lanes of a worker; those of one connector share its client, breaker, rate and slots."""

    def __init__(self, here: Base, recorder: Recorder) -> None:
        self._here = here
        self._project = here.project
        self._backlogs = NatsBacklogs(here.client, here.topology)
        self._recorder = recorder
        self._shared: dict[str, tuple[Connector, Gate]] = {}

    async def open(self, consumer: Consumer, routes: list[Route]) -> tuple[Feed, dict[str, Lane]]:
        """Return the feed and the lanes of these routes."""
        patience = REDELIVERED if any(route.order_by is not None for route in routes) else 0
        inbox = await NatsInbox(self._here.client, consumer.stream, consumer.name, patience).start()
        lanes = {route.name: await self._lane(route) for route in routes}
        position = await inbox.position()
        return Feed(inbox, position, list(lanes.values()), self._recorder, consumer.name, self._project.revision), lanes

    async def close(self) -> None:
        """Close the connectors."""
        for connector, _ in self._shared.values():
            await connector.close()

    async def _lane(self, route: Route) -> Lane:
        here = self._here
        if route.connector not in self._shared:
            self._shared[route.connector] = self._opened(route.connector)
        connector, gate = self._shared[route.connector]
        attempts = Attempts(route, connector, gate, here.streams, self._recorder, here.metrics, here.project.revision)
        return Lane(route, attempts, self._backlogs, await self._backlogs.find(route))

    def _opened(self, name: str) -> tuple[Connector, Gate]:
        spec, routes = self._project.connectors[name], self._project.routes.values()
        shortest = min(route.retry.age for route in routes if route.connector == name)
        longest = min(LONGEST_PAUSE, shortest / PROBES)
        breaker = Breaker(spec.breaker.open_at, spec.breaker.over, clock=time.monotonic, longest=longest)
        return open_connector(spec), Gate(breaker, spec.rate, spec.in_flight)
