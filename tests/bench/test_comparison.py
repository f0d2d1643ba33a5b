"""Medians, ranges, ratios and tables over the runs; a void run is shown and does not count."""

import pytest
from rich.console import Console

from bench import comparison, figures
from bench.comparison import Range
from bench.figures import Run
from bench.size import CROSSDOCK, Entry

OURS, CEILING, CAMEL = Entry(CROSSDOCK), Entry("ceiling"), Entry("camel")
PYTHON, BY_HAND = Entry("python"), Entry("handwritten")


def runs(measure: str, entry: Entry, *speeds: float, name: str = "events_per_s") -> list[Run]:
    return [Run(measure, entry, rep, {name: speed}) for rep, speed in enumerate(speeds, 1)]


def test_a_summary_has_the_median_and_the_range_of_the_runs_that_count() -> None:
    # given
    void = Run("route", OURS, 4, {"events_per_s": 9_999}, ("erp: 1 missing",))
    # when
    (one,) = comparison.summaries([*runs("route", OURS, 300, 100, 200), void])
    # then
    assert one.figures["events_per_s"] == Range(200, 100, 300)
    assert (one.counted, one.taken) == (3, 4)


def test_ratios_are_to_the_best_peer_the_ceiling_and_what_is_written_by_hand() -> None:
    # when
    ours, *others = comparison.summaries(
        [
            *runs("route", OURS, 6_000),
            *runs("route", CEILING, 12_000),
            *runs("route", CAMEL, 3_000),
            *runs("route", PYTHON, 300),
        ]
    )
    # then
    assert ours.ratios == {"best peer": 2.0, "ceiling": 0.5, "by hand": 20.0}
    assert [other.ratios for other in others] == [{}, {}, {}]


def test_of_latency_the_p99_is_compared_and_the_lowest_peer_is_the_best() -> None:
    # when
    ours, *_ = comparison.summaries(
        [
            *runs("latency", OURS, 6.0, name="p99_ms"),
            *runs("latency", CAMEL, 3.0, name="p99_ms"),
            *runs("latency", BY_HAND, 60.0, name="p99_ms"),
        ]
    )
    # then
    assert ours.ratios == {"best peer": 2.0, "by hand": 0.1}


def test_an_entry_without_a_run_that_counts_is_shown_and_compared_with_nobody() -> None:
    # when
    found = comparison.summaries([Run("route", OURS, 1, {}, ("TimeoutError",)), *runs("route", CAMEL, 3_000)])
    # then
    assert [(one.counted, one.taken, one.ratios) for one in found] == [(0, 1, {}), (1, 1, {})]
    assert "0 of 1" in shown(found)


def test_the_table_has_a_row_for_each_entry_of_each_measure() -> None:
    # given
    found = comparison.summaries([*runs("route", OURS, 6_000, 5_000, 7_000), *runs("down", OURS, 5_700)])
    # then
    assert "6,000 (5,000-7,000)" in shown(found)
    assert [line.split()[1] for line in shown(found).splitlines() if "crossdock" in line] == ["route", "down"]


def shown(found: list[comparison.Summary]) -> str:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(comparison.table(found))
    return capture.get()


def test_what_is_kept_of_the_rate_while_a_target_is_down_is_a_share_of_the_same_entrys_route() -> None:
    found = comparison.summaries([*runs("route", OURS, 6_000), *runs("down", OURS, 5_700), *runs("down", CAMEL, 10)])
    assert comparison.kept_while_down(found) == {OURS.label: 0.95}


def test_the_details_of_a_measure_have_a_column_for_each_entry() -> None:
    # given
    console = Console(width=200)
    given = [Run("route", OURS, rep, {"cpu_s_per_1000": {"nats": rep}, "sink": "own"}) for rep in (1, 2, 4)]
    # when
    with console.capture() as capture:
        console.print(*figures.details([*given, Run("route", CAMEL, 1, {}, ("void",))]))
    # then
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in capture.get().splitlines()]
    assert ["cpu_s_per_1000 nats", "2", ""] in rows
    assert ["sink", "own", ""] in rows
    assert "camel 2m VOID" in capture.get()


@pytest.mark.parametrize(("value", "text"), [(11_100.4, "11,100"), (0.12346, "0.1235"), (95.0, "95")])
def test_a_figure_is_shown_as_exactly_as_it_was_measured(value: float, text: str) -> None:
    assert figures.number(value) == text
