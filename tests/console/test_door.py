"""The door: who is not known gets nothing but the way to sign in, by HTTP and by WebSocket."""

import asyncio
from importlib.metadata import version
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from console.door import Door, local
from console.headers import PAGES_CSP
from crossdock.kernel.problems import Unavailable
from tests.console.accessmade import HOST, house, open_access

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def run(scenario: Any) -> Any:
    return asyncio.run(scenario)


@pytest.mark.parametrize(
    "path",
    [
        "/events", "/no/such/page", "/_nicegui_ws/socket.io/", "/openapi.json", "/docs", "/metrics2", "/login/x",
        "/login/oidc/x", "/_nicegui/0/static/x",
    ],
)  # fmt: skip
def test_who_is_not_known_gets_nothing_not_even_whether_there_is_such_a_page(path: str) -> None:
    async def scenario() -> None:
        made = await house()
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "X"):
            for token in ("", "wrong", "cdo_000000000000_" + "x" * 43):
                answer = await made.bearer(method, path, token=token)
                assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")

    run(scenario())


@pytest.mark.parametrize(
    ("target", "after"),
    [
        ("/events?key=a%2Fb&x=1", "/events?key=a%2Fb&x=1"),
        ("/problems/p-1", "/problems/p-1"),
        ("/%2Fevil.example/x", "/"),
        ("/%2F/evil.example", "/"),
        ("/%5Cevil.example", "/%5Cevil.example"),
        ("/x?" + "a" * 3000, "/"),
    ],
)
def test_a_browser_is_sent_to_the_sign_in_and_from_there_to_this_console_only(target: str, after: str) -> None:
    async def scenario() -> None:
        answer = await (await house()).browser().send("GET", target, **HTML)
        assert answer.status == 303
        place = urlsplit(answer.headers["location"])
        assert (place.netloc, place.path, parse_qs(place.query)["next"]) == ("", "/login", [after])

    run(scenario())


@pytest.mark.parametrize(
    "place",
    [
        "",
        "x",
        "//evil",
        "/\\evil",
        "https://evil",
        "javascript:alert(1)",
        "/a b",
        "/\t/evil",
        "/login",
        "/login/oidc",
        "/é",
    ],
)
def test_what_is_no_path_of_this_console_is_its_first_page(place: str) -> None:
    assert local(place) == "/"


@pytest.mark.parametrize("path", ["/ops/v1/act", "/metrics"])
def test_a_program_and_a_change_are_told_what_is_missing_instead(path: str) -> None:
    async def scenario() -> None:
        browser = (await house()).browser()
        assert (await browser.send("GET", path, **HTML)).status == 401
        assert (await browser.send("POST", "/events", **HTML)).status == 401

    run(scenario())


@pytest.mark.parametrize(
    ("path", "open_"),
    [
        ("/livez", True), ("/login", True), ("/login/oidc/callback", True),
        (f"/_nicegui/{version('nicegui')}/static/a.js", True), ("/login/page.js", False),
        ("/loginx", False), ("/livez/x", False), ("/_nicegui/1/dynamic_resources/x", False), ("/_nicegui/x", False),
        ("/_nicegui/a/b/static/x", False), ("/x/_nicegui/1/static/x", False), ("/ops/v1/session/password", False),
    ],
)  # fmt: skip
def test_only_what_the_sign_in_needs_is_open_and_only_to_be_read(path: str, open_: bool) -> None:
    async def scenario() -> None:
        made = await house()
        assert ((await made.bearer("GET", path, token="")).status == 401) is not open_
        assert (await made.bearer("POST", path, token="")).status == 401

    run(scenario())


@pytest.mark.parametrize(
    ("origin", "signed", "met"),
    [
        (f"http://{HOST}", True, True),
        ("http://evil.example", True, False),
        (None, True, False),
        ("null", True, False),
        (f"http://{HOST}", False, False),
    ],
)
def test_a_websocket_opens_for_a_page_of_ours_with_a_session(origin: str | None, signed: bool, met: bool) -> None:
    async def scenario() -> None:
        made, reached = await house(), list[Any]()
        browser = made.browser()
        await browser.sign_in()

        async def socket(scope: Any, receive: Any, send: Any) -> None:
            reached.append(scope["state"]["person"])

        sent = await connect(Door(socket, made.access), origin, browser.cookie if signed else "")
        refused = {"type": "websocket.close", "code": 1008, "reason": ""}
        assert (reached, sent) == ((["operator"], []) if met else ([], [refused]))

    run(scenario())


async def connect(door: Door, origin: str | None, cookie: str) -> list[Any]:
    given = {"host": HOST, "cookie": cookie, "origin": origin}
    headers = [(name.encode(), value.encode()) for name, value in given.items() if value]
    scope = {"type": "websocket", "path": "/_nicegui_ws/socket.io/", "headers": headers, "query_string": b""}
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    await door(scope, receive, send)
    return sent


def test_the_token_of_the_installation_works_while_the_store_is_away_and_sessions_say_so() -> None:
    async def scenario() -> None:
        made = await house()
        browser = made.browser()
        await browser.sign_in()
        records: Any = made.access.sessions._records

        async def away(_: str) -> None:
            raise Unavailable("nats: away")

        records.get = away
        assert (await browser.send("GET", "/ops/v1/act")).status == 503
        assert (await made.bearer("GET", "/ops/v1/act")).status == 200

    run(scenario())


def test_a_proxy_may_have_its_own_authorization_before_us() -> None:
    async def scenario() -> None:
        browser = (await house()).browser()
        await browser.sign_in()
        assert (await browser.send("GET", "/ops/v1/act", authorization="Basic eDp5")).status == 200
        assert (await browser.send("GET", "/ops/v1/act", authorization="Bearer wrong")).status == 401

    run(scenario())


def test_every_answer_tells_browsers_to_be_careful_with_it() -> None:
    async def scenario() -> None:
        made = await house()
        for answer in (await made.bearer("GET", "/livez"), await made.bearer("GET", "/ops/v1/act", token="")):
            told = answer.headers
            assert (told["x-content-type-options"], told["x-frame-options"]) == ("nosniff", "DENY")
            assert (told["cache-control"], told["referrer-policy"]) == ("no-store", "same-origin")
            assert told["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert "object-src 'none'" in PAGES_CSP and "http" not in PAGES_CSP

    run(scenario())


def test_an_empty_token_would_let_everybody_in_and_is_refused() -> None:
    with pytest.raises(ValueError, match="everybody"):
        open_access("")


@pytest.mark.parametrize("origin", ["null", "http://[", "http://evil.example", "http://", "x"])
def test_an_origin_that_is_no_page_of_this_host_signs_nobody_in(origin: str) -> None:
    async def scenario() -> None:
        browser = (await house()).browser()
        assert (await browser.sign_in(origin=origin)).status == 403
        await browser.sign_in()
        assert (await browser.send("POST", "/ops/v1/act", origin=origin)).status == 403

    run(scenario())
