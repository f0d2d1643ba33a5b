"""Every path of the operations port and who may use it; a path without a row here fails."""

import asyncio
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from console.access import ROLES, Role
from console.identity import Access
from console.pages.places import PLACES
from console.tokens import make_token
from crossdock.kernel.accesssettings import Oidc, OidcRoles, SessionLimits
from crossdock.kernel.settings import Console
from tests.asgi import call
from tests.console import opsmade
from tests.console.accessmade import HOST, PASSWORD, TOKEN, Clock, add_users, open_access

OPEN = 0
VIEWER, OPERATOR, ARCHITECT, ADMIN = Role
ROWS = {
    "GET /livez": OPEN,
    "GET /metrics": VIEWER,
    "GET /login/oidc": OPEN,
    "GET /login/oidc/callback": OPEN,
    "POST /ops/v1/session": OPEN,
    "GET /ops/v1/session": OPEN,
    "DELETE /ops/v1/session": VIEWER,
    "POST /ops/v1/session/password": VIEWER,
    "GET /ops/v1/users": ADMIN,
    "POST /ops/v1/users": ADMIN,
    "PATCH /ops/v1/users/{name}": ADMIN,
    "DELETE /ops/v1/users/{name}": ADMIN,
    "GET /ops/v1/tokens": ADMIN,
    "POST /ops/v1/tokens": ADMIN,
    "DELETE /ops/v1/tokens/{token_id}": ADMIN,
    "GET /ops/v1/overview": VIEWER,
    "GET /ops/v1/asyncapi.json": VIEWER,
    "GET /ops/v1/connectors": VIEWER,
    "GET /ops/v1/sources": VIEWER,
    "GET /ops/v1/schemas": VIEWER,
    "GET /ops/v1/schemas/{type}": VIEWER,
    "GET /ops/v1/schemas/{type}/diff": VIEWER,
    "GET /ops/v1/partners": VIEWER,
    "GET /ops/v1/partners/{partner}": VIEWER,
    "GET /ops/v1/ledger": VIEWER,
    "GET /ops/v1/journal/unreadable": VIEWER,
    "GET /ops/v1/journal/unreadable/{seq}": OPERATOR,
    "DELETE /ops/v1/journal/unreadable/{seq}": OPERATOR,
    "GET /ops/v1/conformance": VIEWER,
    "GET /ops/v1/processes": VIEWER,
    "GET /ops/v1/processes/series": VIEWER,
    "POST /ops/v1/routes/{name}/pause": OPERATOR,
    "POST /ops/v1/routes/{name}/resume": OPERATOR,
    "POST /ops/v1/routes/{name}/backfill": ARCHITECT,
    "GET /ops/v1/routes/{name}/backfill": VIEWER,
    "DELETE /ops/v1/routes/{name}/backfill": ARCHITECT,
    "GET /ops/v1/dead-letters": VIEWER,
    "GET /ops/v1/dead-letters/{letter_id}": VIEWER,
    "POST /ops/v1/dead-letters/{letter_id}/promote": OPERATOR,
    "GET /ops/v1/dead-letters/{letter_id}/document": OPERATOR,
    "POST /ops/v1/dead-letters/{letter_id}/edit": OPERATOR,
    "POST /ops/v1/replays": OPERATOR,
    "POST /ops/v1/discards": OPERATOR,
    "GET /ops/v1/approvals": VIEWER,
    "GET /ops/v1/approvals/{approval}": VIEWER,
    "POST /ops/v1/approvals/{approval}/approve": OPERATOR,
    "POST /ops/v1/approvals/{approval}/refuse": OPERATOR,
    "GET /ops/v1/problems": VIEWER,
    "GET /ops/v1/problems/{problem}": VIEWER,
    "PATCH /ops/v1/problems/{problem}": OPERATOR,
    "POST /ops/v1/plans": OPERATOR,
    "GET /ops/v1/plans": VIEWER,
    "GET /ops/v1/plans/{plan}": VIEWER,
    "GET /ops/v1/plans/{plan}/items": VIEWER,
    "POST /ops/v1/plans/{plan}/run": OPERATOR,
    "POST /ops/v1/plans/{plan}/pause": OPERATOR,
    "POST /ops/v1/plans/{plan}/cancel": OPERATOR,
    "POST /ops/v1/plans/{plan}/dry-run": OPERATOR,
    "GET /ops/v1/keys": VIEWER,
    "POST /ops/v1/keys": ADMIN,
    "POST /ops/v1/keys/{key_id}/roll": ADMIN,
    "DELETE /ops/v1/keys/{key_id}": ADMIN,
    "GET /ops/v1/content": VIEWER,
    "GET /ops/v1/content/files": ARCHITECT,
    "PUT /ops/v1/content": ARCHITECT,
    "GET /ops/v1/raw": ARCHITECT,
    "GET /ops/v1/events": VIEWER,
    "GET /ops/v1/events/{key:path}": VIEWER,
    "GET /ops/v1/contents/sent/{seq}": VIEWER,
    "GET /ops/v1/contents/{form}/{seq}": VIEWER,
    "GET /ops/v1/audit": OPERATOR,
    "GET /ops/v1/audit/verify": OPERATOR,
    "GET /ops/v1/alerts": VIEWER,
    "POST /ops/v1/alerts/test": OPERATOR,
    "POST /ops/v1/alerts/{alert_id}/acknowledge": OPERATOR,
    "GET /ops/v1/drift": VIEWER,
    "GET /ops/v1/drift/{finding}": VIEWER,
    "PATCH /ops/v1/drift/{finding}": OPERATOR,
    "GET /ops/v1/drift/{finding}/proposal": VIEWER,
}
LIMITS = SessionLimits(idle=600)
OIDC = Oidc("https://id.example", "crossdock", roles=OidcRoles(map={"ops": "operator"}))


