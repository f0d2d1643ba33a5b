"""Signing in, what a session may do and when it ends; a clock is moved by hand."""

import asyncio
from collections.abc import Awaitable, Callable
from http.cookies import SimpleCookie
from typing import Any

import pytest

from console.kept import FRESH
from crossdock.kernel.accesssettings import SessionLimits
from crossdock.kernel.settings import Console
from tests.asgi import call
from tests.console.accessmade import PASSWORD, TOKEN, Browser, House, house

Given = Callable[[House, Browser], Awaitable[Any]]


def scene(steps: Given, chosen: Console | None = None) -> None:
    async def scenario() -> None:
        made = await house(chosen)
        await steps(made, made.browser())

    asyncio.run(scenario())


def test_who_signs_in_gets_a_cookie_that_scripts_and_other_sites_do_not() -> None:
    async def steps(made: House, browser: Browser) -> None:
        answer = await browser.sign_in("operator")
        assert (answer.status, answer.json()["person"], answer.json()["role"]) == (200, "operator", "operator")
        (cookie,) = SimpleCookie(answer.headers["set-cookie"]).values()
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "strict", "/")
        assert (cookie["secure"], cookie["domain"], cookie["max-age"]) == ("", "", "")
        assert len(cookie.value) >= 43 and cookie.value not in answer.body.decode()
        assert (await browser.send("GET", "/ops/v1/act")).json() == "operator"
        assert (await browser.send("GET", "/ops/v1/session")).json()["password"] is True

    scene(steps)


@pytest.mark.parametrize("url", ["https://ops.example", "http://ops.example"])
def test_behind_https_the_cookie_is_bound_to_it_and_browsers_are_told_to_stay_there(url: str) -> None:
    async def steps(made: House, browser: Browser) -> None:
        answer = await browser.sign_in()
        secure = url.startswith("https")
        assert ("; Secure" in answer.headers["set-cookie"]) is secure
        assert browser.cookie.startswith("__Host-") is secure
        assert ("strict-transport-security" in answer.headers) is secure
        browser.origin = url  # what the proxy of that address passes on, whatever Host it makes of it
        assert (await browser.send("POST", "/ops/v1/act")).status == 200

    scene(steps, Console(url=url))


def test_only_hashes_of_ids_tokens_and_passwords_are_stored() -> None:
    async def steps(made: House, browser: Browser) -> None:
        await browser.sign_in()
        token = (await made.bearer("POST", "/ops/v1/tokens", {"name": "t", "role": "viewer"})).json()["token"]
        stored = [*(await made.access.users._records.all()).items()]
        sessions = await made.access.sessions._records.all()
        text = repr([stored, sessions, made.log.stored])
        secrets = [browser.cookie.partition("=")[2], browser.csrf, PASSWORD, token.split("_", 2)[2], TOKEN]
        assert len(sessions) == 1 and len(stored) == 5
        assert [secret for secret in secrets if secret in text] == []

    scene(steps)


@pytest.mark.parametrize(
    "given",
    [
        {"user": "operator", "password": "wrong"},
        {"user": "nobody", "password": PASSWORD},
        {"user": "nobody", "password": ""},
        {"user": "../x", "password": "y"},
        {"token": "wrong"},
        {"token": TOKEN + "x"},
    ],
)
def test_whatever_is_wrong_the_answer_is_the_same(given: dict[str, str]) -> None:
    async def steps(made: House, browser: Browser) -> None:
        answer = await browser.send("POST", "/ops/v1/session", given)
        assert (answer.status, answer.json()) == (401, {"detail": "the name, the password or the token is wrong"})
        assert "set-cookie" not in answer.headers

    scene(steps)


def test_a_disabled_user_is_refused_in_the_words_for_a_wrong_password() -> None:
    async def steps(made: House, browser: Browser) -> None:
        await made.bearer("PATCH", "/ops/v1/users/operator", {"disabled": True})
        answer = await browser.sign_in()
        assert (answer.status, answer.json()["detail"]) == (401, "the name, the password or the token is wrong")

    scene(steps)


@pytest.mark.parametrize("token", [TOKEN, ""])
def test_a_token_signs_in_too_and_its_session_ends_with_it(token: str) -> None:
    async def steps(made: House, browser: Browser) -> None:
        own = (await made.bearer("POST", "/ops/v1/tokens", {"name": "kiosk", "role": "operator"})).json()
        answer = await browser.send("POST", "/ops/v1/session", {"token": token or own["token"]})
        browser.keep(answer)
        assert answer.json()["person"] == ("token" if token else "token:kiosk")
        assert (await browser.send("GET", "/ops/v1/session")).json()["password"] is False
        assert (await browser.send("GET", "/ops/v1/act")).status == 200
        await made.bearer("DELETE", f"/ops/v1/tokens/{own['id']}")
        assert (await browser.send("GET", "/ops/v1/act")).status == (200 if token else 401)

    scene(steps)


@pytest.mark.parametrize(
    "given", [{}, {"user": "a", "token": "b"}, {"user": "a"}, {"password": "x"}, [], {"user": ["s3cret-in-a-list"]}]
)
def test_a_sign_in_that_is_none_is_refused_without_what_it_held(given: Any) -> None:
    async def steps(made: House, browser: Browser) -> None:
        answer = await browser.send("POST", "/ops/v1/session", given)
        assert answer.status == (401 if given == {"user": "a"} else 422)

    scene(steps)


