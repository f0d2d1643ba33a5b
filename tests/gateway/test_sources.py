"""`POST /v1/sources/{source}`: webhooks as they come, and the questions their senders ask first."""

import asyncio
import gzip
import hashlib
import hmac
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from crossdock.kernel.apikeys import make_key
from tests.asgi import Answer, call
from tests.gateway.door import SALE, Door, document, door
from tests.gateway.test_bad_input import problem_of

SECRET = "it is one"
SHOP = """\
source: shop
partner: webshop
accept: webhook
types: [pos.sale]
verify: {github: {secrets: ["${SHOP_SECRET}", "${SHOP_OLD_SECRET}"]}}
event:
  id: headers."x-id"
  type: '"pos.sale"'
"""
MANY = SHOP.replace("event:\n", "event:\n  each: body.items\n").replace('headers."x-id"', "body.receipt")


def signed(body: bytes, secret: str = SECRET, **headers: str) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    given = {"content-type": "application/json", "x-id": "w-1", "x-hub-signature-256": f"sha256={digest}"}
    return given | {name.replace("_", "-"): value for name, value in headers.items()}


async def shop(root: Path, text: str = SHOP, **env: str) -> Door:
    return await door(root, changes={"gateway/shop.yaml": text}, env={"SHOP_SECRET": SECRET, **env})


async def post(made: Door, body: Any, headers: Mapping[str, str] | None = None, path: str = "shop") -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await call(made.app, "POST", f"/v1/sources/{path}", headers or signed(raw), raw)


def test_a_webhook_is_stored_as_it_came(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await shop(tmp_path)
        raw = json.dumps(SALE, indent=1).encode()
        # when
        answer = await post(made, raw)
        # then
        assert (answer.status, answer.json()) == (202, {"id": "w-1", "status": "accepted"})
        (record,) = made.stored()
        assert (record.subject, record.payload) == ("raw.webshop.shop", raw)
        assert record.headers["ce-id"] == "w-1" and record.headers["ce-source"] == "/webshop/shop"
        assert "x-hub-signature-256" not in record.headers
        assert (await post(made, raw)).json()["status"] == "duplicate"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw, headers: (raw + b" ", headers),
        lambda raw, headers: (raw, {k: v for k, v in headers.items() if not k.startswith("x-hub")}),
        lambda raw, headers: (raw, {**headers, "x-hub-signature-256": "sha256=\xe9"}),
        lambda raw, headers: (raw, signed(raw, "another")),
        lambda raw, headers: (b"{", headers),
    ],
)
def test_what_is_not_signed_is_refused_in_one_way_before_it_is_read(tmp_path: Path, spoil: Any) -> None:
    async def scenario() -> None:
        made = await shop(tmp_path)
        raw = json.dumps(SALE).encode()
        answers = [await post(made, *spoil(raw, signed(raw))), await post(made, raw, {"content-type": "text/plain"})]
        assert answers[0].body == answers[1].body
        problem_of(answers[0], 401, "unauthorized")
        assert made.stored() == []

    asyncio.run(scenario())


