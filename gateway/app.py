"""The gateway's HTTP application: the hot path as a plain ASGI route, the rest as FastAPI handlers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.routing import Route

from crossdock import VERSION
from crossdock.kernel.problems import Problem, Refused, Unavailable
from crossdock.project import Project
from gateway import answers, catalog, openapi, status
from gateway.caller import Caller
from gateway.callers import Callers
from gateway.endpoint import Endpoint
from gateway.head import read_head
from gateway.pages import Who, response
from gateway.traffic import Limited, Traffic
from journal.store import Journeys

ASKS = 8  # look-ups of a partner under way at a time; each may wait for the journal
Count = Callable[[str], None]
_AWAY = Problem("unavailable", "a server that this needs does not answer", "ask again")


def create_app(
    project: Project, endpoint: Endpoint, who: Who, journal: Journeys, ready: Callable[[], bool], count: Count
) -> FastAPI:
    """Return the application; `ready` tells whether the broker answers, `count` notes the code of a refusal."""
    app = FastAPI(
        title="Crossdock gateway",
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    status.add(app, project, who, journal)
    app.router.routes.append(Route("/v1/events", endpoint))  # after the list, which takes GET of this path
    app.router.routes.append(Route("/v1/sources/{source}", endpoint))
    catalog.add(app, project, who)
    openapi.add(app, project, who)

    @app.get("/livez")
    async def livez() -> Response:
        return Response("ok", media_type="text/plain")

    @app.get("/readyz")
    async def readyz() -> Response:
        return Response(
            "ok" if ready() else "the broker does not answer", 200 if ready() else 503, media_type="text/plain"
        )

    _answer_problems(app, count)
    return app


def asker(callers: Callers, traffic: Traffic) -> Who:
    """Return what finds out who asks where no source is named, and lets a partner ask so much at a time."""

    @asynccontextmanager
    async def who(request: Request) -> AsyncIterator[Caller]:
        caller = await callers.anywhere(read_head(request.scope).request())
        with traffic.lane(f"asks:{caller.partner}", ASKS):
            yield caller

    return who


def _answer_problems(app: FastAPI, count: Count) -> None:
    """Give every error of FastAPI and ours the one shape."""

    def answer(*problems: Problem) -> Response:
        count(problems[0].code)
        return response(answers.problem(problems))

    @app.exception_handler(Refused)
    async def on_refused(_: Request, error: Refused) -> Response:
        return answer(*error.problems)

    @app.exception_handler(Limited)
    async def on_limited(_: Request, error: Limited) -> Response:
        count("quota_exceeded")
        await asyncio.sleep(error.answer.delay)
        return response(error.answer)

    @app.exception_handler(Unavailable)
    async def on_unavailable(_: Request, __: Unavailable) -> Response:
        return answer(_AWAY)

    @app.exception_handler(HTTPException)
    @app.exception_handler(404)
    @app.exception_handler(405)
    async def on_http(_: Request, error: HTTPException) -> Response:
        code = "method_not_allowed" if error.status_code == 405 else "not_found"
        made = answer(Problem(code, str(error.detail)))
        made.headers.update(error.headers or {})
        return made

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_: Request, error: RequestValidationError) -> Response:
        return answer(Problem("invalid_request", str(error.errors()[0].get("msg", "")), "see /openapi.json"))
