"""Figures as they are told: beside those of the week before, where the time goes, and over time."""

from collections.abc import Iterator

import pytest

from console import processfigures
from crossdock.adapters.sql import SqlJournal
from journal import entry
from journal.figures import DAY, HOUR, MINUTE, MS
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
    made = processfigures.series(store.processes, line, T0, T0 + DAY * MS, HOUR, T0 + DAY * MS)
    assert [(point["at"], point["count"]) for point in made["points"]] == [(T0, 1), (T0 + 2 * HOUR * MS, 1)]
    assert [sum(point["heat"]) for point in made["points"]] == [1, 1]
    by_day = processfigures.series(store.processes, line, T0, T0 + DAY * MS, DAY, T0 + DAY * MS)
    assert [(point["at"], point["count"]) for point in by_day["points"]] == [(T0, 2)]


@pytest.mark.parametrize(("passed", "speed"), [(9_999, None), (10_000, 0.2), (40_000, 0.05), (90_000, 0.0333)])
def test_the_speed_of_the_step_under_way_is_of_the_time_that_has_passed(
    store: SqlJournal, passed: int, speed: float | None
) -> None:
    # given
    project(store, [event(1, T0), event(2, T0 + 1)])
    line = processfigures.Line("accepted", "", "", "")
    # when
    made = processfigures.series(store.processes, line, T0, T0 + HOUR * MS, MINUTE, T0 + passed)
    # then
    assert [(point["count"], point["per_second"]) for point in made["points"]] == [(2, speed)]


def test_what_the_process_step_gives_up_counts_among_dead_letters(store: SqlJournal) -> None:
    # given
    first, made, sent = event(1, T0)[0], *event(2, T0)[1:3]
    gone = made._replace(outcome=entry.DEAD_LETTERED, dead_letter="dl-1", reason="lookup_missing")
    again = gone._replace(raw=3, reason="id_conflict", dead_letter="dl-2")
    held = gone._replace(raw=4, outcome=entry.QUARANTINED, dead_letter="dl-3")
    refused = sent._replace(outcome=entry.DEAD_LETTERED, dead_letter="dl-4")
    project(store, [[first, gone._replace(raw=1), again, held], [*event(2, T0)[:2], refused]])
    # when
    by_type = processfigures.table(store.processes, T0, T0 + HOUR * MS, "type", 9)["all"]
    (route,) = processfigures.table(store.processes, T0, T0 + HOUR * MS, "route", 9)["items"]
    # then
    assert (by_type["dead_letters"], route["dead_letters"]) == (4, 1)
