"""One try of a delivery: in the form of the target, through the gate of its connector, counted."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, get_args

from connectors.port import Connector, Outcome, Result
from connectors.showing import Request
from crossdock.kernel import jsontext
from crossdock.kernel.event import Event
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.tracing import NONE, TRACEPARENT, Tracer
from crossdock.personal import Cover
from crossdock.pipeline.attempttrace import Attempt
from crossdock.pipeline.delivery import Delivery, idempotency_key
from crossdock.pipeline.gate import Gate
from crossdock.pipeline.process import problems_of
from routes.spec import Route

log = logging.getLogger(__name__)

MOST_SHOWN = 32 << 10  # bytes of a body that is kept in a dead letter

Form = Callable[[Event, str], Event]  # what a target gets, made of an event and the name of its source
Shows = Callable[[Event, str], Request]  # the request that delivers an event with a key, without secrets


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
        self.shows: Shows | None = None
        self.cover: Cover | None = None  # for what people read of a try
        self.tracer: Tracer | None = None

    async def enter(self, delivery: Delivery, held: Callable[[], bool]) -> Result | None:
        """Make an attempt when it is its turn at the connector; None if it is `held` by then or the breaker open.

        None too when it cannot be brought into the form of the target: then it has problems.
        """
        try:
            event = self._form(delivery.event, delivery.source) if self._form else delivery.event
        except Exception as error:
            delivery.problems = problems_of(error, delivery.event.id)
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
        sending = self._traced if TRACEPARENT in delivery.message.headers else self._send
        result = await sending(delivery, event)
        if self.cover and (result.outcome != "delivered" or result.quotes):  # a target may quote what it was sent
            said = self.cover.text(delivery.message.headers, delivery.event, result.detail)
            result = replace(result, detail=said)
        delivery.last = result
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

    async def _traced(self, delivery: Delivery, event: Event) -> Result:
        attempt = Attempt(self.tracer, delivery)
        result = await self._send(delivery, event, attempt.headers)
        attempt.end(self._route, result)
        return result

    async def _send(self, delivery: Delivery, event: Event, trace: Mapping[str, str] = NONE) -> Result:
        try:
            return await self._connector.deliver(event, idempotency_key(self._route.name, delivery.event), trace)
        except Exception as error:
            log.exception("route %s: the connector failed", self._route.name, extra=self._about(delivery))
            return Result("retry", 0, f"internal error: {type(error).__name__}")

    def sent(self, delivery: Delivery) -> dict[str, Any]:
        """Return the request of the last attempt, made once more as people may see it; nothing where that cannot be."""
        if delivery.last is None or self.shows is None:
            return {}
        try:
            event = self._form(delivery.event, delivery.source) if self._form else delivery.event
            return _bounded(self.shows(event, idempotency_key(self._route.name, delivery.event)).as_dict())
        except Exception as error:  # a dead letter is stored whatever stands in it
            why = type(error).__name__
            log.warning("route %s: the request cannot be shown: %s", self._route.name, why, extra=self._about(delivery))
            return {}

    def _about(self, delivery: Delivery) -> dict[str, str]:
        """Return what a line of the log is about."""
        event, route = delivery.event, self._route
        return {"event": event.id, "partner": delivery.partner, "route": route.name, "connector": route.connector}


def _bounded(request: dict[str, Any]) -> dict[str, Any]:
    """Return a request with the beginning of its body as text where that is large, and its size in bytes."""
    written = jsontext.dumps(request["body"])
    if len(written) <= MOST_SHOWN:
        return request
    return {**request, "body": written[:MOST_SHOWN].decode("utf-8", "ignore"), "size": len(written)}
