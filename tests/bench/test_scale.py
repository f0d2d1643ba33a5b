"""The table of what an event costs with more of everything: its content is real, its counts are right, it compares."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from bench import figures, scale, scale_journal, scale_table
from bench.sales import make_load
from bench.scale import Point
from bench.scale_cases import DIMENSIONS, EVENTS_DIMENSIONS, Case, Stretch, cases, shaped, write_content
from bench.scale_load import Filled, parts
from bench.stage import records
from crossdock.cli.app import app
from crossdock.project import load
from tests.bench.sizes import SMALL

TINY = Stretch(
    events=200, backlog=400, routes=9, sources=4, kib=8, big=50, keys=(3, 20), serial=50, rows=(1_000, 3_000)
)


@pytest.mark.parametrize("dimension", EVENTS_DIMENSIONS)
def test_a_dimension_starts_at_the_base_and_all_of_its_content_loads(dimension: str, tmp_path: Path) -> None:
    # when
    points = cases(dimension, Stretch())
    projects = [load(write_content(case, tmp_path / str(place)), {}, False) for place, case in enumerate(points)]
    # then
    assert len(projects[0].sources) == 1 and len(projects[0].routes) == 3
    assert {case.dimension for case in points} == {dimension}
    assert len(points) > 1


def test_of_fifty_routes_half_of_the_further_ones_are_asked_about_every_event(tmp_path: Path) -> None:
    # when
    project = load(write_content(cases("routes", Stretch())[-1], tmp_path / "content"), {}, False)
    # then
    assert len(project.routes) == 50
    assert len(project.routes_for("inventory.sold")) == 3 + 24


def test_every_source_gets_its_share_of_the_events(tmp_path: Path) -> None:
    # given
    case = cases("sources", Stretch())[-1]
    project = load(write_content(case, tmp_path / "content"), {}, False)
    # when
    names = [
        project.source_for("bench", "pos.sale", orjson.loads(shaped(case, sale, number).body)["source"]).name
        for number, sale in enumerate(make_load(1, 400).sales)
    ]
    # then
    assert len(set(names)) == 200 and max(map(names.count, names)) == 2


def test_ordered_routes_have_as_many_keys_as_the_case_says(tmp_path: Path) -> None:
    # given
    case = cases("keys", TINY)[-1]
    project = load(write_content(case, tmp_path / "content"), {}, False)
    # when
    stores = {orjson.loads(sale.body)["data"]["store"] for load_ in parts(case, SMALL, 1) for sale in load_.sales}
    # then
    assert all(route.order_by is not None for route in project.routes.values())
    assert len(stores) == 20


def test_a_large_event_is_about_as_large_as_the_case_says_and_still_accepted(tmp_path: Path) -> None:
    # given
    case = replace(cases("size", Stretch())[-1], events=20)
    project = load(write_content(case, tmp_path / "content"), {}, False)
    # when
    loads = list(parts(case, SMALL, 1))
    # then
    sizes = [len(sale.body) for load_ in loads for sale in load_.sales]
    assert 60 * 1024 < min(sizes) <= max(sizes) < 68 * 1024
    assert sum(len(records(project, load_)) for load_ in loads) == 20


def test_a_long_backlog_is_made_part_by_part_without_an_id_twice() -> None:
    # given
    filled, most = Filled(), 0
    # when
    for load_ in parts(Case("backlog", "12,000 events", 12_000), SMALL, 1):
        filled.add(load_)
        most = max(most, len(load_.messages))
    # then
    assert (filled.messages, filled.repeats, len(filled.broken)) == (12_000, 1_200, 120)
    assert len(filled.wanted["erp"]) == 12_000 - 1_200 - 120
    assert most == 5_000


@pytest.mark.parametrize(
    "case",
    [
        replace(cases("sources", TINY)[-1], same=6),
        replace(cases("size", TINY)[-1], keys=3),
    ],
    ids=["routes and sources", "size and keys"],
)
def test_a_case_delivers_every_event_once_where_it_belongs(case: Case) -> None:
    # when
    found, wrong = asyncio.run(scale.measure(case, 1, SMALL))
    # then
    assert wrong == []
    assert found["events"] == case.events
    assert found["cpu_s_per_1000"]["own"] > 0 and found["with_servers_s_per_1000"] > found["cpu_s_per_1000"]["own"]
    assert found["ledger_by"] == "ops"


def ledger(**changed: Any) -> dict[str, Any]:
    source = {"accepted": 6, "routed": 4, "duplicate": 1, "dead_lettered": 1, "in_progress": 0}
    route = {"route": "sales-to-erp", "matched": 4, "delivered": 4}
    return {"balanced": True, "unexplained": [], "sources": [source | changed, dict.fromkeys(source, 0)]} | {
        "routes": [route]
    }


def test_the_ledger_of_all_sources_together_must_be_that_of_the_load() -> None:
    # given
    filled = Filled(messages=5, repeats=1, broken={"a"})
    # then
    assert scale.ledger_faults(ledger(), filled, warm=1) == []
    assert scale.ledger_faults(ledger(routed=3, in_progress=1), filled, warm=1) == [
        "3 routed in the ledger, not 4",
        "1 in_progress in the ledger, not 0",
    ]


def test_a_journal_is_measured_at_each_length_and_finds_what_it_holds() -> None:
    # given
    told: list[str] = []
    # when
    short, long = scale_journal.measure(TINY.rows, told.append)
    # then
    assert (short["rows"], long["rows"]) == (1_000, 3_000)
    assert short["us_per_entry"] > 0 and long["by_key_ms"] > 0
    assert told == ["  1,000 entries", "  3,000 entries"]


def point(name: str, own: float, rep: int = 1, most: float | None = 1.25, *wrong: str) -> Point:
    return Point("backlog", name, rep, most, {"cpu_s_per_1000": {"own": own, "worker-0": own / 2}}, wrong)


def test_the_ratio_is_that_of_the_medians_to_the_base() -> None:
    # given
    points = [
        *(point("short", cost, rep) for rep, cost in enumerate((0.1, 0.5, 0.2), 1)),
        *(point("long", cost, rep) for rep, cost in enumerate((0.24, 0.22, 9.9), 1)),
        point("longer", 0.3),
        point("serial", 0.9, 1, None),
    ]
    # when
    found = scale_table.rows(points)
    # then
    assert [(row.name, row.ratio, row.holds) for row in found] == [
        ("short", None, None),
        ("long", 1.2, True),
        ("longer", 1.5, False),
        ("serial", 4.5, None),
    ]


def test_a_case_with_wrong_counts_has_no_ratio_and_makes_the_document_invalid() -> None:
    # given
    points = [point("short", 0.2), point("long", 0.2, 1, 1.25, "erp: 1 missing")]
    # then
    assert [(row.counted, row.ratio) for row in scale_table.rows(points)] == [(1, None), (0, None)]
    assert scale_table.document(points)["valid"] is False


def test_the_command_takes_the_dimensions_that_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # given
    asked: list[tuple[Any, ...]] = []

    async def taken(names: list[str], reps: int, size: Any, *_: Any) -> list[Point]:
        asked.append((names, reps, size.workers))
        return [point("short", 0.2), point("long", 0.3)]

    monkeypatch.setattr(scale, "take", taken)
    monkeypatch.setattr(figures, "RESULTS", tmp_path)
    # when
    some = CliRunner().invoke(app, ["bench", "scale", "--only", "backlog,keys", "--workers", "2", "--json"])
    all_ = CliRunner().invoke(app, ["bench", "scale", "--reps", "2"])
    wrong = CliRunner().invoke(app, ["bench", "scale", "--only", "speed"])
    # then
    assert asked == [(["backlog", "keys"], 1, 2), ([*DIMENSIONS], 2, 1)]
    assert [row["ratio"] for row in orjson.loads(some.stdout)["summary"]] == [None, 1.5]
    assert "NO" in all_.stdout
    assert (some.exit_code, all_.exit_code, wrong.exit_code) == (0, 0, 2)
