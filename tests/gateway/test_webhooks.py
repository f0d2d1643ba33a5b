"""A webhook becomes events: the envelope by the expressions of its source, the data as it came."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossdock.kernel.problems import Refused
from crossdock.source import SourceSpec
from gateway.webhook import Call, carries_many, cut, make_event
from tests.smallproject import project

SOURCE = """\
source: shop
partner: webshop
accept: webhook
types: [pos.sale]
verify: {github: {secret: "${SHOP_SECRET}"}}
event:
  id: headers."x-webhook-id"
  type: '"pos.sale"'
  time: body.at
  subject: $string(body.id)
  topic: query.topic
"""
JSON = {"content-type": "application/json", "x-webhook-id": "w-1"}


def shop(root: Path, *changes: tuple[str, str]) -> SourceSpec:
    text = SOURCE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return project(root, {"gateway/shop.yaml": text}).sources["shop"]


def call(body: Any, headers: dict[str, str] | None = None, query: dict[str, str] | None = None) -> Call:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Call({**JSON, **(headers or {})}, query or {}, raw)


def problems(source: SourceSpec, made: Call, item: bytes | None = None) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as caught:
        make_event(source, made, made.body if item is None else item)
    return [(problem.code, problem.pointer) for problem in caught.value.problems]


def test_expressions_see_headers_query_and_body(tmp_path: Path) -> None:
    # given
    made = call({"id": 18, "at": "2026-11-21T09:00:00Z"}, query={"topic": "created"})
    # when
    event = make_event(shop(tmp_path), made, made.body)
    # then
    assert (event.id, event.type, event.time, event.subject) == ("w-1", "pos.sale", "2026-11-21T09:00:00Z", "18")
    assert (event.source, event.extensions) == ("/webshop/shop", {"topic": "created"})
    assert event.data == {"id": 18, "at": "2026-11-21T09:00:00Z"}


def test_what_an_expression_does_not_find_is_left_out(tmp_path: Path) -> None:
    made = call({"id": 18})
    event = make_event(shop(tmp_path), made, made.body)
    assert (event.time, event.extensions) == ("", {})


@settings(max_examples=60, deadline=None)
@given(st.integers(-(2**63), 2**64 - 1))
def test_a_big_number_stays_exact_in_data_and_subject(tmp_path_factory: pytest.TempPathFactory, number: int) -> None:
    source = _cached(tmp_path_factory)
    made = call({"id": number})
    event = make_event(source, made, made.body)
    assert (event.subject, event.data) == (str(number), {"id": number})


_MADE: list[SourceSpec] = []


def _cached(factory: pytest.TempPathFactory) -> SourceSpec:
    if not _MADE:
        _MADE.append(shop(factory.mktemp("shop")))
    return _MADE[0]


def test_an_expression_sees_no_credentials(tmp_path: Path) -> None:
    source = shop(tmp_path, ("topic: query.topic", "topic: headers.authorization"))
    made = call({"id": 1}, {"authorization": "Bearer secret"})
    assert make_event(source, made, made.body).extensions == {}


def test_an_event_without_id_or_with_a_wrong_time_is_refused_with_all_reasons(tmp_path: Path) -> None:
    made = Call({"content-type": "application/json"}, {}, b'{"id": 1, "at": "yesterday"}')
    assert problems(shop(tmp_path), made) == [("invalid_envelope", "/id")]
    made = call({"id": 1, "at": "yesterday"})
    assert problems(shop(tmp_path), made) == [("invalid_envelope", "/time")]


@pytest.mark.parametrize("value", [True, 1.5, [], {}, "", "a\x00b", "x" * 2000, None])
def test_an_id_is_text_or_a_whole_number(tmp_path: Path, value: Any) -> None:
    source = shop(tmp_path, ('headers."x-webhook-id"', "body.id"), ("  subject: $string(body.id)\n", ""))
    assert problems(source, call({"id": value})) == [("invalid_envelope", "/id")]


def test_each_item_of_an_array_is_an_event_with_its_own_bytes(tmp_path: Path) -> None:
    made = call(b' [ {"id": 1.50} , {"id":2} ]')
    source = shop(tmp_path)
    assert carries_many(source, made.body)
    assert cut(source, made) == [b'{"id": 1.50}', b'{"id":2}']


def test_an_expression_cuts_a_body_that_carries_many(tmp_path: Path) -> None:
    source = shop(tmp_path, ("event:\n", "event:\n  each: body.items.item\n"), ('headers."x-webhook-id"', "body.id"))
    made = call({"items": [{"item": {"id": 2**63}}, {"item": {"id": 2}}]})
    assert carries_many(source, made.body)
    assert [json.loads(item) for item in cut(source, made)] == [{"id": 2**63}, {"id": 2}]
    assert [make_event(source, made, item).id for item in cut(source, made)] == [str(2**63), "2"]
    assert cut(source, call({"items": []})) == []
    assert [json.loads(item) for item in cut(source, call({"items": {"item": {"id": 3}}}))] == [{"id": 3}]


@pytest.mark.parametrize("media", ["", "text/plain", "application/xml", "application/x-www-form-urlencoded"])
def test_only_json_is_taken(tmp_path: Path, media: str) -> None:
    with pytest.raises(Refused, match="unsupported_media_type"):
        cut(shop(tmp_path), call({}, {"content-type": media}))


@pytest.mark.parametrize("body", [b"", b"{", b"[1,", b'{"a":1,"a":2}', b"\xef\xbb\xbf{}", b'{"a":1e400}', b"[" * 70])
def test_what_is_no_json_is_a_problem(tmp_path: Path, body: bytes) -> None:
    source, made = shop(tmp_path), call(body)
    with pytest.raises(Refused):
        for item in cut(source, made):
            make_event(source, made, item)


def test_the_secret_of_a_source_that_is_not_set_closes_it_and_no_other(tmp_path: Path) -> None:
    verify = shop(tmp_path).verify
    assert (verify.closed, verify.missing, verify.secrets) == (True, ("SHOP_SECRET",), ())
    assert "SHOP" not in repr(project(tmp_path).sources["tills"].verify)
