"""`/ops/v1/plans`: a replay that is counted, run, paused, gone on with and cancelled; called by `console.api`."""

import asyncio
from collections import Counter
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from console.access import Gate, Role, person
from console.audit import note
from console.desk import Desk
from console.replays import selected
from crossdock.kernel import jsontext
from crossdock.pipeline.replayer import choose
from dlq.plans import ENDED, Plan

MOST = 100_000  # dead letters of one plan


class Wanted(BaseModel):
    """Which dead letters, why, and how many a second at most."""

    model_config = ConfigDict(extra="forbid")
    ids: list[str] = Field([], max_length=MOST)
    route: str = Field("", max_length=200)
    reason: str = Field("", max_length=200)
    problem: str = Field("", max_length=40)
    why: str = Field("", max_length=300)
    rate: int = Field(500, ge=1, le=10_000)


def add_plans(app: FastAPI, desk: Desk, gate: Gate) -> None:
    """Add the paths of this file."""

    @app.post("/ops/v1/plans", dependencies=[gate(Role.OPERATOR)])
    async def make(wanted: Wanted, request: Request) -> Response:
        return await _make(desk, wanted, request)

    @app.get("/ops/v1/plans", dependencies=[gate(Role.VIEWER)])
    async def plans(limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Response:
        return _json({"items": [plan.as_dict() for plan in (await desk.replayer.plans.all())[:limit]]})

    @app.get("/ops/v1/plans/{plan}", dependencies=[gate(Role.VIEWER)])
    async def show(plan: str) -> Response:
        return _json(await _shown(desk, await _plan(desk, plan)))

    @app.post("/ops/v1/plans/{plan}/run", dependencies=[gate(Role.OPERATOR)])
    async def run(plan: str, request: Request) -> Response:
        return await _act(desk, plan, "run", request)

    @app.post("/ops/v1/plans/{plan}/pause", dependencies=[gate(Role.OPERATOR)])
    async def pause(plan: str, request: Request) -> Response:
        return await _act(desk, plan, "pause", request)

    @app.post("/ops/v1/plans/{plan}/cancel", dependencies=[gate(Role.OPERATOR)])
    async def cancel(plan: str, request: Request) -> Response:
        return await _act(desk, plan, "cancel", request)


async def _make(desk: Desk, wanted: Wanted, request: Request) -> Response:
    asked = wanted.model_dump(include={"ids", "route", "reason", "problem"})
    items, gone = await choose(await selected(desk, **asked, limit=MOST + 1), desk.letters)
    if len(items) > MOST:
        raise HTTPException(422, f"more than {MOST} dead letters; make several plans")
    who = person(request)
    plan = await desk.replayer.plans.make(items, who, wanted.why, wanted.rate)
    return _json({**plan.as_dict(), "past_retention": gone}, 201)


async def _act(desk: Desk, plan_id: str, act: str, request: Request) -> Response:
    plan = await _plan(desk, plan_id)
    if plan.state in ENDED:
        raise HTTPException(409, f"plan {plan_id} is {plan.state}; make another one")
    if plan.state == "running" and act == "run":
        raise HTTPException(409, f"plan {plan_id} runs already")
    await note(desk.audit, request, f"plan.{act}", plan_id, total=plan.total, done=plan.done, why=plan.reason)
    if act == "run":
        turned = await desk.replayer.start(plan)
    else:
        turned = await desk.replayer.plans.turn(plan_id, "paused" if act == "pause" else "cancelled")
    if turned is None:
        raise HTTPException(409, f"somebody else did something with plan {plan_id} at the same moment; look again")
    return _json(turned.as_dict())


async def _plan(desk: Desk, plan_id: str) -> Plan:
    found = await desk.replayer.plans.get(plan_id)
    if found is None:
        raise HTTPException(404, f"no plan {plan_id}")
    return found


async def _shown(desk: Desk, plan: Plan) -> dict[str, Any]:
    """Return a plan, and how many dead letters of its selection are in which state by now."""
    states: Counter[str] = Counter()
    async for part in desk.replayer.plans.items(plan):
        known = await asyncio.to_thread(desk.journal.known, [item.id for item in part])
        states.update(state.state for state in known.values())
    return {**plan.as_dict(), "states": states}


def _json(document: Any, status: int = 200) -> Response:
    return Response(jsontext.dumps(document), status, media_type="application/json")
