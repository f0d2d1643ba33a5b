"""Requests that cost the sender little and the gateway much, or that say one thing and mean another."""

import asyncio
import gzip
import json
import tracemalloc
from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway import lot
from tests.asgi import call
from tests.gateway import door as doors
from tests.gateway.door import BATCH, SALE, STRUCTURED, Door, document, door
from tests.gateway.test_bad_input import problem_of
from tests.smallproject import TILLS, edited, source

NDJSON = "application/x-ndjson"
SLOW = edited(TILLS, "[pos.sale]\n", "[pos.sale]\nlimits: {rate: 1/m, burst: 1}\n")
GZIP = {"content-encoding": "gzip"}


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "BODY_LIMIT", 1 << 20)


def binary(id_: str) -> dict[str, str]:
    return {"ce-specversion": "1.0", "ce-id": id_, "ce-source": "/till/1", "ce-type": "pos.sale"}


def test_a_batch_of_too_many_is_refused_before_it_is_cut(tmp_path: Path, large: None) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        body = gzip.compress(b"[" + b"1," * 500_000 + b"1]")
        began = asyncio.get_running_loop().time()
        problem_of(await made.post(body, BATCH, GZIP), 413, "batch_too_large")
        assert asyncio.get_running_loop().time() - began < 0.3

    asyncio.run(scenario())


def test_the_answer_to_a_stream_of_bad_lines_stays_small(
    tmp_path: Path, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lot, "TOLD", 200_000)

    async def scenario() -> None:
        # given lines that are each wrong in a hundred places
        made = await door(tmp_path)
        wrong = document("x", data={"store": "1", "receipt": 1, "lines": [{}] * 100})
        body = gzip.compress((json.dumps(wrong).encode() + b"\n") * 1000)
        tracemalloc.start()
        # when
        answer = await made.post(body, NDJSON, GZIP)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        # then
        items = answer.json()["items"]
        assert (answer.status, len(items), answer.json()["refused"]) == (422, 1000, 1000)
        assert (len(items[0]["errors"]), "errors" in items[-1], items[-1]["code"]) == (5, False, 422)
        assert len(answer.body) < 2_500_000 and most < 16 << 20

    asyncio.run(scenario())


def test_what_is_refused_counts_against_the_limit_too(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path, changes=SLOW)
        answers = [(await made.post(document(data={"store": "1"}))).status for _ in range(3)]
        assert answers == [422, 429, 429]

    asyncio.run(scenario())


def test_an_event_larger_than_any_may_be_is_not_read(tmp_path: Path, large: None) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        problem_of(await made.post(b"{ never read" + b" " * 5000), 413, "body_too_large")

    asyncio.run(scenario())


def test_one_idempotency_key_does_not_stand_for_two_events(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        key = {"idempotency-key": '"k"'}
        first = await made.post(SALE, "application/json", {**binary("s-1"), **key})
        assert first.json() == {"id": "s-1", "status": "accepted"}
        problem_of(await made.post(SALE, "application/json", {**binary("s-2"), **key}), 422, "idempotency_mismatch")

    asyncio.run(scenario())


def test_an_answer_that_is_told_again_does_not_tell_old_limits(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path, changes=edited(TILLS, "[pos.sale]\n", "[pos.sale]\nlimits: {rate: 9/s}\n"))
        key = {"idempotency-key": '"k"'}
        first, again = [await made.post(document(), headers=key) for _ in range(2)]
        assert ("ratelimit" in first.headers, "ratelimit" in again.headers) == (True, False)
        assert again.headers["idempotency-replayed"] == "true"

    asyncio.run(scenario())


def test_a_stream_ends_when_its_key_is_revoked(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        sent = await _stream(made)
        assert sent[0]["status"] == 401
        assert len(made.stored()) <= 500

    asyncio.run(scenario())


async def _stream(made: Door) -> list[Mapping[str, object]]:
    """Send three times 500 lines, and revoke the key after the first."""
    chunks = [
        b"".join(json.dumps(document(f"n-{part}-{line}")).encode() + b"\n" for line in range(500)) for part in range(3)
    ]
    left, sent = list(chunks), list[Mapping[str, object]]()

    async def receive() -> Mapping[str, object]:
        if len(left) == 2:
            await made.keys.remove(made.keys.records()[0].id)
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message: Mapping[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "path": "/v1/events", "raw_path": b"/v1/events",
        "query_string": b"", "headers": [(b"x-api-key", made.key.encode()), (b"content-type", NDJSON.encode())],
        "client": ("127.0.0.1", 1), "root_path": "", "scheme": "http", "server": ("127.0.0.1", 80),
    }  # fmt: skip
    await made.app(scope, receive, send)  # type: ignore[arg-type]
    return sent


def test_events_over_what_their_source_takes_at_once_are_to_be_sent_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        # given a partner with a small and a large source
        tills = edited(TILLS, "accept:", "match: /till/\nlimits: {batch: 3}\naccept:")
        made = await door(
            tmp_path, changes={**tills, "gateway/kiosks.yaml": source("kiosks", "stores", "match: /kiosk/")}
        )
        # when
        answer = await made.post([document(f"b-{number}") for number in range(5)], BATCH)
        # then
        found = [(item["id"], item["status"]) for item in answer.json()["items"]]
        assert (answer.status, found[2:]) == (413, [("b-2", "accepted"), ("b-3", "limited"), ("b-4", "limited")])
        assert (await made.post(document("b-4"))).json()["status"] == "accepted"

    asyncio.run(scenario())


def test_a_key_of_one_source_and_the_id_of_another_are_not_the_same(tmp_path: Path) -> None:
    async def scenario() -> None:
        keyed = source("till", "stores", "match: /cash/", "dedupe: {key: receipt}")
        changes = {**edited(TILLS, "accept:", "match: till\naccept:"), "gateway/till.yaml": keyed}
        made = await door(tmp_path, changes=changes)
        assert (await made.post(document("x", source="/cash/1"))).json()["status"] == "accepted"
        assert (await made.post(document("7", source="till"))).json()["status"] == "accepted"

    asyncio.run(scenario())


def test_the_events_of_a_source_begin_as_it_says_at_its_own_address_too(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path, changes=edited(TILLS, "accept:", "match: /till/\naccept:"))
        headers = {"x-api-key": made.key, "content-type": STRUCTURED}
        raw = json.dumps(document("a", source="/kiosk/1")).encode()
        answer = await call(made.app, "POST", "/v1/sources/tills", headers, raw)
        assert problem_of(answer, 403, "type_not_accepted")["errors"][0]["pointer"] == "/source"

    asyncio.run(scenario())


def test_no_answer_leads_anywhere_else(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        problem_of(await call(made.app, "GET", "/v1/catalog/", {"host": "evil.example"}), 404, "not_found")

    asyncio.run(scenario())
