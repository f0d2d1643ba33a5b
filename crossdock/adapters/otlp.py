"""Spans to an OpenTelemetry collector, by OTLP over HTTP, in a thread of their own; loaded only where that is set."""

import logging
import queue
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib import metadata

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from crossdock.kernel.metrics import Metrics
from crossdock.kernel.settings import Traces
from crossdock.kernel.tracing import Context, Span, Tracer

log = logging.getLogger(__name__)

QUEUE = 4096  # spans that wait, about 2 KiB each
LOT = 512
EVERY = 1.0  # seconds at most until a span is sent on
TIMEOUT = 5.0  # seconds for one lot, with the exporter's own repeats
GRACE = 2.0  # seconds for the last lot when a process ends
_KINDS = {"producer": SpanKind.PRODUCER, "consumer": SpanKind.CONSUMER, "client": SpanKind.CLIENT}
_SCOPE = InstrumentationScope("crossdock")


def open_tracing(traces: Traces, process: str, metrics: Metrics) -> "tuple[Tracer, OtlpSpans]":
    """Return what decides on traces, and where the spans of a process go until that is closed."""
    exporter = OTLPSpanExporter(
        endpoint=traces.url, headers=dict(traces.headers), timeout=TIMEOUT, compression=Compression.Gzip
    )
    spans = OtlpSpans(exporter, process, metrics)
    return Tracer(spans, traces.share, traces.trust_parents), spans


class OtlpSpans:
    """See `crossdock.kernel.tracing.Spans`; what does not reach the collector is dropped and counted."""

    def __init__(self, exporter: OTLPSpanExporter, process: str, metrics: Metrics) -> None:
        # The exporter would log every failure, with what a proxy in between may have answered.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._exporter = exporter
        self._dropped = metrics.spans_dropped
        self._exported = metrics.spans_exported
        self._resource = Resource(
            {
                "service.namespace": "crossdock",
                "service.name": f"crossdock-{process.partition('-')[0]}",
                "service.instance.id": process,
                "telemetry.sdk.language": "python",
                "telemetry.sdk.name": "opentelemetry",
                "telemetry.sdk.version": metadata.version("opentelemetry-sdk"),
            }
        )
        self._waiting: queue.Queue[Span] = queue.Queue(QUEUE)
        self._over = False
        self._wake = threading.Event()
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="spans", daemon=True)
        self._thread.start()

    def take(self, span: Span) -> None:
        """See `Spans.take`."""
        try:
            self._waiting.put_nowait(span)
        except queue.Full:
            self._dropped.labels("queue_full").inc()
        if self._waiting.qsize() >= LOT:
            self._wake.set()

    def close(self) -> None:
        """Send what waits, if that does not take long; blocks for `GRACE` at most."""
        self._over = True
        self._wake.set()
        self._thread.join(GRACE)
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def _run(self) -> None:
        over = False
        while not over:
            self._wake.wait(EVERY)
            self._wake.clear()
            over = self._over  # asked before the last look, so that nothing is left behind
            while lot := self._lot():
                self._send(lot)

    def _lot(self) -> list[Span]:
        lot: list[Span] = []
        with suppress(queue.Empty):
            while len(lot) < LOT:
                lot.append(self._waiting.get_nowait())
        return lot

    def _send(self, lot: Sequence[Span]) -> None:
        try:
            sent = self._exporter.export([self._made(span) for span in lot]) is SpanExportResult.SUCCESS
        except Exception as error:  # one lot less; the thread goes on
            log.warning("spans: %s", type(error).__name__)
            sent = False
        if sent:
            self._exported.inc(len(lot))
        else:
            self._dropped.labels("not_exported").inc(len(lot))
        if sent is self._failing:
            self._failing = not sent
            log.warning("the collector takes spans again" if sent else "the collector takes no spans: they are dropped")

    def _made(self, span: Span) -> ReadableSpan:
        context = span.context
        return ReadableSpan(
            name=span.name,
            context=_context(context, remote=False),
            parent=_context(context._replace(span=span.parent), remote=True) if span.parent else None,
            resource=self._resource,
            attributes={name: value for name, value in span.attributes.items() if value != ""},
            links=[Link(_context(link, remote=True)) for link in span.links],
            kind=_KINDS[span.kind],
            status=Status(StatusCode.ERROR, span.error) if span.error else Status(),
            start_time=span.start,
            end_time=span.end,
            instrumentation_scope=_SCOPE,
        )


def _context(context: Context, *, remote: bool) -> SpanContext:
    flags, state = TraceFlags(context.sampled), TraceState.from_header([context.state] if context.state else [])
    return SpanContext(int(context.trace, 16), int(context.span, 16), remote, flags, state)
