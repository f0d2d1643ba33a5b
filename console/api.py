"""The operations API, `/ops/v1`: what the command line and the console page call."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from pydantic import BaseModel, Field

from console.content import add_content
from console.desk import Desk
from console.keys import add_keys
from console.page import HEADERS, PAGE
from console.past import add_past
from console.views import show_journey, show_overview
from crossdock import VERSION
from crossdock.kernel import jsontext
from crossdock.kernel.problems import Unavailable
from crossdock.pipeline.recorder import now_ms
from crossdock.pipeline.replay import replay_letters
from journal.store import OPEN, REPLAYING, LetterState

MANY = 10_000
STUCK_AFTER = 60_000  # milliseconds after which a replay that was recorded but never sent may be made again
State = Literal["", "open", "replaying", "resolved", "discarded"]
Limit = Annotated[int, Query(ge=1)]


class Selection(BaseModel):
    """Dead letters to replay: by id, or all open ones of a route or reason."""

    ids: list[str] = Field(default=[], max_length=MANY)
    route: str = ""
    reason: str = ""
    dry_run: bool = False


def create_app(desk: Desk, token: str) -> FastAPI:
    """Return the application; every path but the page and the probes needs the token."""
    if not token:
        raise ValueError("an empty operations token would let everybody in")
    app = FastAPI(title="Crossdock operations", version=VERSION, docs_url=None, redoc_url=None, openapi_url=None)

    def authorised(request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secrets.compare_digest(given.encode(), token.encode()):
            raise HTTPException(401, "send Authorization: Bearer TOKEN", {"www-authenticate": "Bearer"})

    _probes(app)
    _views(app, desk, authorised)
    _acts(app, desk, authorised)
    add_keys(app, desk, authorised)
    add_content(app, desk.office, authorised)
    add_past(app, desk, authorised)

    @app.exception_handler(Unavailable)
    async def on_unavailable(_: Request, error: Unavailable) -> Response:
        return _json({"detail": str(error)}, 503)

    return app


def _probes(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return Response(PAGE, media_type="text/html", headers=HEADERS)

    @app.get("/livez", include_in_schema=False)
    async def livez() -> Response:
        return Response("ok", media_type="text/plain")


def _views(app: FastAPI, desk: Desk, authorised: Callable[[Request], None]) -> None:
    guarded = [Depends(authorised)]

    @app.get("/ops/v1/overview", dependencies=guarded)
    async def overview() -> Response:
        return _json(await show_overview(desk))

    @app.get("/ops/v1/events", dependencies=guarded)
    async def find_events(key: str) -> Response:
        return _json(await show_journey(desk, key))

    @app.get("/ops/v1/dead-letters", dependencies=guarded)
    async def list_letters(state: State = "", route: str = "", reason: str = "", limit: Limit = 100) -> Response:
        _known_route(desk, route)
        found = await asyncio.to_thread(
            lambda: desk.journal.letters(state=state, route=route, reason=reason, limit=min(limit, MANY))
        )
        return _json({"items": [letter.as_dict() for letter in found]})

    @app.get("/ops/v1/dead-letters/{letter_id}", dependencies=guarded)
    async def show_letter(letter_id: str) -> Response:
        state = await _letter(desk, letter_id)
        letter = await desk.letters.get(state.ref)
        content = {**asdict(letter), "payload": letter.payload.decode("utf-8", "backslashreplace")} if letter else {}
        return _json({**content, **state.as_dict()})

    @app.get("/ops/v1/ledger", dependencies=guarded)
    async def ledger() -> Response:
        return _json((await desk.ledger()).as_dict())

    @app.get("/ops/v1/asyncapi.json", dependencies=guarded)
    async def asyncapi() -> Response:
        return _json(desk.asyncapi())

    @app.get("/metrics", dependencies=guarded)
    async def metrics() -> Response:
        return Response(desk.metrics(), media_type="text/plain; version=0.0.4")


def _acts(app: FastAPI, desk: Desk, authorised: Callable[[Request], None]) -> None:
    guarded = [Depends(authorised)]

    @app.post("/ops/v1/replays", dependencies=guarded)
    async def replay(selection: Selection) -> Response:
        states = await _select(desk, selection)
        results = await replay_letters(states, desk.letters, desk.streams, dry_run=selection.dry_run)
        return _json({"dry_run": selection.dry_run, "items": [asdict(result) for result in results]})

    @app.post("/ops/v1/routes/{name}/pause", dependencies=guarded)
    async def pause(name: str) -> Response:
        return await _pause(desk, name, True)

    @app.post("/ops/v1/routes/{name}/resume", dependencies=guarded)
    async def resume(name: str) -> Response:
        return await _pause(desk, name, False)


async def _letter(desk: Desk, letter_id: str) -> LetterState:
    found = await asyncio.to_thread(desk.journal.letter, letter_id)
    if found is None:
        raise HTTPException(404, f"no dead letter {letter_id}")
    return found


async def _select(desk: Desk, selection: Selection) -> list[LetterState]:
    if selection.ids:
        return [await _letter(desk, letter_id) for letter_id in selection.ids]
    if not selection.route and not selection.reason:
        raise HTTPException(422, "name ids, a route or a reason")
    _known_route(desk, selection.route)
    found = [
        letter
        for state in (OPEN, REPLAYING)
        for letter in await asyncio.to_thread(
            desk.journal.letters, state=state, route=selection.route, reason=selection.reason, limit=MANY
        )
    ]
    stuck = now_ms() - STUCK_AFTER
    return [letter for letter in found if letter.state == OPEN or letter.last_seen < stuck]


def _known_route(desk: Desk, name: str) -> None:
    if name and name not in desk.project.routes:
        raise HTTPException(404, f"no route {name}; known: {', '.join(sorted(desk.project.routes))}")


async def _pause(desk: Desk, name: str, paused: bool) -> Response:
    _known_route(desk, name)
    await desk.pause(name, paused)
    return _json({"route": name, "paused": paused})


def _json(document: Any, status: int = 200) -> Response:
    return Response(jsontext.dumps(document), status, media_type="application/json")
