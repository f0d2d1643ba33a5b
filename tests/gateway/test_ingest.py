"""The gateway takes events: all modes, repeats, batches item by item, and a broker that is away."""

import asyncio
import json
from pathlib import Path

import pytest

from crossdock.kernel import event as events
from journal.entry import unpack
from tests.asgi import call
from tests.gateway.door import BATCH, SALE, STRUCTURED, Door, document, door

BINARY = {
    "ce-specversion": "1.0",
    "ce-id": "s%201€".encode().decode("latin-1"),
    "ce-source": "/till/1",
    "ce-type": "pos.sale",
}


def entries(made: Door) -> list[tuple[str, str, int]]:
    lines = [line for record, _ in made.raw.records if record.subject[:3] != "raw" for line in unpack(record.payload)]
    return [(line.id, line.outcome, line.ref) for line in lines]


def test_a_structured_event_is_stored_as_it_came(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        body = json.dumps(document(), indent=3).encode()
        answer = await made.post(body)
        assert (answer.status, answer.json()) == (202, {"id": "s-1", "status": "accepted"})
        (record,) = made.stored()
        assert (record.subject, record.payload) == ("raw.stores.tills", body)
        assert record.headers["Crossdock-Version"] == "1.0"
        await made.recorder.close()
        assert entries(made) == [("s-1", "accepted", 0)]

    asyncio.run(scenario())


def test_a_binary_event_is_stored_with_its_envelope(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        answer = await made.post(SALE, "application/json", {**BINARY, "ce-shelf": "9", "x-trace": "no"})
        assert (answer.status, answer.json()["id"]) == (202, "s 1€")
        (record,) = made.stored()
        assert record.headers["ce-shelf"] == "9" and "x-trace" not in record.headers
        assert all(value.isascii() for value in record.headers.values())
        event = events.decode(record.headers, record.payload)
        assert (event.id, event.data, event.extensions) == ("s 1€", SALE, {"shelf": "9"})

    asyncio.run(scenario())


@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
def test_a_key_may_come_in_either_header(tmp_path: Path, header: str) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        given = {"content-type": STRUCTURED, header: f"Bearer {made.key}" if header == "authorization" else made.key}
        assert (await call(made.app, "POST", "/v1/events", given, json.dumps(document()).encode())).status == 202

    asyncio.run(scenario())


def test_a_partner_cannot_set_headers_of_ours(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        forged = {
            "crossdock-origin": "1",
            "crossdock-dead-letter": "dl",
            "nats-msg-id": "x",
            "crossdock-version": "9.9",
        }
        await made.post(SALE, "application/json", {**BINARY, **forged})
        (record,) = made.stored()
        assert {name for name in record.headers if name.lower().startswith(("crossdock-", "nats-"))} == {
            "Crossdock-Version",
            "Crossdock-Id",
            "Crossdock-Digest",
        }
        assert record.headers["Crossdock-Version"] == "1.0"

    asyncio.run(scenario())


def test_a_body_in_pieces_is_put_together(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        body = json.dumps(document()).encode()
        assert (await made.post([body[:10], b"", body[10:]])).status == 202
        assert made.stored()[0].payload == body

    asyncio.run(scenario())


def test_a_repeat_is_told_recorded_and_linked_in_whatever_mode_it_comes(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        binary = {**BINARY, "ce-id": "s-1"}
        answers = [
            await made.post(document()),
            await made.post(document(time="2026-01-01T00:00:00Z")),
            await made.post(SALE, "application/json", binary),
        ]
        assert [answer.json()["status"] for answer in answers] == ["accepted", "duplicate", "duplicate"]
        assert len(made.stored()) == 1
        await made.recorder.close()
        assert sorted(entries(made)) == [("s-1", "accepted", 0), ("s-1", "duplicate", 1), ("s-1", "duplicate", 1)]

    asyncio.run(scenario())


def test_the_same_id_with_other_content_is_accepted_for_the_process_step_to_see(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        for receipt in ("7", "8"):
            assert (await made.post(document(data={**SALE, "receipt": receipt}))).json()["status"] == "accepted"
        assert len(made.stored()) == 2

    asyncio.run(scenario())


def test_the_same_id_of_two_partners_is_two_events(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        answers = [await made.post(document(), key=key) for key in (made.key, made.other_key)]
        assert [answer.json()["status"] for answer in answers] == ["accepted", "accepted"]

    asyncio.run(scenario())


def test_a_batch_is_answered_item_by_item(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        await made.post(document("old"))
        batch = [document("a"), document("old"), document("bad", data={}), 7, document("a")]
        answer = await made.post(batch, BATCH)
        found = answer.json()
        assert (answer.status, found["accepted"], found["duplicate"], found["refused"]) == (202, 1, 2, 2)
        assert [(item["index"], item.get("id"), item["status"]) for item in found["items"]] == [
            (0, "a", "accepted"), (1, "old", "duplicate"), (2, "bad", "refused"),
            (3, None, "refused"), (4, "a", "duplicate"),
        ]  # fmt: skip
        assert found["items"][2]["code"] == 422 and found["items"][2]["errors"]
        assert len(made.stored()) == 2

    asyncio.run(scenario())


def test_big_integers_in_a_batch_are_stored_as_they_came(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        member = b'{"specversion":"1.0", "id":"b","source":"/till/1","type":"pos.sale","data":%s}' % (
            b'{"store":"0042","receipt":"7","lines":[{"gtin":"1","qty":9007199254740993}]}'
        )
        assert (await made.post(b"[ " + member + b" ]", BATCH)).status == 202
        assert made.stored()[0].payload == member

    asyncio.run(scenario())


@pytest.mark.parametrize(("batch", "status"), [([], 202), ([document("x", data={})], 422)])
def test_a_batch_without_a_good_member(tmp_path: Path, batch: list[object], status: int) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        assert (await made.post(json.dumps(batch).encode(), BATCH)).status == status
        assert made.stored() == []

    asyncio.run(scenario())


def test_a_broker_that_is_away_is_503_with_retry_after_and_the_next_try_is_taken(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        made.raw.away = 2
        assert (await made.get("/readyz")).status == 503
        single, batch = await made.post(document()), await made.post([document("a"), document("b")], BATCH)
        assert (single.status, batch.status) == (503, 503)
        assert int(single.headers["retry-after"]) > 0 and int(batch.headers["retry-after"]) > 0
        assert single.headers["content-type"] == "application/problem+json"
        assert [item["status"] for item in batch.json()["items"]] == ["unavailable", "unavailable"]
        assert (await made.post(document())).status == 202
        assert (await made.get("/readyz")).status == (await made.get("/livez")).status == 200

    asyncio.run(scenario())
