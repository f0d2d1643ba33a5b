"""Metrics: names, units and labels that design.md fixes."""

import re

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families

from crossdock.kernel.metrics import Metrics

BOUNDED = {
    "connector",
    "reason",
    "action",
    "source",
    "route",
    "stage",
    "outcome",
    "code",
    "name",
    "consumer",
    "table",
    "policy",
}
BOUNDED |= {"partner"}  # that keys or sources name
BOUNDED |= {"revision"}  # a process tells the one that it works by


def declared(metrics: Metrics) -> list[Counter | Gauge | Histogram]:
    return [metric for metric in vars(metrics).values() if isinstance(metric, Counter | Gauge | Histogram)]


def test_every_metric_has_our_name_and_bounded_labels() -> None:
    found = declared(Metrics())
    assert len(found) > 10
    for metric in found:
        assert re.fullmatch(r"crossdock_[a-z_]+", metric._name)
        assert set(metric._labelnames) <= BOUNDED


def test_times_are_in_seconds() -> None:
    assert all(metric._name.endswith("_seconds") for metric in declared(Metrics()) if isinstance(metric, Histogram))


def test_the_text_can_be_read_by_prometheus() -> None:
    metrics = Metrics()
    metrics.accepted.labels("tills").inc(3)
    families = {family.name: family for family in text_string_to_metric_families(metrics.text().decode())}
    (sample,) = [s for s in families["crossdock_accepted"].samples if s.name == "crossdock_accepted_total"]
    assert (sample.labels, sample.value) == ({"source": "tills"}, 3)


def test_two_sets_of_metrics_share_nothing() -> None:
    one, other = Metrics(), Metrics()
    one.accepted.labels("tills").inc()
    assert b'source="tills"' not in other.text()