def test_an_idle_session_ends_and_what_no_person_asked_for_does_not_keep_it() -> None:
    async def steps(made: House, browser: Browser) -> None:
        await browser.sign_in()
        for _ in range(3):
            made.clock.seconds += 280
            assert (await browser.send("GET", "/ops/v1/act")).status == 200
        for _ in range(2):
            made.clock.seconds += 149
            assert (await browser.send("GET", "/ops/v1/act", **{"x-background": "1"})).status == 200
        made.clock.seconds += 3
        assert (await browser.send("GET", "/ops/v1/act")).status == 401

    scene(steps, Console(sessions=SessionLimits(idle=300)))


def test_a_session_ends_at_last_however_busy_it_is() -> None:
    async def steps(made: House, browser: Browser) -> None:
        told = (await browser.sign_in()).json()["expires"]
        assert told == made.clock.milliseconds() + 300_000
        for second in range(0, 1000, 100):
            assert (await browser.send("GET", "/ops/v1/act")).status == (200 if second < 900 else 401)
            made.clock.seconds += 100

    scene(steps, Console(sessions=SessionLimits(idle=300, longest=900)))


@pytest.mark.parametrize(
    ("method", "change"),
    [
        ("PATCH", {"role": "viewer"}),
        ("PATCH", {"disabled": True}),
        ("PATCH", {"password": "another long password"}),
        ("DELETE", None),
    ],
)
def test_a_session_ends_when_its_user_changes(method: str, change: Any) -> None:
    async def steps(made: House, browser: Browser) -> None:
        await browser.sign_in()
        assert (await made.bearer(method, "/ops/v1/users/operator", change)).status == 200
        assert (await browser.send("GET", "/ops/v1/act")).status == 401
        again = {"name": "operator", "role": "operator", "password": PASSWORD}
        await made.bearer("POST", "/ops/v1/users", again)  # of the same name and password, but another one
        assert (await browser.send("GET", "/ops/v1/act")).status == 401

    scene(steps)


def test_what_another_process_changed_is_seen_within_two_seconds() -> None:
    async def steps(made: House, browser: Browser) -> None:
        await browser.sign_in()
        kept: Any = made.access.users._records
        now = [kept._clock()]
        kept._clock = lambda: now[0]
        assert (await browser.send("GET", "/ops/v1/act")).status == 200
        (name,) = [name for name in await kept.all() if bytes.fromhex(name.rpartition(".")[2]) == b"operator"]
        await kept._records.remove(name)
        assert (await browser.send("GET", "/ops/v1/act")).status == 200
        now[0] += FRESH
        assert (await browser.send("GET", "/ops/v1/act")).status == 401

    scene(steps)


def test_who_signs_out_is_out_and_who_signs_in_again_has_one_session() -> None:
    async def steps(made: House, browser: Browser) -> None:
        await browser.sign_in()
        first = browser.cookie
        await browser.sign_in("admin")
        assert (await browser.send("GET", "/ops/v1/act", cookie=first)).status == 401
        last = browser.cookie
        answer = await browser.send("DELETE", "/ops/v1/session")
        assert answer.status == 200 and "Max-Age=0" in answer.headers["set-cookie"]
        assert (await browser.send("GET", "/ops/v1/act", cookie=last)).status == 401
        assert await made.access.sessions._records.all() == {}

    scene(steps)


def test_a_session_tells_who_one_is_and_nobody_that_there_is_nobody() -> None:
    async def steps(made: House, browser: Browser) -> None:
        assert (await browser.send("GET", "/ops/v1/session")).json() == {"detail": "nobody is signed in", "oidc": False}
        signed = (await browser.sign_in()).json()
        assert (await browser.send("GET", "/ops/v1/session")).json() == {**signed, "oidc": False, "password": True}
        assert (await made.bearer("GET", "/ops/v1/session")).json()["role"] == "admin"
        assert (await made.bearer("DELETE", "/ops/v1/session")).status == 409

    scene(steps)


def test_sign_ins_are_audited_and_a_password_in_the_wrong_field_is_not() -> None:
    async def steps(made: House, browser: Browser) -> None:
        await browser.sign_in(PASSWORD, "x")
        await browser.sign_in("operator", "wrong")
        await browser.sign_in("operator")
        await browser.send("DELETE", "/ops/v1/session")
        assert await made.acts() == [
            ("", "session.refused", "", {"by": "user"}),
            ("", "session.refused", "operator", {"by": "user"}),
            ("operator", "session.sign-in", "", {"by": "user"}),
            ("operator", "session.sign-out", "", {}),
        ]

    scene(steps)


def test_a_sign_in_that_is_too_long_or_of_unknown_length_is_not_read() -> None:
    async def scenario() -> None:
        made = await house()

        async def sent(headers: dict[str, str]) -> int:
            return (await call(made.app, "POST", "/ops/v1/session", headers, b"x" * 5000)).status

        assert await sent({"content-length": "5000"}) == 413
        assert await sent({}) == await sent({"transfer-encoding": "chunked", "content-length": "5"}) == 411

    asyncio.run(scenario())


def test_a_cookie_that_is_none_of_ours_lets_nobody_in() -> None:
    async def steps(made: House, browser: Browser) -> None:
        for cookie in ("", "crossdock_session=", "crossdock_session=" + "x" * 300, "crossdock_session=x.y *>", "a=b"):
            assert (await browser.send("GET", "/ops/v1/act", cookie=cookie)).status == 401

    scene(steps)