def application() -> tuple[FastAPI, Access, Clock]:
    """Return the whole application; what a path does is left out, and the checks before it stay."""
    clock = Clock()
    access = open_access(TOKEN, Console(sessions=LIMITS, oidc=OIDC), clock)
    app = opsmade.office(Path(tempfile.mkdtemp()), access=access).app

    async def nothing(**_: Any) -> str:
        return "let in"

    for route in routes(app):
        if f"{route.methods} {route.path}" != "{'POST'} /ops/v1/session":
            route.dependant.call = nothing
    return app, access, clock


def routes(app: FastAPI) -> Iterator[APIRoute]:
    return (route for route in app.routes if isinstance(route, APIRoute))


@cache
def found() -> list[str]:
    return [f"{method} {route.path}" for route in routes(application()[0]) for method in route.methods or ()]


def test_every_path_has_a_row_and_every_row_a_path() -> None:
    assert sorted(found()) == sorted(ROWS)


@pytest.mark.parametrize("who", [*ROLES, "none", "expired", "signed out", "wrong"])
def test_each_role_may_do_what_its_rows_say_and_nothing_else(who: str) -> None:
    async def scenario() -> None:
        app, access, clock = application()
        headers = await holder(app, access, clock, who)
        for row, wanted in ROWS.items():
            role = ROLES.get(who, 0)
            expected = "let in" if role >= wanted else "refused" if role else "unknown"
            assert (row, await asked(app, row, headers)) == (row, expected)

    asyncio.run(scenario())


async def asked(app: Any, row: str, headers: dict[str, str]) -> str:
    method, path = row.split(" ")
    if row == "POST /ops/v1/session":
        return "let in"  # it answers in its own words, see test_sessions
    filled = path.replace("{", "").replace("}", "")
    answer = await call(app, method, filled, {**headers, "content-length": "2"}, b"{}")
    return {401: "unknown", 403: "refused"}.get(answer.status, "let in")


async def holder(app: Any, access: Access, clock: Clock, who: str) -> dict[str, str]:
    """Return the headers by which somebody asks, with a session as a browser has it."""
    await add_users(access)
    if who in ("none", "wrong"):
        return {} if who == "none" else {"authorization": "Bearer wrong", "cookie": "crossdock_session=wrong"}
    name = who if who in ROLES else "admin"
    body = f'{{"user": "{name}", "password": "{PASSWORD}"}}'.encode()
    given = {"content-length": str(len(body)), "content-type": "application/json"}
    answer = await call(app, "POST", "/ops/v1/session", given, body)
    cookie, csrf = answer.headers["set-cookie"].partition(";")[0], answer.json()["csrf"]
    headers = {"cookie": cookie, "x-csrf-token": csrf, "origin": f"http://{HOST}", "host": HOST}
    if who == "expired":
        clock.seconds += LIMITS.idle
    if who == "signed out":
        await access.sessions.end(cookie.partition("=")[2])
    return headers


@pytest.mark.parametrize("role", ROLES)
def test_a_token_may_do_what_its_role_may_until_it_is_revoked(role: str) -> None:
    async def scenario() -> None:
        app, access, clock = application()
        text, token = make_token("t", ROLES[role], clock.milliseconds(), 0, "")
        await access.tokens.put(token)
        headers = {"authorization": f"Bearer {text}"}
        closed = {row: wanted for row, wanted in ROWS.items() if wanted != OPEN}
        for row, wanted in closed.items():
            expected = "let in" if ROLES[role] >= wanted else "refused"
            assert (row, await asked(app, row, headers)) == (row, expected)
        await access.tokens.remove(token.id)
        assert {await asked(app, row, headers) for row in closed} == {"unknown"}

    asyncio.run(scenario())


@pytest.mark.parametrize("place", [place.path for place in PLACES])
def test_no_page_opens_without_a_session(place: str) -> None:
    async def scenario() -> None:
        app, _, _ = application()
        path = place.replace("{", "").replace("}", "")
        assert (await call(app, "GET", path, {"accept": "text/html"})).status == 303
        assert (await call(app, "GET", path)).status == 401

    asyncio.run(scenario())


@pytest.mark.parametrize("role", ROLES)
def test_viewers_reveal_nothing_whatever_their_reason(role: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        access = open_access(TOKEN)
        made = opsmade.office(tmp_path, access=access)
        text, token = make_token("t", ROLES[role], 0, 0, "")
        await access.tokens.put(token)
        answer = await made.call("GET", "/ops/v1/dead-letters/dl-1?reveal=curious", token=text)
        assert (answer.status == 403) is (role == "viewer")

    asyncio.run(scenario())
