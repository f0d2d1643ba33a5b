"""`/ops/v1/routes/{name}/backfill`: past events through one route again; called by `console.api`."""

import asyncio
from datetime import UTC, datetime

from fastapi import FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, Field

from console.access import Gate, Role
from console.answers import json_answer
from console.audit import note
from console.desk import Desk
from crossdock.pipeline.backfill import Backfill
from routes.spec import BEGINNING, Route


class Span(BaseModel):
    """The events to send: those stored at a time or later, and before another; all that are kept if left out."""

    since: str = Field(default=BEGINNING, alias="from")
    to: str = ""
    dry_run: bool = False


def add_backfills(app: FastAPI, desk: Desk, gate: Gate) -> None:
    """Add the paths."""
    path = "/ops/v1/routes/{name}/backfill"

    @app.post(path, dependencies=[gate(Role.ARCHITECT)])
    async def backfill(name: str, span: Span, request: Request) -> Response:
        planned = await _plan(desk, _route(desk, name), span)
        if span.dry_run:
            delivered = desk.journal.delivered
            return _json(
                planned, delivered=await asyncio.to_thread(delivered, planned.route, planned.first, planned.last)
            )
        told = {"id": planned.id, "total": planned.total, "from": span.since, "to": span.to}
        await note(desk.audit, request, "backfill.start", planned.route, **told)
        begun = await desk.backfiller.start(planned)
        if begun is None:
            raise HTTPException(409, f"a backfill of {name} runs already; stop it first")
        return _json(begun)

    @app.get(path, dependencies=[gate(Role.VIEWER)])
    async def show(name: str) -> Response:
        return _json(_present(name, await desk.backfiller.store.get(_route(desk, name).name)))

    @app.delete(path, dependencies=[gate(Role.ARCHITECT)])
    async def stop(name: str, request: Request) -> Response:
        route = _route(desk, name).name
        await note(desk.audit, request, "backfill.stop", route)
        return _json(_present(name, await desk.backfiller.stop(route)))


async def _plan(desk: Desk, route: Route, span: Span) -> Backfill:
    since = None if span.since == BEGINNING else moment("from", span.since)
    return await desk.backfiller.plan(route, since, moment("to", span.to) if span.to else None)


def moment(name: str, text: str) -> datetime:
    """Read a date and time that a person gave; 422 when it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise HTTPException(422, f"{name}: {text[:40]!r} is no date and time such as 2026-11-01T00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _route(desk: Desk, name: str) -> Route:
    route = desk.project.routes.get(name)
    if route is None:
        raise HTTPException(404, f"no route {name}; known: {', '.join(sorted(desk.project.routes))}")
    return route


def _present(name: str, found: Backfill | None) -> Backfill:
    if found is None:
        raise HTTPException(404, f"there was no backfill of {name}")
    return found


def _json(backfill: Backfill, **more: int) -> Response:
    return json_answer(backfill.as_dict() | more)
