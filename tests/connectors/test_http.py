"""The connector kind `http`: what it sends and what it makes of answers."""

import asyncio
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.answers import classify, retry_after
from connectors.client import Client
from connectors.connection import Response
from connectors.http import HttpConnector, make_http
from connectors.httpspec import HttpOptions
from connectors.port import Result
from connectors.spec import ConnectorSpec
from connectors.target import Target
from crossdock.kernel.event import Event
from tests.connectors.servers import LOOPBACK, OK, Behaviour, Served, always, once, serving

NOW = 1_700_000_000.0
EVENT = Event("1", "/tills/7", "inventory.sold", {"n": 1}, "2026-01-01T00:00:00Z", extensions={"businesskey": "é"})
SPEC = ConnectorSpec("erp", "http", HttpOptions(Target("http", "127.0.0.1", 1)), timeout=5, networks=LOOPBACK)


def options(spec: ConnectorSpec, **changes: Any) -> ConnectorSpec:
    return replace(spec, options=replace(spec.options, **changes))


def deliver(behaviour: Behaviour, spec: ConnectorSpec = SPEC) -> Result:
    results = []

    async def scenario() -> None:
        async with serving(behaviour) as server:
            connector = make_http(options(spec, target=server.target("/in")))
            results.append(await connector.deliver(EVENT, "key-1"))
            await connector.close()

    asyncio.run(scenario())
    return results[0]


def test_an_event_is_posted_in_binary_mode_with_its_key_and_the_headers_of_the_file() -> None:
    requests: list[bytes] = []

    async def behave(served: Served) -> None:
        requests.append(await served.request())
        await served.answer(OK)

    result = deliver(behave, options(SPEC, headers={"authorization": "Bearer t", "x-tenant": "eu"}))

    head, body = requests[0].split(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert result == Result("delivered", 200, "HTTP 200")
    assert lines[0] == b"POST /in HTTP/1.1"
    assert body == b'{"n":1}'
    assert set(lines[2:]) == {
        b"ce-specversion: 1.0", b"ce-id: 1", b"ce-source: /tills/7", b"ce-type: inventory.sold",
        b"ce-time: 2026-01-01T00:00:00Z", b"ce-businesskey: %C3%A9", b"content-type: application/json",
        b"idempotency-key: key-1", b"webhook-id: key-1", b"authorization: Bearer t", b"x-tenant: eu",
        b"content-length: 7",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (301, "permanent"), (307, "permanent"), (400, "permanent"), (401, "permanent"), (404, "permanent"),
        (409, "permanent"), (410, "permanent"), (422, "permanent"), (499, "permanent"),
        (408, "retry"), (425, "retry"), (429, "retry"), (500, "retry"), (502, "retry"), (503, "retry"), (599, "retry"),
    ],
)  # fmt: skip
def test_the_status_decides_whether_another_attempt_makes_sense(status: int, outcome: str) -> None:
    result = classify(Response(status, {}, b"why"), NOW)

    assert (result.outcome, result.status, result.retry_after) == (outcome, status, 0)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_delivered(status: int) -> None:
    assert deliver(always(f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n".encode())).outcome == "delivered"


@pytest.mark.parametrize(
    ("status", "header", "expected"),
    [
        (429, "7", Result("throttled", 429, "HTTP 429", 7)),
        (503, formatdate(NOW + 90, usegmt=True), Result("throttled", 503, "HTTP 503", 90)),
        (503, formatdate(NOW - 90, usegmt=True), Result("throttled", 503, "HTTP 503", 0)),
        (429, "86400", Result("throttled", 429, "HTTP 429", 3600)),
        (429, "soon", Result("retry", 429, "HTTP 429")),
        (500, "7", Result("retry", 500, "HTTP 500")),
        (404, "7", Result("permanent", 404, "HTTP 404")),
    ],
)
def test_a_target_that_throttles_says_for_how_long(status: int, header: str, expected: Result) -> None:
    assert classify(Response(status, {"retry-after": header}, b""), NOW) == expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), (" 12 ", 12), ("9" * 5000, 3600), ("-5", None), ("1.5", None), ("", None), ("٣", None), ("1e3", None)],
)
def test_retry_after_in_seconds(text: str, seconds: float | None) -> None:
    assert retry_after(text, NOW) == seconds


_DATES = st.from_regex(
    r"(Mon, )?[0-9]{1,3} (Jan|Feb|Foo) [0-9]{1,6} [0-9]{1,3}:[0-9]{2}(:[0-9]{2})? ?(GMT|[+-][0-9]{1,6})?",
    fullmatch=True,
)


@given(st.text() | _DATES | st.text(alphabet="0123456789:+-, GMTJan"))
def test_no_retry_after_is_too_strange_to_read(text: str) -> None:
    seconds = retry_after(text, NOW)

    assert seconds is None or 0 <= seconds <= 3600


def test_the_detail_shows_the_answer_briefly_and_safely() -> None:
    result = classify(Response(400, {}, b"bad\r\n\x1b[31m\xff field\xe2\x80\xae" + b"x" * 1000), NOW)

    assert result.detail.startswith("HTTP 400: bad\\r\\n\\x1b[31m\ufffd field\\u202exxx")
    assert len(result.detail) == 300


def test_a_target_that_echoes_the_credentials_does_not_get_them_into_the_detail() -> None:
    async def echoing(served: Served) -> None:
        credentials = (await served.request()).split(b"authorization: ")[1].split(b"\r\n")[0]
        await served.answer(b"HTTP/1.1 401 No\r\n\r\nwrong: " + credentials)

    spec = replace(options(SPEC, headers={"authorization": "Bearer s3cret"}), secrets=("s3cret",))
    result = deliver(echoing, spec)

    assert result == Result("permanent", 401, "HTTP 401: wrong: Bearer ***")


def test_a_redirect_is_not_followed_and_says_so() -> None:
    result = deliver(once(b"HTTP/1.1 302 Found\r\nlocation: http://10.0.0.1/\r\ncontent-length: 0\r\n\r\n"))

    assert result == Result("permanent", 302, "HTTP 302: redirects are not followed")


def test_a_target_that_hangs_up_leaves_in_doubt_whether_it_took_the_event() -> None:
    result = deliver(once(b""))

    assert (result.outcome, result.status) == ("in_doubt", 0)
    assert result.detail.startswith("reset: ")


def test_a_private_address_is_a_permanent_failure() -> None:
    result = deliver(always(OK), replace(SPEC, networks=()))

    assert (result.outcome, result.status) == ("permanent", 0)
    assert result.detail.startswith("private_address: 127.0.0.1 is 127.0.0.1")


def test_an_event_whose_key_cannot_be_a_header_is_a_permanent_failure() -> None:
    async def scenario() -> None:
        connector = HttpConnector(SPEC, Client(), lambda: NOW)
        result = await connector.deliver(EVENT, "a\r\nb: c")
        assert (result.outcome, result.detail.split(":")[0]) == ("permanent", "bad_header")

    asyncio.run(scenario())
