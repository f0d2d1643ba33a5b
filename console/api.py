"""The operations API, `/ops/v1`: what the command line and the console page call."""

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field

from console.access import Gate, Role, gate
from console.alerts import add_alerts
from console.answers import json_answer
from console.apitokens import add_tokens
from console.approvals import add_approvals
from console.audit import add_audit, note
from console.backfills import add_backfills
from console.content import add_content
from console.contents import add_contents
from console.desk import Desk
from console.door import Door
from console.drift import add_drift
from console.edits import add_edits
from console.events import add_events
from console.headers import Headers as SecurityHeaders
from console.identity import Access
from console.invalid import sentence
from console.keys import add_keys
from console.ledger import add_ledger
from console.letters import add_letters
from console.partners import add_partners
from console.past import add_past
from console.people import add_people
from console.plans import add_plans
from console.problems import add_problems
from console.processes import add_processes
from console.rehearsals import add_rehearsals
from console.replays import add_replays, known_route
from console.schemas import add_schemas
from console.signin import add_signin
from console.sources import add_sources
from console.views import show_connectors, show_overview
from crossdock import VERSION
from crossdock.kernel.problems import Unavailable


class Why(BaseModel):
    """Why a route is paused or resumed, for the audit log."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field("", max_length=300)


def create_app(desk: Desk, access: Access) -> FastAPI:
    """Return the application, behind the door."""
    app = FastAPI(title="Crossdock operations", version=VERSION, docs_url=None, redoc_url=None, openapi_url=None)

    _probes(app)
    _views(app, desk, gate)
    _connectors(app, desk, gate)
    _acts(app, desk, gate)
    add_replays(app, desk, gate)
    add_keys(app, desk, gate)
    add_ledger(app, desk, gate)
    add_content(app, desk.office, desk.audit, gate)
    add_past(app, desk, gate)
    add_events(app, desk, gate)
    add_contents(app, desk, gate)
    add_backfills(app, desk, gate)
    add_audit(app, desk.audit, gate)
    add_problems(app, desk, gate)
    add_plans(app, desk, gate)
    add_rehearsals(app, desk, gate)
    add_letters(app, desk, gate)
    add_edits(app, desk, gate)
    add_approvals(app, desk, gate)
    add_alerts(app, desk, gate)
    add_drift(app, desk, gate)
    add_partners(app, desk, gate)
    add_sources(app, desk, gate)
    add_schemas(app, desk, gate)
    add_processes(app, desk, gate)

    _access(app, access, desk)
    _answer_errors(app)
    app.add_middleware(Door, access=access)
    app.add_middleware(SecurityHeaders, secure=access.secure)
    return app


def _access(app: FastAPI, access: Access, desk: Desk) -> None:
    add_signin(app, access, desk.audit, gate)
    add_people(app, access, desk.audit, gate)
    add_tokens(app, access, desk.audit, gate)
    if access.provider is not None:
        from console.oidc import add_oidc  # noqa: PLC0415  what it needs, nobody else does

        add_oidc(app, access, access.provider, desk.audit)


def _answer_errors(app: FastAPI) -> None:
    @app.exception_handler(Unavailable)
    async def on_unavailable(_: Request, error: Unavailable) -> Response:
        return json_answer({"detail": str(error)}, 503)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_: Request, error: RequestValidationError) -> Response:
        return json_answer({"detail": sentence(error.errors())}, 422)


def _probes(app: FastAPI) -> None:
    @app.get("/livez", include_in_schema=False)
    async def livez() -> Response:
        return Response("ok", media_type="text/plain")


def _views(app: FastAPI, desk: Desk, gate: Gate) -> None:
    @app.get("/ops/v1/overview", dependencies=[gate(Role.VIEWER)])
    async def overview() -> Response:
        return json_answer(await show_overview(desk))

    @app.get("/ops/v1/asyncapi.json", dependencies=[gate(Role.VIEWER)])
    async def asyncapi() -> Response:
        return json_answer(desk.asyncapi())

    @app.get("/metrics", dependencies=[gate(Role.VIEWER)])
    async def metrics() -> Response:
        return Response(desk.metrics(), media_type="text/plain; version=0.0.4")


def _connectors(app: FastAPI, desk: Desk, gate: Gate) -> None:
    @app.get("/ops/v1/connectors", dependencies=[gate(Role.VIEWER)])
    async def connectors() -> Response:
        return json_answer({"items": show_connectors(desk)})


def _acts(app: FastAPI, desk: Desk, gate: Gate) -> None:
    @app.post("/ops/v1/routes/{name}/pause", dependencies=[gate(Role.OPERATOR)])
    async def pause(name: str, request: Request, why: Why | None = None) -> Response:
        return await _pause(desk, request, name, True, why)

    @app.post("/ops/v1/routes/{name}/resume", dependencies=[gate(Role.OPERATOR)])
    async def resume(name: str, request: Request, why: Why | None = None) -> Response:
        return await _pause(desk, request, name, False, why)


async def _pause(desk: Desk, request: Request, name: str, paused: bool, why: Why | None) -> Response:
    known_route(desk, name)
    said = {"reason": why.reason} if why and why.reason else {}
    await note(desk.audit, request, "route.pause" if paused else "route.resume", name, **said)
    await desk.pause(name, paused)
    return json_answer({"route": name, "paused": paused})
