"""Signing in at an identity provider: a real one on a port, honest or not."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from crossdock.kernel.accesssettings import LockoutLimits, Oidc, OidcRoles
from crossdock.kernel.settings import Console
from tests.asgi import Answer
from tests.console.accessmade import HOST, Browser, House, house
from tests.console.identityprovider import CLIENT, OTHERS, SECRET, IdentityProvider, provider

ROLES = {"ops": "operator", "staff": "viewer", "boss": "admin"}
Steps = Callable[[House, Browser, IdentityProvider], Awaitable[Any]]


def chosen(idp: IdentityProvider, **changed: Any) -> Console:
    given = {"issuer": idp.issuer, "client_id": CLIENT, "client_secret": SECRET, "roles": OidcRoles(map=ROLES)}
    return Console(oidc=Oidc(**{**given, **changed}), lockout=LockoutLimits(failures=3))


def scene(steps: Steps, **changed: Any) -> None:
    async def scenario() -> None:
        async with provider() as idp:
            made = await house(chosen(idp, **changed))
            await steps(made, made.browser(), idp)

    asyncio.run(scenario())


async def go(browser: Browser, idp: IdentityProvider, next_: str = "/events?key=1", **changed: str) -> Answer:
    """Go to the provider, agree, and come back; `changed` is what the browser brings back instead."""
    start = await browser.send("GET", f"/login/oidc?next={quote(next_)}")
    assert start.status == 303, start.body
    code, state = idp.agree(start.headers["location"])
    back = {"code": code, "state": state, "cookie": start.headers["set-cookie"].partition(";")[0]} | changed
    query = "&".join(f"{name}={quote(value)}" for name, value in back.items() if name != "cookie")
    return await browser.send("GET", f"/login/oidc/callback?{query}", cookie=back["cookie"], origin=None)


def signed_in(answer: Answer) -> bool:
    return "crossdock_session" in answer.headers.get("set-cookie", "")


def words(answer: Answer) -> str:
    found = re.search(r"<p>(.*?)</p>", answer.body.decode())
    assert found
    return found[1]


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_who_agrees_at_the_provider_is_signed_in_with_the_role_of_the_group(algorithm: str) -> None:
    async def steps(made: House, browser: Browser, idp: IdentityProvider) -> None:
        idp.algorithm = algorithm
        answer = await go(browser, idp)
        assert (answer.status, signed_in(answer)) == (200, True)
        assert 'content="0;url=/events?key=1"' in answer.body.decode()
        browser.keep(answer)
        told = (await browser.send("GET", "/ops/v1/session")).json()
        assert (told["role"], told["oidc"], told["password"]) == ("operator", True, False)
        browser.csrf = told["csrf"]
        assert (await browser.send("POST", "/ops/v1/act")).json() == told["person"]
        who, act, _, detail = (await made.acts())[-1]
        assert (who, act, detail) == (told["person"], "session.sign-in", {"by": "oidc", "subject": "u-1"})

    scene(steps)


def test_what_is_asked_of_the_provider_is_bound_to_this_sign_in_and_holds_no_secret() -> None:
    async def steps(made: House, browser: Browser, idp: IdentityProvider) -> None:
        starts = [await browser.send("GET", "/login/oidc") for _ in range(2)]
        first, second = (parse_qs(urlsplit(one.headers["location"]).query) for one in starts)
        assert first["redirect_uri"] == [f"http://{HOST}/login/oidc/callback"]
        assert (first["response_type"], first["code_challenge_method"]) == (["code"], ["S256"])
        assert all(first[name] != second[name] for name in ("state", "nonce", "code_challenge"))
        cookie = starts[0].headers["set-cookie"]
        assert SECRET not in starts[0].headers["location"] + cookie
        assert all(one in cookie for one in ("HttpOnly", "SameSite=lax", "Path=/login/oidc", "Max-Age=600"))

    scene(steps)


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"groups": "ops"}, "operator"),
        ({"groups": ["staff"]}, "viewer"),
        ({"groups": ["boss", "ops", 7, None]}, "admin"),
        ({"aud": [CLIENT, "other"], "azp": CLIENT}, "operator"),
    ],
)
def test_the_highest_role_that_a_claim_names_counts(claims: dict[str, Any], role: str) -> None:
    async def steps(made: House, browser: Browser, idp: IdentityProvider) -> None:
        idp.claims = claims
        browser.keep(await go(browser, idp))
        assert (await browser.send("GET", "/ops/v1/session")).json()["role"] == role

    scene(steps)


@pytest.mark.parametrize("claim", ["realm_access.roles", "https://shop.example/roles"])
def test_a_claim_may_lie_in_another_or_have_dots_in_its_name(claim: str) -> None:
    async def steps(made: House, browser: Browser, idp: IdentityProvider) -> None:
        idp.claims = {"realm_access": {"roles": ["ops"]}, "https://shop.example/roles": ["ops"], "groups": None}
        assert signed_in(await go(browser, idp))

    scene(steps, roles=OidcRoles(claim=claim, map=ROLES))


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"exp": 1}, "expired"),
        ({"exp": None}, "not one for us"),
        ({"aud": "other"}, "not one for us"),
        ({"aud": [CLIENT, "other"], "azp": "other"}, "another application"),
        ({"iss": "https://evil.example"}, "not one for us"),
        ({"nonce": "other"}, "another sign-in"),
        ({"nonce": None}, "not one for us"),
        ({"iat": 2**40}, "not one for us"),
        ({"sub": None}, "not one for us"),
        ({"groups": None}, "anna@shop.example has no role here: the claim groups is missing"),
        ({"groups": []}, "names no role"),
        ({"groups": {"ops": "operator"}}, "names no role"),
        ({"groups": ["Ops", "operator", "admin"]}, "names no role"),
        ({"groups": None, "email": "<script>alert(1)</script>"}, "&lt;script&gt;alert(1)&lt;/script&gt; has no role"),
    ],
)
def test_a_token_that_says_anything_else_signs_nobody_in(claims: dict[str, Any], said: str) -> None:
    async def steps(made: House, browser: Browser, idp: IdentityProvider) -> None:
        idp.claims = claims
        answer = await go(browser, idp)
        assert (answer.status, signed_in(answer)) == (403, False)
        assert said in words(answer)
        assert [act for _, act, _, _ in await made.acts()] == ["session.refused"]

    scene(steps)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "e30.e30.", "." * 5, "é", 7, None])
def test_what_is_no_token_signs_nobody_in(token: Any) -> None:
    async def steps(made: House, browser: Browser, idp: IdentityProvider) -> None:
        idp.token = token if token is not None else []  # type: ignore[assignment]
        answer = await go(browser, idp)
        assert (answer.status, signed_in(answer)) == (403, False)

    scene(steps)


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256", "ES256"])
def test_a_token_that_no_key_of_the_provider_signed_signs_nobody_in(algorithm: str) -> None:
    async def steps(made: House, browser: Browser, idp: IdentityProvider) -> None:
        idp.algorithm, idp.keys = algorithm, OTHERS
        answer = await go(browser, idp)
        assert (answer.status, signed_in(answer)) == (403, False)

    scene(steps)


@pytest.mark.parametrize(
    ("changed", "asked"),
    [
        ({"state": "other"}, False),
        ({"state": ""}, False),
        ({"cookie": ""}, False),
        ({"cookie": "crossdock_oidc=.x"}, False),
        ({"cookie": "crossdock_oidc=other.Lw=="}, False),
        ({"code": ""}, False),
        ({"error": "access_denied"}, False),
        ({"code": "other"}, True),
    ],
)
def test_who_comes_back_with_anything_else_is_refused(changed: dict[str, str], asked: bool) -> None:
    async def steps(made: House, browser: Browser, idp: IdentityProvider) -> None:
        answer = await go(browser, idp, **changed)
        assert (answer.status, signed_in(answer), bool(idp.exchanged)) == (403, False, asked)
        assert "begin again" in words(answer)

    scene(steps)


@pytest.mark.parametrize("error", ["<script>", "a b", "x" * 50])
def test_what_the_way_back_says_is_not_repeated_when_it_is_no_word(error: str) -> None:
    async def steps(made: House, browser: Browser, idp: IdentityProvider) -> None:
        assert error not in (await go(browser, idp, error=error)).body.decode()

    scene(steps)


@pytest.mark.parametrize("next_", ["https://evil.example", "//evil.example", '/"><script>', "/login", "/\\evil"])
def test_the_way_back_leads_to_this_console_only(next_: str) -> None:
    async def steps(made: House, browser: Browser, idp: IdentityProvider) -> None:
        text = (await go(browser, idp, next_)).body.decode()
        assert "<script>" not in text
        assert 'content="0;url=/"' in text or '0;url=/&quot;&gt;&lt;script&gt;"' in text

    scene(steps)


@pytest.mark.parametrize("methods", [["client_secret_post"], ["client_secret_basic"]])
def test_the_secret_is_told_as_the_provider_wants_it(methods: list[str]) -> None:
    async def steps(made: House, browser: Browser, idp: IdentityProvider) -> None:
        idp.discovered = {"token_endpoint_auth_methods_supported": methods}
        assert signed_in(await go(browser, idp))
        assert ("client_secret" in idp.exchanged[0]) is (methods == ["client_secret_post"])

    scene(steps)


@pytest.mark.parametrize(
    "discovered", [{"issuer": "https://evil.example"}, {"jwks_uri": "file:///etc/passwd"}, {"token_endpoint": None}]
)
def test_a_provider_that_is_not_the_one_of_the_settings_is_none(discovered: dict[str, Any]) -> None:
    async def steps(made: House, browser: Browser, idp: IdentityProvider) -> None:
        idp.discovered = discovered
        answer = await browser.send("GET", "/login/oidc")
        assert (answer.status, "set-cookie" in answer.headers) == (503, False)

    scene(steps)


def test_a_provider_that_is_away_is_said_in_words_and_counts_as_no_failure() -> None:
    async def steps(made: House, browser: Browser, idp: IdentityProvider) -> None:
        answer = await browser.send("GET", "/login/oidc")
        assert answer.status == 503 and "does not answer" in words(answer)

    scene(steps, issuer="http://127.0.0.1:1")


def test_who_fails_again_and_again_has_to_wait_and_the_provider_hears_no_more_of_it() -> None:
    async def steps(made: House, browser: Browser, idp: IdentityProvider) -> None:
        found = [(await go(browser, idp, code="guess")).status for _ in range(5)]
        assert (found, len(idp.exchanged)) == ([403, 403, 403, 429, 429], 3)

    scene(steps)


def test_a_session_ends_when_the_settings_give_other_roles() -> None:
    async def steps(made: House, browser: Browser, idp: IdentityProvider) -> None:
        browser.keep(await go(browser, idp))
        assert (await browser.send("GET", "/ops/v1/act")).status == 200
        assert made.access.provider
        made.access.provider.stamp = "that of other settings, after a restart"
        assert (await browser.send("GET", "/ops/v1/act")).status == 401

    scene(steps)
