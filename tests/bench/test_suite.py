"""The suite takes turns, goes on after a run that failed, and reads what the peers' harness says."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from bench import figures, peers, suite, toolchain
from bench.figures import Run
from bench.size import CROSSDOCK, Entry, Size
from bench.suite import Plan
from bench.toolchain import Toolchain
from crossdock.cli.app import app

CAMEL = Entry("camel")


def test_all_entries_take_turns_within_each_repetition() -> None:
    # given
    plan = Plan(["route"], reps=2, syncs=["2m", "always"], others=["ceiling"])
    # when
    turns = [(rep, entry.label) for _, rep, entry in suite.turns(plan)]
    # then
    once = ["crossdock 2m", "crossdock always", "ceiling 2m"]
    assert turns == [(rep, label) for rep in (1, 2) for label in once]


def test_ingest_is_also_taken_with_many_connections_where_every_message_is_written_first() -> None:
    assert [entry.label for entry in Plan(["ingest"], syncs=["2m", "always"]).entries("ingest")] == [
        "crossdock 2m",
        "crossdock always",
        "crossdock always, 256 connections",
    ]


def test_a_kill_is_not_taken_of_what_nobody_starts_again() -> None:
    plan = Plan(["kill"], syncs=["always"], others=["camel", "handwritten"])
    assert [entry.label for entry in plan.entries("kill")] == ["crossdock always", "camel 2m"]


def test_a_kill_that_is_asked_of_it_is_said_not_to_be_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # given
    async def taken(entry: Entry, rep: int, size: Size) -> Run:
        return Run("kill", entry, rep, {"events_per_s": size.events})

    monkeypatch.setitem(suite.MEASURES, "kill", taken)
    monkeypatch.setattr(figures, "RESULTS", tmp_path)
    # when
    result = CliRunner().invoke(app, ["bench", "kill", "--reps", "1", "--peers", "handwritten", "--json"])
    # then
    assert "handwritten has no kill" in result.stderr


def test_without_the_peers_it_is_compared_with_what_is_written_by_hand(tmp_path: Path) -> None:
    # given
    nowhere = Toolchain(tmp_path / "source", tmp_path / "built")

    async def others(asked: str) -> list[str]:
        return await suite.others(asked, nowhere, print)

    # then
    assert asyncio.run(others("auto")) == ["handwritten"]
    assert asyncio.run(others("none")) == []
    with pytest.raises(ValueError, match="camel is not ready here"):
        asyncio.run(others("handwritten,camel"))


def test_the_peers_are_looked_for_where_the_environment_says(tmp_path: Path) -> None:
    # when
    found = toolchain.find({"PEERS_SOURCE": str(tmp_path), "PEERS_BUILT": str(tmp_path / "built")})
    # then
    assert (found.source, found.built) == (tmp_path, tmp_path / "built")
    assert found.sink is None
    assert found.ready() == []


ROUTED = {
    "measure": "B",
    "peer": "camel",
    "ok": True,
    "n": 60_000,
    "rate": 2_960,
    "drain_s": 20.27,
    "cpu_per_1000": 0.41,
    "nats_cpu_per_1000": 0.05,
    "peak_rss": 900,
    "calib_ms": 70.1,
}


@pytest.mark.parametrize(
    ("measure", "line", "part"),
    [
        ("route", ROUTED, {"events_per_s": 2_960, "events": 60_000, "calibration_ms": 70.1}),
        ("route", ROUTED, {"cpu_s_per_1000": {"own": 0.41, "nats": 0.05}, "peak_rss_mib": {"own": 900}}),
        ("ingest", {"ok": True, "rps": 100, "accepted_rps": 98, "p99_ms": 7.5}, {"events_per_s": 98, "p99_ms": 7.5}),
        ("latency", {"ok": True, "rate": 500, "p50_ms": 0.8}, {"p50_ms": 0.8}),
        ("kill", {"settled": True, "lost": {"erp": 0}, "duplicated": {"erp": 9}}, {"duplicated": {"erp": 9}}),
    ],
)
def test_a_line_of_the_peers_harness_is_read_in_our_terms(
    measure: str, line: Mapping[str, Any], part: Mapping[str, Any]
) -> None:
    run = peers.parse(measure, CAMEL, 1, line)
    assert run.wrong == ()
    assert {name: run.figures[name] for name in part} == part


def test_the_rate_of_arrivals_is_no_speed() -> None:
    assert "events_per_s" not in peers.parse("latency", CAMEL, 1, {"ok": True, "rate": 500}).figures


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ({"ok": False, "rate": 1}, "its harness found wrong counts"),
        ({"ok": False, "error": "RuntimeError()"}, "RuntimeError()"),
        ({"settled": False}, "it did not settle in time"),
    ],
)
def test_a_run_that_the_harness_does_not_count_is_void(line: Mapping[str, Any], wrong: str) -> None:
    assert peers.parse("route", CAMEL, 1, line).wrong == (wrong,)


def test_a_run_that_fails_is_void_and_the_command_exits_1(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # given
    async def breaks(entry: Entry, rep: int, size: Size) -> Run:
        if rep == 2:
            raise TimeoutError("not settled")
        return Run("route", entry, rep, {"events_per_s": 1})

    monkeypatch.setitem(suite.MEASURES, "route", breaks)
    monkeypatch.setattr(figures, "RESULTS", tmp_path)
    # when
    result = CliRunner().invoke(app, ["bench", "route", "--reps", "2", "--sync", "always", "--json"])
    # then
    assert result.exit_code == 1
    document = orjson.loads(result.stdout)
    assert [run["void"] for run in document["runs"]] == [False, True] and document["valid"] is False
    assert [(one["label"], one["counted"]) for one in document["summary"]] == [("crossdock always", 1)]
    assert "VOID route 2 crossdock always: TimeoutError: not settled" in result.stderr
    assert [orjson.loads(path.read_bytes()) for path in tmp_path.iterdir()] == [document]


def test_one_measure_is_crossdock_alone_unless_peers_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # given
    async def taken(entry: Entry, rep: int, size: Size) -> Run:
        return Run("down", entry, rep, {"events_per_s": size.events})

    monkeypatch.setitem(suite.MEASURES, "down", taken)
    monkeypatch.setattr(figures, "RESULTS", tmp_path)
    # when
    alone = CliRunner().invoke(app, ["bench", "down", "--reps", "1", "--events", "500", "--json"])
    beside = CliRunner().invoke(app, ["bench", "down", "--reps", "1", "--peers", "handwritten", "--json"])
    # then
    labels = [[run["label"] for run in orjson.loads(result.stdout)["runs"]] for result in (alone, beside)]
    assert labels == [
        [Entry(CROSSDOCK, "2m").label, Entry(CROSSDOCK, "always").label],
        [Entry(CROSSDOCK, "2m").label, Entry(CROSSDOCK, "always").label, "handwritten 2m"],
    ]
    assert orjson.loads(alone.stdout)["runs"][0]["figures"]["events_per_s"] == 500


def test_without_a_name_all_measures_are_taken_and_shown_in_one_table(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # given
    def taken(name: str) -> suite.Measure:
        async def measure(entry: Entry, rep: int, size: Size) -> Run:
            return Run(name, entry, rep, {"events_per_s": 1_000 + rep})

        return measure

    for name in list(suite.MEASURES):
        monkeypatch.setitem(suite.MEASURES, name, taken(name))
    monkeypatch.setattr(figures, "RESULTS", tmp_path)
    # when
    result = CliRunner().invoke(app, ["bench", "--peers", "handwritten"])
    # then
    assert result.exit_code == 0
    rows = [line.split("│")[1:3] for line in result.stdout.splitlines() if "│" in line]
    assert [row[0].strip() for row in rows] == [
        name
        for name, number in (("ingest", 4), ("route", 3), ("latency", 3), ("down", 3), ("kill", 2))
        for _ in range(number)
    ]
    assert "1,002 (1,001-1,003)" in result.stdout
    assert "handwritten 2m keeps 100% of its rate while one target is down" in result.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["--reps", "1", "route"],  # it would be lost
        ["route", "--peers", "nobody"],
        ["route", "--peers", "camel,none"],
        ["route", "--sync", "sometimes"],
    ],
)
def test_wrong_use_exits_2(words: list[str]) -> None:
    assert CliRunner().invoke(app, ["bench", *words]).exit_code == 2
