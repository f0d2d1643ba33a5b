"""The process step on memory ports: every message to its one outcome, however often it comes."""

import asyncio
from pathlib import Path

import pytest

from crossdock.kernel.event import decode_structured
from crossdock.kernel.stream import DEAD_LETTER, DIGEST, ORIGIN, RAW_SEQ, SOURCE, Message
from crossdock.pipeline import process, recorder
from crossdock.pipeline.identity import content_digest, dedupe_key
from dlq.record import replay
from tests.pipeline.scene import ProcessScene
from tests.smallproject import SALE_MAP, edited, sale


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "STORE_RETRY", 0.001)
    monkeypatch.setattr(recorder, "RETRY", 0.001)


def test_an_event_becomes_canonical_and_is_recorded(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = ProcessScene(tmp_path)
        await scene.run([await scene.store(sale("1"))])
        (record,) = scene.under("event.")
        event = decode_structured(record.payload)
        assert (record.subject, record.headers) == ("event.inventory.sold", {SOURCE: "tills", RAW_SEQ: "1"})
        assert event.data == {"location": "STORE-0042", "lines": [{"item": "COFFEE", "quantity": 1}]}
        assert event.extensions == {"partner": "stores", "businesskey": "0042/7"}
        (line,) = scene.entries()
        assert (line.outcome, line.raw, line.seq, line.key, line.type) == ("routed", 1, 1, "0042/7", "inventory.sold")
        assert line.revision == scene.project.revision

    asyncio.run(scenario())


def test_a_partner_cannot_name_itself_in_the_event(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = ProcessScene(tmp_path)
        await scene.run([await scene.store(sale("1", extensions={"partner": "acme"}))])
        assert decode_structured(scene.under("event.")[0].payload).extensions["partner"] == "stores"

    asyncio.run(scenario())


def test_a_repeat_is_recorded_and_linked_to_the_first(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = ProcessScene(tmp_path)
        first = await scene.store(sale("1"))
        repeat = first._replace(seq=2)
        await scene.run([first, repeat])
        await scene.run([first._replace(seq=3)])
        assert len(scene.under("event.")) == 1
        assert [(line.raw, line.ref) for line in scene.entries() if line.outcome == "duplicate"] == [(2, 1), (3, 1)]
        assert scene.metrics.duplicates.labels("tills", "process")._value.get() == 2

    asyncio.run(scenario())


def test_the_same_id_with_other_content_is_kept_as_a_dead_letter(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = ProcessScene(tmp_path)
        messages = [await scene.store(sale("1")), await scene.store(sale("2"))]
        await scene.run(messages)
        (letter,) = scene.letters()
        assert (letter.reason, letter.origin, letter.payload) == ("id_conflict", 2, messages[1].payload)
        assert sorted(line.outcome for line in scene.entries()) == ["dead_lettered", "routed"]

    asyncio.run(scenario())


def test_the_same_id_of_another_source_or_partner_is_another_event() -> None:
    event = sale("1")
    keys = {dedupe_key("stores", event), dedupe_key("acme", event), dedupe_key("stores", sale("1", source="/till/2"))}
    assert len(keys) == 3


def test_what_the_envelope_adds_does_not_make_it_another_event() -> None:
    assert content_digest(sale("1")) == content_digest(sale("1", time="2026-01-01T00:00:00Z", extensions={"a": "b"}))
    assert content_digest(sale("1")) != content_digest(sale("2"))
    assert content_digest(sale("1")) != content_digest(sale("1", type="pos.return"))


def test_the_digest_that_the_gateway_stored_counts_and_is_computed_only_where_there_is_none(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = ProcessScene(tmp_path)
        message = await scene.store(sale("1"))
        without = {name: value for name, value in message.headers.items() if name != DIGEST}
        for seq, given in ((1, {}), (2, {DIGEST: content_digest(sale("1"))}), (3, {DIGEST: "other"})):
            await scene.run([message._replace(seq=seq, headers={**without, **given})])
        assert [line.outcome for line in scene.entries()] == ["routed", "duplicate", "dead_lettered"]

    asyncio.run(scenario())


def test_a_redelivery_is_not_taken_for_a_repeat(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = ProcessScene(tmp_path)
        message = await scene.store(sale("1"))
        for deliveries in (1, 2):
            await scene.run([message._replace(deliveries=deliveries)])
        assert len(scene.under("event.")) == 1
        assert [line.outcome for line in scene.entries()] == ["routed", "routed"]
        assert {line.seq for line in scene.entries()} == {1}

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("gtins", "reason"), [(("99",), "lookup_missing"), ((), "canonical_invalid")], ids=["transform", "canonical"]
)
def test_a_failure_keeps_the_original_bytes_and_leaves_its_neighbours_alone(
    tmp_path: Path, gtins: tuple[str, ...], reason: str
) -> None:
    async def scenario() -> None:
        scene = ProcessScene(tmp_path)
        bad = await scene.store(sale(*gtins, id="bad"))
        await scene.run([await scene.store(sale("1", id="a")), bad, await scene.store(sale("2", id="b"))])
        (letter,) = scene.letters()
        assert (letter.reason, letter.event_id, letter.stage, letter.source) == (reason, "bad", "process", "tills")
        assert letter.payload == bad.payload and letter.problems
        assert sorted(scene.outcomes()) == [("a", "routed"), ("b", "routed"), ("bad", "dead_lettered")]
        line = next(line for line in scene.entries() if line.id == "bad")
        assert (line.reason, line.dead_letter) == (reason, letter.id)
        assert scene.log.message(line.ref).subject == "dlq.process.tills"

    asyncio.run(scenario())


def test_bytes_that_are_no_event_become_a_dead_letter_byte_for_byte(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = ProcessScene(tmp_path)
        garbage = Message(1, "raw.stores.tills", b"\xff\x00{", {"content-type": "application/json"}, 1, 0.0)
        await scene.run([garbage])
        (letter,) = scene.letters()
        assert (letter.payload, letter.reason) == (b"\xff\x00{", "invalid_json")

    asyncio.run(scenario())


def test_a_message_without_our_headers_stops_no_other(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = ProcessScene(tmp_path)
        good = await scene.store(sale("1"))
        foreign = good._replace(seq=2, headers={"content-type": good.headers["content-type"]})
        foreign = foreign._replace(payload=foreign.payload.replace(b'"s-1"', b'"s-2"'))
        await scene.run([foreign, good])
        assert sorted(scene.outcomes()) == [("s-1", "routed"), ("s-2", "dead_lettered")]

    asyncio.run(scenario())


def test_a_transform_that_makes_what_json_cannot_hold_stops_no_other(tmp_path: Path) -> None:
    deep = '($f := function($n) {$n = 0 ? 1 : {"a": $f($n - 1)}}; {"location": "X", "lines": [$f(lines[0].qty)]})'
    changes = {
        SALE_MAP: f"transform: sale\nfrom: pos.sale@1\nto: inventory.sold@1\nmap: '{deep}'\n",
        "transforms/sale.test.yaml": None,
        "routes/stock.test.yaml": None,
    }

    async def scenario() -> None:
        scene = ProcessScene(tmp_path, changes)
        poison = sale(id="deep", data={"store": "0042", "receipt": "7", "lines": [{"gtin": "1", "qty": 260}]})
        await scene.run([await scene.store(poison), await scene.store(sale("1", id="ok"))])
        assert sorted(scene.outcomes()) == [("deep", "dead_lettered"), ("ok", "routed")]

    asyncio.run(scenario())


def test_it_waits_for_the_dedupe_store_and_tells_the_broker_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = ProcessScene(tmp_path)
        scene.seen.away = 3
        await scene.run([await scene.store(sale("1"))])
        assert scene.extended == 3
        assert scene.metrics.dedupe_waits._value.get() == 3
        assert scene.outcomes() == [("s-1", "routed")]

    asyncio.run(scenario())


def test_it_waits_for_the_broker_and_stores_everything_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = ProcessScene(tmp_path)
        messages = [await scene.store(sale("1", id="a")), await scene.store(sale("99", id="b"))]
        scene.log.away = 3
        await scene.run(messages)
        assert (len(scene.under("event.")), len(scene.under("dlq."))) == (1, 1)
        assert sorted(scene.outcomes()) == [("a", "routed"), ("b", "dead_lettered")]

    asyncio.run(scenario())


def test_the_outcome_is_recorded_after_its_result_is_stored(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = ProcessScene(tmp_path)
        await scene.run([await scene.store(sale("1", id="a")), await scene.store(sale("99", id="b"))])
        assert scene.subjects() == ["dlq.process.tills", "event.inventory.sold", "journal.entries"]

    asyncio.run(scenario())


def test_a_replayed_event_is_processed_again_and_resolves_its_dead_letter(tmp_path: Path) -> None:
    async def scenario() -> None:
        # given
        scene = ProcessScene(tmp_path)
        await scene.run([await scene.store(sale("99"))])
        (letter,) = scene.letters()
        # when
        sent = replay(letter, "1")
        table = tmp_path / "transforms/lookups/items.csv"
        mended = ProcessScene(tmp_path, {"transforms/lookups/items.csv": table.read_text() + "99,NEW,New\n"})
        mended.seen, mended.processor._seen = scene.seen, scene.seen
        await mended.run([Message(8, sent.subject, sent.payload, sent.headers, 1, 0.0)])
        # then
        assert (sent.headers[ORIGIN], sent.headers[DEAD_LETTER]) == ("1", letter.id)
        (line,) = mended.entries()
        assert (line.outcome, line.raw, line.dead_letter) == ("routed", 1, letter.id)

    asyncio.run(scenario())


def test_a_conflict_stays_a_conflict_when_replayed_and_is_the_same_dead_letter(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = ProcessScene(tmp_path)
        await scene.run([await scene.store(sale("1")), await scene.store(sale("2"))])
        (letter,) = scene.letters()
        sent = replay(letter, "1")
        await scene.run([Message(9, sent.subject, sent.payload, sent.headers, 1, 0.0)])
        assert [one.id for one in scene.letters()] == [letter.id, letter.id]
        assert scene.letters()[1].seq == 9

    asyncio.run(scenario())


def test_big_integers_pass_the_whole_step(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = ProcessScene(tmp_path, edited(SALE_MAP, '"quantity": qty', '"quantity": qty, "receipt": $$.receipt'))
        data = {"store": "0042", "receipt": "R", "lines": [{"gtin": "1", "qty": 9007199254740993}]}
        await scene.run([await scene.store(sale(data=data))])
        assert b'"quantity":9007199254740993' in scene.under("event.")[0].payload

    asyncio.run(scenario())
