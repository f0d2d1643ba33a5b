"""Spans on their way to a collector, which here takes OTLP over HTTP as a real one does."""

import threading
import time
from collections.abc import Iterator

import pytest

from crossdock.adapters import otlp
from crossdock.adapters.otlp import OtlpSpans, open_tracing
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.settings import Traces
from crossdock.kernel.tracing import Context, Span, root
from tests.collector import Collector

SECRET = "Bearer collector-secret"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as made:
        yield made


def span(name: str = "deliver stock", context: Context | None = None) -> Span:
    began = time.time_ns()
    told: dict[str, str | int] = {"crossdock.route": "stock", "crossdock.attempt": 2, "crossdock.connector": ""}
    return Span(name, "client", context or root("a=1"), "00f067aa0ba902b7", began, began + 5_000_000, told, (), "retry")


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(name, labels) or 0.0


def opened(url: str, metrics: Metrics) -> OtlpSpans:
    return open_tracing(Traces(url, {"authorization": SECRET}), "worker-1", metrics)[1]


def test_a_span_arrives_with_its_place_in_the_trace_and_without_blanks(collector: Collector) -> None:
    # given
    metrics, sent = Metrics(), span()
    spans = opened(collector.url, metrics)
    # when
    spans.take(sent)
    spans.close()
    # then
    (got,) = collector.spans()
    assert (got.trace_id.hex(), got.span_id.hex()) == (sent.context.trace, sent.context.span)
    assert (got.parent_span_id.hex(), got.trace_state) == ("00f067aa0ba902b7", "a=1")
    assert got.end_time_unix_nano - got.start_time_unix_nano == 5_000_000
    assert {one.key for one in got.attributes} == {"crossdock.route", "crossdock.attempt"}
    assert (got.status.code, got.status.message) == (2, "retry")
    assert collector.resources()[0]["service.name"] == "crossdock-worker"
    assert collector.headers[0]["authorization"] == SECRET
    assert value(metrics, "crossdock_spans_exported_total") == 1


def test_a_full_lot_does_not_wait_for_its_time(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp, "EVERY", 3600.0)
    spans = opened(collector.url, Metrics())
    for _ in range(otlp.LOT):
        spans.take(span())
    assert collector.arrived.wait(5)
    spans.close()


def test_while_the_collector_is_away_nothing_waits_and_every_span_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setattr(otlp, "TIMEOUT", 0.1)
    monkeypatch.setattr(otlp, "GRACE", 30.0)
    metrics = Metrics()
    with Collector() as gone:
        url = gone.url
    spans, one = opened(url, metrics), span()
    number = otlp.QUEUE + 2000
    # when
    began = time.thread_time()
    for _ in range(number):
        spans.take(one)
    spent = time.thread_time() - began
    # then
    spans.close()
    assert spent / number < 100e-6
    dropped = sum(value(metrics, "crossdock_spans_dropped_total", reason=why) for why in ("queue_full", "not_exported"))
    assert value(metrics, "crossdock_spans_dropped_total", reason="queue_full") > 0
    assert dropped == number and value(metrics, "crossdock_spans_exported_total") == 0


def test_a_collector_that_hangs_keeps_no_process_from_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp, "GRACE", 0.1)
    hold = threading.Event()
    with Collector(hold) as slow:
        spans = opened(slow.url, Metrics())
        spans.take(span())
        began = time.monotonic()
        spans.close()
        assert time.monotonic() - began < 2
        hold.set()
