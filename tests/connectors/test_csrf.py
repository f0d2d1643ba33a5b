"""Tokens against forged requests: one for all writes with the cookies of its session, fetched anew when it is over."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from connectors.connection import Response
from connectors.csrf import MOST_COOKIE_BYTES, MOST_COOKIES, read_session
from connectors.http import HttpConnector
from connectors.port import Result
from connectors.showing import request_of
from connectors.target import SendFailed
from crossdock.kernel.problems import Refused
from tests.connectors.httpcases import EVENT, against, answer, read
from tests.connectors.servers import Served

FILE = """
auth: {basic: {user: u, password: '${P}'}}
csrf: {path: /service/, query: {client: '100'}, method: HEAD}
"""
ENV = {"P": "pa55word"}
REQUIRED = answer(403, b"CSRF token validation failed", "X-CSRF-Token: Required\r\n")


class Gateway:
    """Gives out tokens with two cookies and takes writes that have the newest of them."""

    def __init__(self) -> None:
        self.sessions = 0
        self.over = False
        self.seen: list[str] = []
        self.cookies: list[str] = []

    async def behave(self, served: Served) -> None:
        while True:
            head = (await served.request()).decode()
            fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            self.seen.append(f"{head.split(' HTTP', 1)[0]} {fields['x-csrf-token']}")
            self.cookies.append(fields.get("cookie", ""))
            assert fields["authorization"].startswith("basic ")
            if head.startswith("HEAD "):
                await asyncio.sleep(0)
                await served.answer(self.given())
            else:
                good = fields["x-csrf-token"] == f"t{self.sessions}=" and not self.over
                await served.answer(answer(201) if good else REQUIRED)

    def given(self) -> bytes:
        self.sessions, self.over = self.sessions + 1, False
        cookies = (f"SID=s{self.sessions}=; Path=/; Expires=Wed, 21 Oct 2099 07:28:00 GMT; HttpOnly", "u=a=b", "gone=")
        lines = "".join(f"Set-Cookie: {cookie}\r\n" for cookie in cookies)
        return f"HTTP/1.1 200 X\r\nX-CSRF-Token: t{self.sessions}=\r\n{lines}content-length: 0\r\n\r\n".encode()


def test_writes_share_a_token_and_the_cookies_that_came_with_it(tmp_path: Path) -> None:
    gateway = Gateway()

    async def act(connector: HttpConnector) -> Any:
        results = await asyncio.gather(*(connector.deliver(EVENT, f"k{n}") for n in range(8)))
        return [result.outcome for result in results]

    outcomes = against(gateway.behave, read(tmp_path, FILE, ENV), act)

    assert outcomes == ["delivered"] * 8
    assert gateway.seen == ["HEAD /api/service/?client=100 fetch", *["POST /api t1="] * 8]
    assert gateway.cookies == ["", *["sid=s1=; u=a=b"] * 8]


def test_a_session_that_is_over_is_begun_anew_once_for_all_writes_that_it_refused(tmp_path: Path) -> None:
    gateway = Gateway()

    async def act(connector: HttpConnector) -> Any:
        first = await connector.deliver(EVENT, "k")
        gateway.over = True
        rest = await asyncio.gather(*(connector.deliver(EVENT, f"k{n}") for n in range(4)))
        return {result.outcome for result in (first, *rest)}

    assert against(gateway.behave, read(tmp_path, FILE, ENV), act) == {"delivered"}
    assert gateway.sessions == 2


def test_a_write_that_is_refused_with_a_new_token_too_is_not_sent_a_third_time(tmp_path: Path) -> None:
    requests: list[str] = []

    async def behave(served: Served) -> None:
        while True:
            requests.append((await served.request()).decode().partition(" ")[0])
            await served.answer(Gateway().given() if requests[-1] == "HEAD" else REQUIRED)

    result = against(behave, read(tmp_path, FILE, ENV))

    assert result == Result("permanent", 403, "HTTP 403: CSRF token validation failed")
    assert requests == ["HEAD", "POST", "HEAD", "POST"]


def test_the_token_and_the_cookies_are_not_shown(tmp_path: Path) -> None:
    session = answer(200, b"", "X-CSRF-Token: t0ken\r\nSet-Cookie: SID=0123456789\r\n")

    async def behave(served: Served) -> None:
        while True:
            asked = (await served.request()).startswith(b"HEAD ")
            await served.answer(session if asked else answer(400, b"t0ken of 0123456789 is odd"))

    assert against(behave, read(tmp_path, FILE, ENV)).detail == "HTTP 400: *** of *** is odd"


def test_a_probe_reads_only_and_needs_no_session(tmp_path: Path) -> None:
    requests: list[bytes] = []

    async def behave(served: Served) -> None:
        requests.append(await served.request())
        await served.answer(answer(200))

    spec = read(tmp_path, f"{FILE}check: {{path: /service/}}", ENV)

    assert against(behave, spec, lambda connector: connector.probe()).outcome == "delivered"
    assert b"csrf" not in requests[0]


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (401, {}),
        (200, {}),
        (200, {"x-csrf-token": "Required"}),
        (200, {"x-csrf-token": "with blank"}),
        (302, {"x-csrf-token": "t"}),
        (200, {"x-csrf-token": "t" * 5000}),
        (200, {"x-csrf-token": "t", "set-cookie": "\n".join(f"c{n}=1" for n in range(MOST_COOKIES + 1))}),
        (200, {"x-csrf-token": "t", "set-cookie": "c=" + "1" * MOST_COOKIE_BYTES}),
    ],
)
def test_an_answer_without_a_session_is_a_failure_before_anything_was_sent(
    status: int, headers: dict[str, str]
) -> None:
    with pytest.raises(SendFailed) as failed:
        read_session(Response(status, headers, b"s3cret"), "x-csrf-token")

    assert (failed.value.code, failed.value.sent) == ("csrf", False)
    assert "s3cret" not in str(failed.value)


def test_a_rehearsed_request_shows_that_a_token_goes_along_but_for_reads(tmp_path: Path) -> None:
    assert request_of(read(tmp_path, FILE, ENV), EVENT, "k").headers["x-csrf-token"] == "***"
    assert "x-csrf-token" not in request_of(read(tmp_path, f"{FILE}method: GET", ENV), EVENT, "k").headers


def test_a_header_that_could_change_the_framing_brings_no_token(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        read(tmp_path, "csrf: {path: /service/, fetch_header: Content-Length}")

    assert [problem.code for problem in refused.value.problems] == ["bad_header"]