def test_both_secrets_count_while_one_replaces_the_other(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await shop(tmp_path, SHOP_OLD_SECRET="the old one")
        raw = json.dumps(SALE).encode()
        for secret, id_ in ((SECRET, "a"), ("the old one", "b")):
            assert (await post(made, raw, signed(raw, secret, x_id=id_))).status == 202

    asyncio.run(scenario())


def test_a_source_whose_secret_is_not_set_takes_nothing_and_stops_nobody(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path, changes={"gateway/shop.yaml": SHOP})
        raw = json.dumps(SALE).encode()
        problem_of(await post(made, raw, signed(raw, "")), 401, "unauthorized")
        assert (await made.post(document())).status == 202

    asyncio.run(scenario())


def test_the_key_of_a_partner_does_not_open_a_source_that_is_proved_otherwise(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await shop(tmp_path)
        key, record = make_key("webshop", 1)
        await made.keys.put(record)
        raw = json.dumps(SALE).encode()
        headers = {"content-type": "application/json", "x-id": "w-1", "authorization": f"Bearer {key}"}
        problem_of(await post(made, raw, headers), 401, "unauthorized")
        answer = await made.post(document(), key=key)
        problem_of(answer, 403, "type_not_accepted")

    asyncio.run(scenario())


def test_a_source_of_events_takes_them_at_its_own_address_with_its_own_key_only(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await shop(tmp_path)
        raw = json.dumps(document()).encode()
        headers = {"content-type": "application/cloudevents+json", "x-api-key": made.key}
        assert (await post(made, raw, headers, "tills")).json()["status"] == "accepted"
        problem_of(await post(made, raw, {**headers, "x-api-key": made.other_key}, "tills"), 401, "unauthorized")
        problem_of(await post(made, raw, headers, "acme"), 401, "unauthorized")
        problem_of(await post(made, raw, headers, "nobody"), 404, "not_found")

    asyncio.run(scenario())


def test_a_body_that_carries_many_is_answered_item_by_item(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await shop(tmp_path, MANY)
        items = [{**SALE, "receipt": "a"}, {**SALE, "receipt": "b", "store": "x"}, {**SALE, "receipt": "c"}]
        answer = await post(made, {"items": items})
        assert answer.status == 202
        found = answer.json()
        assert [(item["index"], item["status"]) for item in found["items"]] == [
            (0, "accepted"),
            (1, "refused"),
            (2, "accepted"),
        ]
        assert found["items"][1]["errors"][0]["pointer"] == "/store"
        assert [json.loads(record.payload)["receipt"] for record in made.stored()] == ["a", "c"]

    asyncio.run(scenario())


def test_the_sender_hears_what_it_wants_to_hear(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await shop(tmp_path, SHOP + 'answer: {status: 200, text: "[accepted]"}\n')
        answer = await post(made, SALE)
        assert (answer.status, answer.body, answer.headers["content-type"]) == (
            200,
            b"[accepted]",
            "text/plain; charset=utf-8",
        )
        problem_of(await post(made, {}), 422, "schema_violation")

    asyncio.run(scenario())


def test_it_does_not_hear_that_when_some_of_many_are_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await shop(tmp_path, MANY + 'answer: {status: 200, text: "[accepted]"}\n')
        assert (await post(made, {"items": [SALE]})).body == b"[accepted]"
        answer = await post(made, {"items": [{**SALE, "receipt": "8"}, {}]})
        assert (answer.status, [item["status"] for item in answer.json()["items"]]) == (202, ["accepted", "refused"])

    asyncio.run(scenario())


def test_an_encoded_body_is_verified_as_it_came_and_stored_as_it_was(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await shop(tmp_path)
        raw = json.dumps(SALE).encode()
        packed = gzip.compress(raw)
        answer = await post(made, packed, signed(packed, content_encoding="gzip"))
        assert answer.status == 202
        assert made.stored()[0].payload == raw
        problem_of(await post(made, raw, signed(raw, content_encoding="br")), 415, "unsupported_encoding")

    asyncio.run(scenario())


def test_what_breaks_its_schema_is_taken_where_the_source_says_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        for word, status in (("quarantine", "quarantined"), ("warn", "accepted")):
            made = await shop(tmp_path, f"{SHOP}on_invalid: {word}\n")
            answer = (await post(made, {**SALE, "store": "x"})).json()
            assert (answer["status"], answer["warnings"][0]["pointer"]) == (status, "/store")
            assert made.metrics.invalid.labels("shop", word)._value.get() == 1

    asyncio.run(scenario())


def test_an_end_that_is_announced_is_told_with_what_is_stored(tmp_path: Path) -> None:
    async def scenario() -> None:
        ends = "deprecated: 2026-12-01\nsunset: 2027-06-01\nlink: https://example.com/move\n"
        made = await shop(tmp_path, SHOP + ends)
        answer = await post(made, SALE)
        assert answer.headers["deprecation"] == "@1796083200"
        assert answer.headers["sunset"] == "Tue, 01 Jun 2027 00:00:00 GMT"
        assert answer.headers["link"] == '<https://example.com/move>; rel="deprecation"'

    asyncio.run(scenario())


def test_a_body_that_carries_no_event_is_not_answered_as_if_one_were_stored(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await shop(tmp_path, MANY)
        problem_of(await post(made, {"items": []}), 422, "no_events")
        problem_of(await post(made, {}), 422, "no_events")

    asyncio.run(scenario())
