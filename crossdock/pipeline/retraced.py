"""Traces of replays, which link to the traces of the events that are replayed."""

import time
from collections.abc import Sequence

from crossdock.kernel.stream import BACKFILL, DEAD_LETTER, EVENTS, ORIGIN, RAW, RAW_SEQ, SOURCE, Log, Record, Stored
from crossdock.kernel.tracing import TRACEPARENT, Context, Span, Tracer, again, read
from crossdock.pipeline.spans import Told


class Retraced:
    """A `Log` that gives replays of traced events traces of their own, which link to those of the events."""

    def __init__(self, streams: Log, tracer: Tracer) -> None:
        self._streams = streams
        self._tracer = tracer

    async def append(self, record: Record) -> Stored:
        """See `Log.append`."""
        return (await self.append_all([record]))[0]

    async def append_all(self, records: Sequence[Record]) -> list[Stored]:
        """See `Log.append_all`."""
        began = time.time_ns()
        before = [_replayed(record) for record in records]
        if not any(before):
            return await self._streams.append_all(records)
        own = [again(record.key, one) if one else None for record, one in zip(records, before, strict=True)]
        stored = await self._streams.append_all(
            [
                record._replace(headers={**record.headers, **context.headers()}) if context else record
                for record, context in zip(records, own, strict=True)
            ]
        )
        for record, one, context in zip(records, before, own, strict=True):
            if one and context:
                self._tell(record, one, context, began)
        return stored

    def _tell(self, record: Record, before: Context, context: Context, began: int) -> None:
        headers, (kind, _, name) = record.headers, record.subject.partition(".")
        told: Told = {
            "messaging.system": "nats",
            "messaging.operation.name": "replay",
            "messaging.operation.type": "send",
            "messaging.destination.name": EVENTS if kind == "replay" else RAW,
            "crossdock.source": headers.get(SOURCE, ""),
            "crossdock.route": name if kind == "replay" else "",
            "crossdock.raw": int(headers.get(RAW_SEQ) or headers[ORIGIN]),
            "crossdock.dead_letter": headers.get(DEAD_LETTER, ""),
            "crossdock.backfill": headers.get(BACKFILL, ""),
        }
        where = name if kind == "replay" else name.rpartition(".")[2]
        span = Span(f"replay {where}", "producer", context, "", began, time.time_ns(), told, (before,))
        self._tracer.spans.take(span)


def retraced(streams: Log, tracer: Tracer | None) -> Log:
    """Return streams for those who send replays."""
    return Retraced(streams, tracer) if tracer else streams


def _replayed(record: Record) -> Context | None:
    """Return the trace of the event that a record replays, if it is a replay of a traced one."""
    context = read(record.headers) if ORIGIN in record.headers and TRACEPARENT in record.headers else None
    return context if context and context.sampled else None
