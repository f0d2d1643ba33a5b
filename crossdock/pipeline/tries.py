"""One try of a delivery: in the form of the target, through the gate of its connector, counted."""

import logging
from collections.abc import Callable
from typing import get_args

from connectors.port import Connector, Outcome, Result
from crossdock.kernel.event import Event
from crossdock.kernel.metrics import Metrics
from crossdock.pipeline.delivery import Delivery, idempotency_key
from crossdock.pipeline.gate import Gate
from crossdock.pipeline.process import problems_of
from routes.spec import Route

log = logging.getLogger(__name__)

Form = Callable[[Event, str], Event]  # what a target gets, made of an event and the name of its source


class Tries:
    """Sends the deliveries of one route, one try at a time for each."""

    def __init__(self, route: Route, connector: Connector, gate: Gate, metrics: Metrics, form: Form | None) -> None:
        self._route = route
        self._connector = connector
        self._gate = gate
        self._form = form
        self._tried = {outcome: metrics.attempts.labels(route.name, outcome) for outcome in get_args(Outcome)}
        self._breaker_open = metrics.breaker_open.labels(route.name)
        self._open = False
        self._limit_gauge = metrics.in_flight_limit.labels(route.connector)
        self._limit = 0

    async def enter(self, delivery: Delivery, held: Callable[[], bool]) -> Result | None:
        """Make an attempt when it is its turn at the connector; None if it is `held` by then or the breaker open.

        None too when it cannot be brought into the form of the target: then it has problems.
        """
        try:
            event = self._form(delivery.event, delivery.source) if self._form else delivery.event
        except Exception as error:
            delivery.problems = problems_of(error)
            return None
        await self._gate.enter(self._route.priority)
        free = False
        try:
            free = not held() and self._gate.breaker.ready()
            return await self._try(delivery, event) if free else None
        finally:
            self._gate.leave(used=free)

    async def _try(self, delivery: Delivery, event: Event) -> Result:
        delivery.attempts += 1
        began = self._gate.clock()
        delivery.last = result = await self._send(delivery, event)
        delivery.doubted = delivery.doubted or result.outcome == "in_doubt"
        self._gate.judge(result, began)
        if self._limit != (limit := int(self._gate.pace.limit)):
            self._limit = limit
            self._limit_gauge.set(limit)
        self._tried[result.outcome].inc()
        if (self._gate.breaker.state != "closed") != self._open:
            self._open = not self._open
            self._breaker_open.set(self._open)
        return result

    async def _send(self, delivery: Delivery, event: Event) -> Result:
        try:
            return await self._connector.deliver(event, idempotency_key(self._route.name, delivery.event))
        except Exception as error:
            log.exception("route %s: the connector failed", self._route.name)
            return Result("retry", 0, f"internal error: {type(error).__name__}")
