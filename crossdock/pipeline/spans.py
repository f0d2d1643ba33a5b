"""The spans of events in the process step, and what every span says of its event."""

import time
from collections.abc import Sequence

from crossdock.kernel.event import Event
from crossdock.kernel.stream import RAW
from crossdock.kernel.tracing import Context, Span, Tracer, read, root
from crossdock.pipeline.work import Work
from journal import entry

_MOST = 256  # characters of what partners chose

Told = dict[str, str | int]


def about(event: Event | None, partner: str, source: str, revision: str) -> Told:
    """Return what every span says of its event: what tells it apart, and nothing of what it is about."""
    told: Told = {
        "messaging.system": "nats",
        "crossdock.partner": partner,
        "crossdock.source": source,
        "crossdock.revision": revision,
    }
    if event is not None:
        told |= {
            "cloudevents.event_id": event.id[:_MOST],
            "cloudevents.event_source": event.source[:_MOST],
            "cloudevents.event_spec_version": "1.0",
            "cloudevents.event_type": event.type[:_MOST],
        }
    return told


class BatchSpans:
    """The spans of one batch of the process step: one for each traced event, and one that all of them link to."""

    def __init__(self, tracer: Tracer, works: Sequence[Work]) -> None:
        self._tracer = tracer
        self._began = time.time_ns()
        self._size = len(works)
        self._traced: list[tuple[Work, Context]] = []
        for work in works:
            parent = read(work.message.headers)
            if parent is not None and parent.sampled:
                work.trace = parent.child(sampled=True)
                self._traced.append((work, parent))

    def end(self, revision: str) -> None:
        """Say what became of each, now that it is stored."""
        if not self._traced:
            return
        batch, ended = root(""), time.time_ns()
        told: Told = {
            "messaging.system": "nats",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": RAW,
            "messaging.batch.message_count": self._size,
            "crossdock.revision": revision,
        }
        links = tuple(parent for _, parent in self._traced)
        take = self._tracer.spans.take
        take(Span("process batch", "consumer", batch, "", self._began, ended, told, links))
        for work, parent in self._traced:
            if work.trace is not None:
                own = _processed(work, revision)
                name, error = f"process {work.source}", work.problems[0].code if work.problems else ""
                take(Span(name, "consumer", work.trace, parent.span, self._began, ended, own, (batch,), error))


def _processed(work: Work, revision: str) -> Told:
    outcome = entry.QUARANTINED if work.quarantined else entry.DEAD_LETTERED
    if not work.problems:
        outcome = entry.ROUTED if work.canonical is not None else entry.DUPLICATE
    return about(work.event, work.partner, work.source, revision) | {
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": RAW,
        "crossdock.raw": work.origin,
        "crossdock.outcome": outcome,
    }
