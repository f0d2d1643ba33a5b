"""The gateway's HTTP application: the hot path as a plain ASGI route, the rest as FastAPI handlers."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.routing import Route

from crossdock import VERSION
from crossdock.kernel import jsontext
from crossdock.kernel.problems import Problem, Refused, Unavailable
from crossdock.project import Project
from gateway.answers import RETRY_AFTER, problem_document
from gateway.ingest import UNAVAILABLE, Ingest
from gateway.openapi import describe_ingest
from gateway.status import look_up
from journal.store import Journeys

_NOT_FOUND = Problem("not_found", "nothing of yours is known under this name")


def create_app(project: Project, ingest: Ingest, journal: Journeys, ready: Callable[[], bool]) -> FastAPI:
    """Return the application; `ready` tells whether the broker answers."""
    app = FastAPI(title="Crossdock gateway", version=VERSION, docs_url=None, redoc_url=None)
    app.router.routes.insert(0, Route("/v1/events", ingest))
    describe_ingest(app)

    @app.get("/v1/events/{event_id:path}", summary="What became of my event")
    async def event_status(event_id: str, request: Request) -> Response:
        partner = await ingest.partner(request.headers)
        found = await look_up(project, journal, partner, event_id)
        return _problem(_NOT_FOUND) if found is None else _json(found)

    @app.get("/v1/catalog", summary="What I may send")
    async def catalog(request: Request) -> Response:
        partner = await ingest.partner(request.headers)
        return _json({"partner": partner, "sources": list(_offers(project, partner))})

    @app.get("/livez", summary="The process lives")
    async def livez() -> Response:
        return Response("ok", media_type="text/plain")

    @app.get("/readyz", summary="The broker answers")
    async def readyz() -> Response:
        return Response(
            "ok" if ready() else "the broker does not answer", 200 if ready() else 503, media_type="text/plain"
        )

    _answer_problems(app)
    return app


def _offers(project: Project, partner: str) -> Any:
    for source in project.sources.values():
        if source.partner == partner:
            types = [
                {
                    "type": kind,
                    "versions": project.registry.versions(kind),
                    "default": pin or project.registry.newest(kind),
                }
                for kind, pin in source.types
            ]
            limits = {"body": source.body_limit, "batch": source.batch_limit}
            yield {"source": source.name, "accept": source.accept, "types": types, "limits": limits}


def _answer_problems(app: FastAPI) -> None:
    """Give every error of FastAPI and ours the one shape."""

    @app.exception_handler(Refused)
    async def on_refused(_: Request, error: Refused) -> Response:
        return _problem(*error.problems)

    @app.exception_handler(Unavailable)
    async def on_unavailable(_: Request, __: Unavailable) -> Response:
        return _problem(UNAVAILABLE)

    @app.exception_handler(HTTPException)
    @app.exception_handler(404)
    @app.exception_handler(405)
    async def on_http(_: Request, error: HTTPException) -> Response:
        code = "method_not_allowed" if error.status_code == 405 else "not_found"
        response = _problem(Problem(code, str(error.detail)))
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_: Request, error: RequestValidationError) -> Response:
        return _problem(Problem("invalid_request", str(error.errors()[0].get("msg", "")), "see /openapi.json"))


def _json(document: Any, status: int = 200, media: str = "application/json") -> Response:
    return Response(jsontext.dumps(document), status, media_type=media)


def _problem(*problems: Problem) -> Response:
    document = problem_document(problems)
    response = _json(document, document["status"], "application/problem+json")
    if document["status"] == 401:
        response.headers["www-authenticate"] = "Bearer"
    if document["status"] == 503:
        response.headers["retry-after"] = RETRY_AFTER
    return response
