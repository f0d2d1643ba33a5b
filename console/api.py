"""The operations API, `/ops/v1`: what the command line and the console page call."""

from typing import Any

from fastapi import FastAPI, Request, Response

from console.access import Gate, Role, gate_of
from console.audit import add_audit, note
from console.backfills import add_backfills
from console.content import add_content
from console.contents import add_contents
from console.desk import Desk
from console.events import add_events
from console.keys import add_keys
from console.page import HEADERS, PAGE
from console.past import add_past
from console.plans import add_plans
from console.problems import add_problems
from console.rehearsals import add_rehearsals
from console.replays import add_replays, known_route
from console.views import show_connectors, show_overview
from crossdock import VERSION
from crossdock.kernel import jsontext
from crossdock.kernel.problems import Unavailable


def create_app(desk: Desk, token: str) -> FastAPI:
    """Return the application; every path but the page and the probes needs the token."""
    gate = gate_of(token)
    app = FastAPI(title="Crossdock operations", version=VERSION, docs_url=None, redoc_url=None, openapi_url=None)

    _probes(app)
    _views(app, desk, gate)
    _connectors(app, desk, gate)
    _acts(app, desk, gate)
    add_replays(app, desk, gate)
    add_keys(app, desk, gate)
    add_content(app, desk.office, desk.audit, gate)
    add_past(app, desk, gate)
    add_events(app, desk, gate)
    add_contents(app, desk, gate)
    add_backfills(app, desk, gate)
    add_audit(app, desk.audit, gate)
    add_problems(app, desk, gate)
    add_plans(app, desk, gate)
    add_rehearsals(app, desk, gate)

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


def _views(app: FastAPI, desk: Desk, gate: Gate) -> None:
    @app.get("/ops/v1/overview", dependencies=[gate(Role.VIEWER)])
    async def overview() -> Response:
        return _json(await show_overview(desk))

    @app.get("/ops/v1/ledger", dependencies=[gate(Role.VIEWER)])
    async def ledger() -> Response:
        return _json((await desk.ledger()).as_dict())

    @app.get("/ops/v1/asyncapi.json", dependencies=[gate(Role.VIEWER)])
    async def asyncapi() -> Response:
        return _json(desk.asyncapi())

    @app.get("/metrics", dependencies=[gate(Role.VIEWER)])
    async def metrics() -> Response:
        return Response(desk.metrics(), media_type="text/plain; version=0.0.4")


def _connectors(app: FastAPI, desk: Desk, gate: Gate) -> None:
    @app.get("/ops/v1/connectors", dependencies=[gate(Role.VIEWER)])
    async def connectors() -> Response:
        return _json({"items": show_connectors(desk)})


def _acts(app: FastAPI, desk: Desk, gate: Gate) -> None:
    @app.post("/ops/v1/routes/{name}/pause", dependencies=[gate(Role.OPERATOR)])
    async def pause(name: str, request: Request) -> Response:
        return await _pause(desk, request, name, True)

    @app.post("/ops/v1/routes/{name}/resume", dependencies=[gate(Role.OPERATOR)])
    async def resume(name: str, request: Request) -> Response:
        return await _pause(desk, request, name, False)


async def _pause(desk: Desk, request: Request, name: str, paused: bool) -> Response:
    known_route(desk, name)
    await note(desk.audit, request, "route.pause" if paused else "route.resume", name)
    await desk.pause(name, paused)
    return _json({"route": name, "paused": paused})


def _json(document: Any, status: int = 200) -> Response:
    return Response(jsontext.dumps(document), status, media_type="application/json")
