"""Puts the pages on the operations application. Called by the composition root."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse
from nicegui import core, ui
from nicegui.client import Client
from starlette.types import Receive, Scope, Send

from console.pages import leaving, notices, waiting
from console.pages.api import Api, Refusal
from console.pages.login import add_login
from console.pages.notices import Notices
from console.pages.owners import guard, intrudes
from console.pages.parts.basics import empty, link, tag
from console.pages.places import PLACES
from console.pages.shell import LOOK, frame
from console.pages.visit import Visit
from console.pages.waiting import Waiting

_API, _LIVE, _SOCKET = ("/ops/", "/metrics"), "/_nicegui", "/_nicegui_ws/"
_FOR_PEOPLE = JSONResponse({"detail": "pages are for people who sign in; a program with a token asks /ops/v1"}, 401)
ANSWER_WITHIN = 15.0  # seconds for the first look of a page, after which it says that it is late
BUILD_WITHIN = 4 * ANSWER_WITHIN  # after which NiceGUI says so, in words for programmers
_ICON = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>"
    "<path d='M1 5h9l-3-3h3l4 4-4 4H7l3-3H1zM15 11H6l3 3' fill='#0b6b63'/></svg>"
)
_LEADS = {place.path: place.leads for place in PLACES if place.leads}
_NOTHING = JSONResponse({"detail": "nothing is here"}, 404)
_OF_OTHERS = JSONResponse({"detail": "this socket is of another session"}, 403)

Build = Callable[[Visit], Awaitable[None]]


class _Pages:
    """Serves the pages where the operations API has nothing, and tells them in which application they are."""

    def __init__(self, operations: FastAPI) -> None:
        self._operations, self._nothing = operations, operations.router.default

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(_API):
            await self._nothing(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        if state.get("session") is None and not scope["path"].startswith(_LIVE):
            await (_FOR_PEOPLE if state.get("person") else _NOTHING)(scope, receive, send)
            return
        if scope["path"].startswith(_SOCKET) and intrudes(scope):
            await _OF_OTHERS(scope, receive, send)
            return
        state["operations"] = self._operations
        there = RedirectResponse(address, 303) if (address := await _elsewhere(scope)) else None
        await leaving.serve(there or core.app, scope, receive, send)


async def _elsewhere(scope: Scope) -> str:
    """Return where an address leads at once: asked before NiceGUI makes a page, which it would keep for nobody."""
    leads = _LEADS.get(scope["path"])
    if leads is None or scope.get("method") != "GET":
        return ""
    request = Request(scope)
    with suppress(Refusal, TimeoutError):  # which the page says
        async with asyncio.timeout(ANSWER_WITHIN):
            return await leads(Api(request), _query(request))
    return ""


def _query(request: Request) -> dict[str, str]:
    return {name: value[:1000] for name, value in request.query_params.items()}


def add_pages(app: FastAPI) -> None:
    """Add the pages, which are served while `running` is entered."""
    add_login(app)
    app.router.default = _Pages(app)


def running() -> AbstractAsyncContextManager[Any]:
    """Keep open pages live while it is entered."""
    if not core.app.config.has_run_config:  # NiceGUI is one application for a process, however many desks it serves
        _configure()
    return core.app.router.lifespan_context(core.app)


def _configure() -> None:
    guard()
    for place in PLACES:
        ui.page(place.path, response_timeout=BUILD_WITHIN)(_page(place.title, place.build))
    ui.run_with(
        FastAPI(), title="Crossdock", favicon=_ICON, show_welcome_message=False, tailwind=False, language="en-US",
        binding_refresh_interval=None, reconnect_timeout=5.0,
    )  # fmt: skip


def _page(title: str, build: Build) -> Callable[..., Awaitable[None]]:
    async def shown(request: Request, client: Client) -> None:
        state, dark = request.state, request.cookies.get(LOOK) == "dark"
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        api = Api(request)
        with frame(client, api, title, request, dark) as drawn:
            words = (state.person, state.role, request.path_params, _query(request), here, dark)
            visit = Visit(api, *words, drawn.trouble, drawn.told)
            try:
                async with asyncio.timeout(ANSWER_WITHIN):
                    await visit.live(Waiting(visit, drawn.entries).refresh, waiting.EVERY, aside=True)
                    await visit.live(Notices(visit, tag("div", classes="notices")).refresh, notices.EVERY, aside=True)
                    await build(visit)
            except Refusal as refusal:
                client.status_code = refusal.status
                empty(str(refusal))
                link("Back to the overview", "/")
            except TimeoutError:
                client.status_code = 503
                empty("This page could not be made in time, as much is being done. Load it again in a moment.")

    return shown
