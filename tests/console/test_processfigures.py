"""Figures as they are told: beside those of the week before, where the time goes, and over time."""

from collections.abc import Iterator

import pytest

from console import processfigures
from crossdock.adapters.sql import SqlJournal
from journal.figures import DAY, HOUR, MS
from tests.ports.test_processes_port import T0, WEEK, event, project


@pytest.fixture
def store() -> Iterator[SqlJournal]:
    store = SqlJournal("sqlite://")
    yield store
    store.close()


def test_the_week_before_stands_beside(store: SqlJournal) -> None:
    old = [line for raw in range(1, 5) for line in event(raw, T0 - WEEK + raw, sent=10, ms=0)]
    new = [line for raw in range(10, 16) for line in event(raw, T0 + raw, sent=20, ms=0)]
    project(store, [old, new])
    (item,) = processfigures.table(store.processes, T0, T0 + HOUR * MS, "route", 9)["items"]
    assert (item["value"], item["count"], item["p95"]) == ("stock", 6, 20)
    assert (item["before"]["count"], item["before"]["p95"], item["change"]["count"], item["change"]["p95"]) == (
        4, 10, 0.5, 1.0,
    )  # fmt: skip


def test_an_hour_that_is_half_over_is_compared_with_half_of_that_of_the_week_before(store: SqlJournal) -> None:
    old = [line for raw in range(1, 5) for line in event(raw, T0 - WEEK + raw, sent=10, ms=0)]
    new = [line for raw in range(10, 13) for line in event(raw, T0 + raw, sent=10, ms=0)]
    project(store, [old, new])
    half = T0 + HOUR * MS // 2
    found = processfigures.table(store.processes, T0, half, "route", 9, half)
    assert (found["items"][0]["before"]["count"], found["items"][0]["change"]["count"]) == (4, 0.5)
    assert (found["all"]["count"], found["all"]["change"]["count"], found["all"]["change"]["p95"]) == (3, 0.5, 0)


def test_where_the_time_goes_adds_up(store: SqlJournal) -> None:
    project(store, [event(1, T0, ms=5, sent=15)])
    for by in ("route", "type", "store"):
        (item,) = processfigures.table(store.processes, T0, T0 + HOUR * MS, by, 9)["items"]
        shares = {hop["hop"]: hop["share"] for hop in item["hops"]}
        assert sum(shares.values()) == pytest.approx(1)
        assert shares["process"] == pytest.approx(0.25)


def test_a_figure_over_time_has_a_point_for_each_step_that_has_any(store: SqlJournal) -> None:
    project(store, [event(1, T0, sent=20), event(2, T0 + 2 * HOUR * MS, sent=300)])
    line = processfigures.Line("total", "stock", "", "")
    made = processfigures.series(store.processes, line, T0, T0 + DAY * MS, HOUR)
    assert [(point["at"], point["count"]) for point in made["points"]] == [(T0, 1), (T0 + 2 * HOUR * MS, 1)]
    assert [sum(point["heat"]) for point in made["points"]] == [1, 1]
    by_day = processfigures.series(store.processes, line, T0, T0 + DAY * MS, DAY)
    assert [(point["at"], point["count"]) for point in by_day["points"]] == [(T0, 2)]
