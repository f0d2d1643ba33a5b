"""The spans of events that are taken; used by `gateway.storing` where traces are on."""

import time
from collections.abc import Callable
from functools import partial

from crossdock.kernel.stream import RAW
from crossdock.kernel.tracing import Context, Span, Tracer, read
from crossdock.pipeline.spans import about
from gateway.intake import Accepted

Done = Callable[[str | None], None]


def begin(tracer: Tracer, revision: str, accepted: Accepted, done: Done) -> tuple[Accepted, Done]:
    """Let an event begin or go on with a trace as the tracer decides; its span ends when `done` gets the word."""
    headers = accepted.record.headers
    parent = read(headers)
    context = tracer.enter(parent)
    if context is None:
        return accepted, done
    record = accepted.record._replace(headers={**headers, **context.headers()})
    if context.sampled:
        done = partial(_end, tracer, revision, accepted, context, parent, time.time_ns(), done)
    return accepted._replace(record=record), done


def _end(
    tracer: Tracer,
    revision: str,
    accepted: Accepted,
    context: Context,
    parent: Context | None,
    began: int,
    done: Done,
    word: str | None,
) -> None:
    event, source = accepted.event, accepted.source
    told = about(event, source.partner, source.name, revision) | {
        "messaging.operation.name": "accept",
        "messaging.operation.type": "send",
        "messaging.destination.name": RAW,
        "crossdock.outcome": word or "unavailable",
    }
    above, error = parent.span if parent else "", "" if word else "unavailable"
    span = Span(f"accept {source.name}", "producer", context, above, began, time.time_ns(), told, (), error)
    tracer.spans.take(span)
    done(word)
