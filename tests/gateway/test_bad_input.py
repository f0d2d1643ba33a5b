"""Bad input at the gateway: the right status, a precise problem, nothing stored, the next request served."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.asgi import call
from tests.gateway.door import BATCH, BODY_LIMIT, SALE, STRUCTURED, Door, document, door

MANY_BYTES = json.dumps(document("\u20ac" * 400), ensure_ascii=False).encode()
BAD_LINES = {"store": "x", "receipt": "7", "lines": [{"gtin": 1, "qty": 0}], "colour": "red"}
OPAQUE = {**{key: value for key, value in document().items() if key != "data"}, "data_base64": "AA=="}
CASES: dict[str, tuple[Any, str, int, str]] = {
    "not json": (b"{", STRUCTURED, 400, "invalid_json"),
    "no body": (b"", STRUCTURED, 400, "invalid_json"),
    "not an object": (b"[]", STRUCTURED, 400, "invalid_envelope"),
    "not utf-8": (b"\xff\xfe", STRUCTURED, 400, "invalid_json"),
    "too deep": (b'{"data":' + b"[" * 70 + b"]" * 70 + b"}", STRUCTURED, 400, "too_deep"),
    "no exact number": (json.dumps(document(data={"n": 10**30})).encode(), STRUCTURED, 400, "number_not_exact"),
    "no content type": (document(), "", 415, "unsupported_media_type"),
    "wrong content type": (document(), "text/xml", 415, "unsupported_media_type"),
    "events as xml": (document(), "application/cloudevents+xml", 415, "unsupported_media_type"),
    "almost the media type": (document(), "application/cloudevents+json-foo", 415, "unsupported_media_type"),
    "json that is said to be xml": (document(datacontenttype="text/xml"), STRUCTURED, 415, "unsupported_media_type"),
    "a key twice": (b'{"specversion":"1.0","id":"a","id":"b"}', STRUCTURED, 400, "invalid_json"),
    "a key twice, spaced": (b'{"specversion" : "1.0", "id" : "a", "id" : "b"}', STRUCTURED, 400, "invalid_json"),
    "a long id": (document("i" * 1025), STRUCTURED, 400, "invalid_envelope"),
    "an id of many bytes": (MANY_BYTES, STRUCTURED, 400, "invalid_envelope"),
    "no id": ({k: v for k, v in document().items() if k != "id"}, STRUCTURED, 400, "invalid_envelope"),
    "empty id": (document(""), STRUCTURED, 400, "invalid_envelope"),
    "empty source": (document(source=""), STRUCTURED, 400, "invalid_envelope"),
    "no type": ({k: v for k, v in document().items() if k != "type"}, STRUCTURED, 400, "invalid_envelope"),
    "binary without headers": (SALE, "application/json", 400, "invalid_envelope"),
    "data is not json": (OPAQUE, STRUCTURED, 415, "unsupported_media_type"),
    "unknown type": (document(type="pos.void"), STRUCTURED, 422, "unknown_type"),
    "type of others": (document(type="inventory.sold"), STRUCTURED, 403, "type_not_accepted"),
    "unknown version": (document(dataschema="crossdock:/pos.sale/9.0"), STRUCTURED, 422, "unknown_version"),
    "schema": (document(data=BAD_LINES), STRUCTURED, 422, "schema_violation"),
    "no data": (document(data=None), STRUCTURED, 422, "schema_violation"),
    "body over the source's limit": (document(data={**SALE, "receipt": "x" * 3000}), STRUCTURED, 413, "body_too_large"),
    "body over the gateway's limit": (b" " * (BODY_LIMIT + 1), STRUCTURED, 413, "body_too_large"),
    "batch over the limit": ([document(str(i)) for i in range(6)], BATCH, 413, "batch_too_large"),
    "batch is no array": (document(), BATCH, 400, "invalid_json"),
}  # fmt: skip


def problem_of(answer: Any, status: int, code: str) -> dict[str, Any]:
    """Check the shape of RFC 9457 and return the document."""
    found: dict[str, Any] = answer.json()
    assert (answer.status, found["status"], found["type"]) == (status, status, f"urn:crossdock:problem:{code}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "errors"} == set(found)
    assert found["title"] and found["detail"] and found["errors"]
    assert all(set(error) == {"pointer", "rule", "message"} for error in found["errors"])
    return found


async def still_serves(made: Door) -> None:
    before = len(made.stored())
    answer = await made.post(document(f"after-{before}"))
    assert (answer.status, len(made.stored())) == (202, before + 1)


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_refused_precisely_and_nothing_is_stored(tmp_path: Path, case: str) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        body, media, status, code = CASES[case]
        problem_of(await made.post(body, media), status, code)
        assert made.raw.records == []
        assert made.metrics.rejected.labels(code, "stores")._value.get() == 1
        await still_serves(made)

    asyncio.run(scenario())


def test_every_violation_of_the_schema_is_told_with_pointer_and_rule(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        found = problem_of(await made.post(document(data=BAD_LINES)), 422, "schema_violation")
        told = {(error["pointer"], error["rule"]) for error in found["errors"]}
        assert {("/store", "pattern"), ("/lines/0/gtin", "type"), ("/lines/0/qty", "minimum")} <= told
        assert any(rule == "additionalProperties" for _, rule in told)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer cdk_0_0"},
        {"authorization": "Basic abc"},
        {"authorization": "", "x-api-key": "nonsense"},
        {"authorization": "Bearer ü"},
    ],
)
def test_without_a_valid_key_nobody_is_told_more(tmp_path: Path, headers: dict[str, str]) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        answer = await made.post(document(), headers=headers)
        problem_of(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert made.raw.records == []
        await still_serves(made)

    asyncio.run(scenario())


def test_a_revoked_key_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        await made.keys.remove(made.key.split("_")[1])
        problem_of(await made.post(document()), 401, "unauthorized")

    asyncio.run(scenario())


def test_a_key_of_another_partner_cannot_send_to_this_source(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        answer = await made.post(document(type="inventory.sold"), key=made.other_key)
        problem_of(answer, 403, "type_not_accepted")
        assert "stores" not in answer.body.decode() and "tills" not in answer.body.decode()
        assert (await made.post(document(), key=made.other_key)).status == 202
        assert made.stored()[0].subject == "raw.acme-supplies.acme"

    asyncio.run(scenario())


def test_a_body_that_grows_without_saying_so_is_cut_off(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        problem_of(await made.post([b" " * 9000] * 50), 413, "body_too_large")
        assert made.raw.records == []

    asyncio.run(scenario())


def test_a_length_over_the_limit_is_refused_before_the_body_is_read(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        answer = await made.post([], headers={"content-length": str(BODY_LIMIT + 1)})
        problem_of(answer, 413, "body_too_large")

    asyncio.run(scenario())


def test_a_request_that_breaks_off_stores_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        assert (await made.post([])).status == 400
        assert made.raw.records == []

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/v1/events", 405),
        ("DELETE", "/v1/events", 405),
        ("POST", "/v1/catalog", 405),
        ("GET", "/v2", 404),
        ("GET", "/v1/%00", 404),
    ],
)
def test_other_paths_and_methods_are_problems_too(tmp_path: Path, method: str, path: str, status: int) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        answer = await call(made.app, method, path, {"x-api-key": made.key})
        problem_of(answer, status, {404: "not_found", 405: "method_not_allowed"}[status])
        assert ("allow" in answer.headers) is (status == 405)

    asyncio.run(scenario())


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=80) | st.just(json.dumps(document()).encode()),
    st.sampled_from([STRUCTURED, BATCH, "application/json", "", "*/*", "application/cloudevents"]),
    st.dictionaries(
        st.sampled_from(["ce-id", "ce-type", "ce-specversion", "ce-x", "ce-data"]), st.text('aé%"\xa0', max_size=9)
    ),
)
def test_no_input_at_all_is_a_server_error(tmp_path: Path, body: bytes, media: str, headers: dict[str, str]) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        answer = await made.post(body, media, headers)
        assert answer.status in (202, 400, 403, 413, 415, 422)
        assert (answer.status == 202) or made.raw.records == []

    asyncio.run(scenario())


def test_attributes_that_the_broker_could_not_hold_are_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        # given
        made = await door(tmp_path)
        headers = {"ce-id": "1", "ce-source": "/t", "ce-type": "pos.sale", "ce-specversion": "1.0"}
        many = {f"ce-x{number}": "a" * 1000 for number in range(40)}
        # when
        answer = await made.post(SALE, "application/json", headers | many)
        # then
        problem_of(answer, 431, "headers_too_large")
        assert made.raw.records == []
        await still_serves(made)

    asyncio.run(scenario())
