"""The measures in small, on real processes: they count right, whoever is measured."""

import asyncio
from dataclasses import replace

from bench import down, ingest, kill, latency, route
from bench.size import CROSSDOCK, HANDWRITTEN, Entry
from tests.bench.sizes import SMALL

ALWAYS, BY_HAND = Entry(CROSSDOCK, "always"), Entry(HANDWRITTEN)


def test_route_delivers_every_event_once_where_it_belongs_and_buries_the_broken() -> None:
    # when
    run = asyncio.run(route.measure(ALWAYS, 1, SMALL))
    # then
    assert run.wrong == ()
    assert (run.figures["repeats"], run.figures["broken"]) == (30, 3)
    assert run.figures["delivered"]["erp"] == 300 - 30 - 3
    assert 0 < run.figures["delivered"]["wms"] < run.figures["delivered"]["erp"]
    assert run.figures["sync_interval"] == "always"
    assert {"nats", "valkey", "worker-0", "gateway", "ops", "own"} < run.figures["cpu_s_per_1000"].keys()


def test_ingest_stores_what_was_accepted_and_refuses_one_in_fifty() -> None:
    # when
    run = asyncio.run(ingest.measure(Entry(CROSSDOCK, "90s", connections=16), 1, SMALL))
    # then
    assert run.wrong == ()
    assert run.figures["accepted"] <= run.figures["stored"] <= run.figures["accepted"] + 16
    assert run.figures["worker"] == "stopped"
    assert run.figures["sync_interval"] == "90s"


def test_latency_sees_every_accepted_event_arrive() -> None:
    # when
    run = asyncio.run(latency.measure(ALWAYS, 1, SMALL))
    # then
    assert run.wrong == ()
    assert run.figures["accepted"] == run.figures["arrived"] == 200
    assert run.figures["redelivered"] == 0
    assert 0 < run.figures["p50_ms"] <= run.figures["p99_ms"] <= run.figures["max_ms"]


def test_down_serves_the_healthy_targets_and_the_other_one_when_it_is_back() -> None:
    # when
    run = asyncio.run(down.measure(ALWAYS, 1, SMALL))
    # then
    assert run.wrong == ()
    assert run.figures["refused_by_oms"] > 0
    assert run.figures["safe"] > 0
    assert run.figures["back_events_per_s"] > 0


def test_kill_loses_nothing_and_leaves_the_ledger_balanced() -> None:
    # when
    run = asyncio.run(kill.measure(ALWAYS, 1, replace(SMALL, events=3_000)))
    # then
    assert run.wrong == ()
    assert run.figures["lost"] == {"erp": 0, "wms": 0, "oms": 0}
    assert run.figures["killed_at"] < 3_000 - 300 - 30


def test_what_is_written_by_hand_does_the_same_work() -> None:
    # when
    routed = asyncio.run(route.measure(BY_HAND, 1, SMALL))
    taken = asyncio.run(ingest.measure(BY_HAND, 1, SMALL))
    # then
    assert (routed.wrong, taken.wrong) == ((), ())
    assert routed.figures["delivered"]["erp"] == 300 - 30 - 3
    assert taken.figures["accepted"] > 0


def test_what_is_written_by_hand_makes_dead_letters_for_a_target_that_is_down() -> None:
    # when
    run = asyncio.run(down.measure(BY_HAND, 1, replace(SMALL, events=100)))
    # then
    assert run.wrong == ()
    assert run.figures["safe"] > 0
    assert "back_events_per_s" not in run.figures
