"""The trace of one attempt of a delivery: what its target gets of it, and its span."""

import time
from collections.abc import Mapping

from connectors.port import Result
from crossdock.kernel.stream import EVENTS
from crossdock.kernel.tracing import Span, Tracer, carried, read
from crossdock.pipeline.delivery import Delivery
from crossdock.pipeline.spans import about
from routes.spec import Route


class Attempt:
    """The span of one attempt of a delivery, if that is traced; `headers` go to the target."""

    def __init__(self, tracer: Tracer | None, delivery: Delivery) -> None:
        stored = delivery.message.headers
        parent = read(stored) if tracer else None
        self._tracer = tracer
        self._delivery = delivery
        self._began = time.time_ns()
        self._parent = parent if parent and parent.sampled else None
        self._context = self._parent.child(sampled=True) if self._parent else None
        self.headers: Mapping[str, str] = self._context.headers() if self._context else carried(stored)

    def end(self, route: Route, result: Result) -> None:
        """Say what came of it."""
        if self._tracer is None or self._context is None or self._parent is None:
            return
        delivery = self._delivery
        told = about(delivery.event, delivery.partner, delivery.source, delivery.revision) | {
            "messaging.operation.name": "deliver",
            "messaging.operation.type": "process",
            "messaging.destination.name": EVENTS,
            "crossdock.route": route.name,
            "crossdock.connector": route.connector,
            "crossdock.attempt": delivery.attempts,
            "crossdock.outcome": result.outcome,
        }
        if result.status:
            told["http.response.status_code"] = result.status
        error = "" if result.outcome == "delivered" else result.outcome
        self._tracer.spans.take(
            Span(
                f"deliver {route.name}", "client", self._context, self._parent.span, self._began, time.time_ns(),
                told, (), error,
            )
        )  # fmt: skip
