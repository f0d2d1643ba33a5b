"""Which texts are an `Idempotency-Key`, and which requests are the same."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.kernel.problems import Refused
from gateway import answers
from gateway.idempotency import fingerprint, idempotency_key
from gateway.proof import Request

REQUEST = Request("POST", "/v1/events", "", {"content-type": "application/json"}, b"{}", "127.0.0.1")


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ('"8e03978e-40d5-43dd-bc93-6894a57f9324"', "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ("KG5LxwFBepaKHyUD/+a=:", "KG5LxwFBepaKHyUD/+a=:"),
        ('"clients, too; \\"quoted\\" \\\\"', 'clients, too; "quoted" \\'),
        ('"' + "k" * 255 + '"', "k" * 255),
    ],
)
def test_a_key_may_be_quoted_or_bare(value: str, key: str) -> None:
    assert idempotency_key({"idempotency-key": value}) == key


def test_a_request_may_have_no_key() -> None:
    assert idempotency_key({"content-type": "application/json"}) == ""


@pytest.mark.parametrize(
    "value",
    [
        *("", '""', '"', '"open', 'open"', "two words", "a, b", '"a", "b"', '"a";b', "a;b", "a\\b", '"a\\b"'),
        *('"tab\t"', '"é"', "\x7f", "k" * 256, '"' + "k" * 256 + '"'),
    ],
)
def test_anything_else_is_no_key(value: str) -> None:
    with pytest.raises(Refused) as refused:
        idempotency_key({"idempotency-key": value})
    answer = answers.problem(refused.value.problems)
    assert (answer.status, refused.value.problems[0].code) == (400, "bad_idempotency_key")


@given(st.text(max_size=300))
def test_whatever_is_sent_is_a_key_or_refused(value: str) -> None:
    try:
        key = idempotency_key({"idempotency-key": value})
    except Refused:
        return
    assert 0 < len(key) <= 255
    assert key.isascii() and key.isprintable()


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"path": "/v1/sources/shop"},
        {"query": "a=b"},
        {"headers": {"content-type": "text/plain"}},
        {"headers": {**REQUEST.headers, "content-encoding": "gzip"}},
        {"body": b"{} "},
    ],
)
def test_whatever_makes_another_request_makes_another_fingerprint(change: dict[str, Any]) -> None:
    assert fingerprint(REQUEST._replace(**change)) != fingerprint(REQUEST)


def test_other_headers_and_another_connection_are_the_same_request() -> None:
    again = REQUEST._replace(headers={**REQUEST.headers, "traceparent": "00-1"}, client="10.0.0.1")
    assert fingerprint(again) == fingerprint(REQUEST)
