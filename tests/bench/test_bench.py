"""The measures in small, on real processes: they count right, and wrong counts make a run void."""

import asyncio
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from bench import figures, ingest, latency, route, sinks, suite
from bench.figures import Run
from bench.loader import Answers
from bench.sales import make_load, wanted
from bench.size import Size
from bench.stage import PROJECT
from crossdock import project
from crossdock.cli.app import app

SMALL = Size(
    events=300,
    warm_events=50,
    broken=0.01,
    ingest_seconds=1,
    latency_seconds=2,
    warm_seconds=1,
    rate=100,
    own_loader=True,  # wrk is not everywhere
    within=60,
)


def test_route_delivers_every_event_once_where_it_belongs_and_buries_the_broken() -> None:
    async def scenario() -> None:
        # when
        run = await route.measure(1, SMALL)
        # then
        assert run.wrong == ()
        assert (run.figures["repeats"], run.figures["broken"]) == (30, 3)
        assert run.figures["delivered"]["erp"] == 300 - 30 - 3
        assert 0 < run.figures["delivered"]["wms"] < run.figures["delivered"]["erp"]
        assert run.figures["sync_interval"] == "always"
        assert {"nats", "valkey", "worker-0", "gateway", "ops"} < run.figures["cpu_s_per_1000"].keys()

    asyncio.run(scenario())


def test_ingest_stores_what_was_accepted_and_refuses_one_in_fifty() -> None:
    async def scenario() -> None:
        # when
        run = await ingest.measure(1, replace(SMALL, alone=True))
        # then
        assert run.wrong == ()
        assert run.figures["accepted"] <= run.figures["stored"] <= run.figures["accepted"] + ingest.CONNECTIONS
        assert run.figures["worker"] == "stopped"

    asyncio.run(scenario())


def test_latency_sees_every_accepted_event_arrive() -> None:
    async def scenario() -> None:
        # when
        run = await latency.measure(1, SMALL)
        # then
        assert run.wrong == ()
        assert run.figures["accepted"] == run.figures["arrived"] == 200
        assert run.figures["redelivered"] == 0
        assert 0 < run.figures["p50_ms"] <= run.figures["p99_ms"] <= run.figures["max_ms"]

    asyncio.run(scenario())


def test_the_load_is_the_same_for_the_same_salt_and_has_its_repeats_after_the_first() -> None:
    # when
    load, same, other = make_load(1, 500, 0.1, 5), make_load(1, 500, 0.1, 5), make_load(2, 500, 0.1, 5)
    # then
    assert load == same and load.sales[0].id != other.sales[0].id
    assert (len(load.messages), len(load.sales), load.repeats, len(load.broken)) == (500, 450, 50, 5)
    seen: set[str] = set()
    for sale, repeat in load.messages:
        assert (sale.id in seen) == repeat
        seen.add(sale.id)


def test_a_record_of_the_load_is_what_the_gateway_writes_and_a_repeat_passes_the_broker() -> None:
    # given
    load = make_load(1, 200, 0.1)
    # when
    records = route.records(project.load(PROJECT, {}, strict_env=False), load)
    # then
    assert {record.subject for record in records} == {"raw.bench.tills"}
    assert len({record.key for record in records}) == 200
    assert len({record.payload for record in records}) == 180


def test_a_missing_a_repeated_and_a_foreign_delivery_are_each_named() -> None:
    # given
    ids = wanted(make_load(1, 30).sales)
    whole = {name: dict.fromkeys(some, 1) for name, some in ids.items()}
    even = {name: {"unique": len(some), "repeats": 0, "nameless": 0} for name, some in ids.items()}
    missing = {**whole, "erp": dict.fromkeys(list(ids["erp"])[1:], 1)}
    foreign = {**whole, "wms": {**whole["wms"], "nobody's": 1}}
    again = {**even, "oms": {**even["oms"], "repeats": 2}}
    # then
    assert sinks.faults(ids, whole, even) == []
    assert sinks.faults(ids, missing, even) == ["erp: 1 missing"]
    assert sinks.faults(ids, foreign, even) == ["wms: 1 unexpected"]
    assert sinks.faults(ids, whole, again) == ["oms: 2 repeated"]


@pytest.mark.parametrize(
    ("answers", "grown", "word"),
    [
        (Answers(1000, 20, 0, 1.0, {}), 979, "stored"),
        (Answers(1000, 20, 0, 1.0, {}), 980 + ingest.CONNECTIONS + 1, "stored"),
        (Answers(1000, 100, 0, 1.0, {}), 900, "refused"),
        (Answers(1000, 20, 3, 1.0, {}), 980, "without an answer"),
    ],
)
def test_an_ingest_that_lost_stored_too_much_or_failed_is_wrong(answers: Answers, grown: int, word: str) -> None:
    assert [word in fault for fault in ingest.faults(answers, grown)] == [True]


def test_a_ledger_that_does_not_add_up_is_wrong() -> None:
    # given
    load = make_load(1, 100, 0.1, 2)
    source = {"accepted": 110, "routed": 98, "duplicate": 10, "dead_lettered": 2, "in_progress": 0}
    even = {"balanced": True, "unexplained": [], "sources": [source], "routes": []}
    lost = {**even, "sources": [{**source, "routed": 97}]}
    parked = {**even, "routes": [{"route": "sales-to-erp", "matched": 98, "delivered": 97}]}
    # then
    assert route.ledger_faults(even, load, warm=10) == []
    assert route.ledger_faults(lost, load, warm=10) == ["97 routed in the ledger, not 98"]
    assert route.ledger_faults(parked, load, warm=10) == ["sales-to-erp: 98 matched, 97 delivered"]


def test_a_run_that_fails_is_void_and_the_command_exits_1(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # given
    async def breaks(rep: int, size: Size) -> Run:
        if rep == 2:
            raise TimeoutError("not settled")
        return Run("route", rep, {"events_per_s": 1})

    monkeypatch.setitem(suite.MEASURES, "route", breaks)
    monkeypatch.setattr(figures, "RESULTS", tmp_path)
    # when
    result = CliRunner().invoke(app, ["bench", "route", "--reps", "2", "--json"])
    # then
    assert result.exit_code == 1
    document = orjson.loads(result.stdout)
    assert [run["void"] for run in document["runs"]] == [False, True] and document["valid"] is False
    assert "VOID route 2: TimeoutError: not settled" in result.stderr
    assert [orjson.loads(path.read_bytes()) for path in tmp_path.iterdir()] == [document]


def test_options_before_the_measure_are_wrong_use_as_they_would_be_lost() -> None:
    assert CliRunner().invoke(app, ["bench", "--reps", "1", "route"]).exit_code == 2
