"""What makes a run void: each kind of wrong count is found and named; and the load is what it should be."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from bench import ingest, route, sinks
from bench.loader import Answers
from bench.sales import make_load, reference, wanted
from bench.sink import Tally, control
from bench.sinks import running_sinks
from bench.stage import PROJECT, records
from crossdock import project


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
    made = records(project.load(PROJECT, {}, strict_env=False), load)
    # then
    assert {record.subject for record in made} == {"raw.bench.tills"}
    assert len({record.key for record in made}) == 200
    assert len({record.payload for record in made}) == 180


def counts(**unlike: Mapping[str, int]) -> dict[str, Mapping[str, int]]:
    return {
        name: {"ok": len(ids), "unique": len(ids), "no_id": 0, **unlike.get(name, {})}
        for name, ids in wanted(make_load(1, 30).sales).items()
    }


def test_a_missing_a_repeated_and_a_foreign_delivery_are_each_named() -> None:
    # given
    ids = wanted(make_load(1, 30).sales)
    whole = {name: dict.fromkeys(some, 1) for name, some in ids.items()}
    missing = {**whole, "erp": dict.fromkeys(list(ids["erp"])[1:], 1)}
    foreign = {**whole, "wms": {**whole["wms"], "nobody's": 1}}
    again = counts(oms={"ok": len(ids["oms"]) + 2})
    # then
    assert sinks.faults(ids, whole, counts()) == []
    assert sinks.faults(ids, missing, counts()) == ["erp: 1 missing"]
    assert sinks.faults(ids, foreign, counts()) == ["wms: 1 unexpected"]
    assert sinks.faults(ids, whole, again) == ["oms: 2 repeated"]
    assert sinks.losses(ids, whole, again) == []
    assert sinks.losses(ids, missing, again) == ["erp: 1 missing"]


def test_a_body_that_the_mapping_did_not_make_is_wrong() -> None:
    # given
    sales = make_load(1, 30).sales
    (to_all, *_) = [sale for sale in sales if len(sale.targets) == 3]
    (to_erp, *_) = [sale for sale in sales if len(sale.targets) == 1]
    good = reference(to_all)
    # then
    assert sinks.wrong_samples(sales, {"oms": [{**good, "more": 1}]}) == []
    assert sinks.wrong_samples(sales, {"oms": [good, {**good, "total": "0.00"}]}) == [
        "oms: 1 of 2 sampled bodies are wrong"
    ]
    assert sinks.wrong_samples(sales, {"oms": [reference(to_erp)]}) == ["oms: 1 of 1 sampled bodies are wrong"]


@pytest.mark.parametrize(
    ("answers", "grown", "word"),
    [
        (Answers(1000, 20, 0, 1.0, {}), 979, "stored"),
        (Answers(1000, 20, 0, 1.0, {}), 980 + 32 + 1, "stored"),
        (Answers(1000, 100, 0, 1.0, {}), 900, "refused"),
        (Answers(1000, 20, 3, 1.0, {}), 980, "without an answer"),
    ],
)
def test_an_ingest_that_lost_stored_too_much_or_failed_is_wrong(answers: Answers, grown: int, word: str) -> None:
    assert [word in fault for fault in ingest.faults(answers, grown, connections=32)] == [True]


def test_a_ledger_that_does_not_add_up_is_wrong() -> None:
    # given
    load = make_load(1, 100, 0.1, 2)
    source = {"accepted": 110, "routed": 98, "duplicate": 10, "dead_lettered": 2, "in_progress": 0}
    even = {"balanced": True, "unexplained": [], "sources": [source], "routes": []}
    lost = {**even, "sources": [{**source, "routed": 97}]}
    parked = {**even, "routes": [{"route": "sales-to-erp", "matched": 98, "delivered": 97}]}
    # then
    assert route.ledger_faults(even, load, warm=10) == []
    assert route.ledger_faults(None, load, warm=10) == []
    assert route.ledger_faults(lost, load, warm=10) == ["97 routed in the ledger, not 98"]
    assert route.ledger_faults(parked, load, warm=10) == ["sales-to-erp: 98 matched, 97 delivered"]


def test_a_sink_counts_only_what_it_took() -> None:
    # given
    tallies = {name: Tally() for name in ("erp", "wms", "oms")}
    control(tallies, "/mode?target=oms&status=503")
    # when
    answers = [tallies[name].take(b'{"event_id": "a"}') for name in ("erp", "erp", "oms")]
    tallies["erp"].take(b"{}")
    # then
    assert [b"200" in answers[0], b"503" in answers[2]] == [True, True]
    assert tallies["erp"].counts() | {"first_ns": 0, "last_ns": 0} == {
        **{"requests": 3, "ok": 3, "unique": 1, "no_id": 1},
        **{"first_ns": 0, "last_ns": 0},
    }
    assert (tallies["oms"].requests, tallies["oms"].ok) == (1, 0)
    assert control(tallies, "/arrivals?target=erp").split()[0::2] == [b"a", b"2"]


def test_the_sink_process_tells_over_http_what_it_got_and_ends_with_the_measure(tmp_path: Path) -> None:
    async def scenario() -> int:
        async with running_sinks(None, tmp_path) as running:
            await running.answer("oms", 503)
            assert await running.arrivals() == {"erp": {}, "wms": {}, "oms": {}}
            assert (await running.counts())["erp"]["ok"] == 0
            return running.pid

    pid = asyncio.run(scenario())
    assert not Path(f"/proc/{pid}").exists()
