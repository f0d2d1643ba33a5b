"""`/ops/v1/approvals`: acts that wait for a second person, who approves or refuses; called by `console.api`."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

from fastapi import FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from console.access import Gate, Role, person, same_person
from console.answers import json_answer
from console.audit import note
from console.desk import Desk
from console.edits import send_edit
from console.plans import run_plan
from console.replays import give_up
from crossdock.pipeline.recorder import now_ms
from dlq.approvals import Approval, State

CUT_AFTER = 60_000  # milliseconds after which what was approved and not done may be approved again: a kill came between

_Run = Callable[[Desk, Approval], Awaitable[Mapping[str, Any]]]


class Said(BaseModel):
    """What the second person has to say."""

    model_config = ConfigDict(extra="forbid")
    why: str = Field("", max_length=300)


def add_approvals(app: FastAPI, desk: Desk, gate: Gate) -> None:
    """Add the paths of this file."""

    @app.get("/ops/v1/approvals", dependencies=[gate(Role.VIEWER)])
    async def approvals(state: State | Literal[""] = "") -> Response:
        found = await desk.approvals.all()
        items = [one.as_dict() for one in found if state in ("", one.state)]
        return json_answer({"items": items, "second_person": dict(desk.second_person)})

    @app.get("/ops/v1/approvals/{approval}", dependencies=[gate(Role.VIEWER)])
    async def show(approval: str) -> Response:
        return json_answer((await _one(desk, approval)).as_dict())

    @app.post("/ops/v1/approvals/{approval}/approve", dependencies=[gate(Role.OPERATOR)])
    async def approve(approval: str, said: Said, request: Request) -> Response:
        asked = await _open(desk, approval, request, "approve")
        await note(desk.audit, request, "approval.approve", approval, of=asked.act, asked_by=asked.who, why=said.why)
        return json_answer(await _done(desk, await _decided(desk, asked, "approved", request, said)))

    @app.post("/ops/v1/approvals/{approval}/refuse", dependencies=[gate(Role.OPERATOR)])
    async def refuse(approval: str, said: Said, request: Request) -> Response:
        asked = await _open(desk, approval, request, "refuse")
        await note(desk.audit, request, "approval.refuse", approval, of=asked.act, asked_by=asked.who, why=said.why)
        return json_answer((await _decided(desk, asked, "refused", request, said)).as_dict())


async def _one(desk: Desk, approval_id: str) -> Approval:
    found = await desk.approvals.get(approval_id)
    if found is None:
        raise HTTPException(404, f"nobody asked for {approval_id}, or it is past its retention")
    return found


async def _open(desk: Desk, approval_id: str, request: Request, word: Literal["approve", "refuse"]) -> Approval:
    """Return what may be decided by whoever asks; who asked for it may only take it back."""
    found = await _one(desk, approval_id)
    cut = found.state == "approved" and found.then < now_ms() - CUT_AFTER and word == "approve"
    if found.state != "asked" and not cut:
        raise HTTPException(409, f"{approval_id} is {found.state}")
    if same_person(found.who, person(request)) and word == "approve":
        raise HTTPException(403, f"{found.who} asked for it; another person has to approve it")
    return found


async def _decided(desk: Desk, asked: Approval, state: State, request: Request, said: Said) -> Approval:
    """Store a decision, of which the first counts."""
    decided = replace(asked, state=state, by=person(request), then=now_ms(), said=said.why)
    stored = await desk.approvals.put(decided)
    if stored is None:
        raise HTTPException(409, f"somebody else decided on {asked.id} at the same moment; look again")
    return stored


async def _done(desk: Desk, approved: Approval) -> dict[str, Any]:
    """Do what was approved, and keep what came of it."""
    try:
        made = await _RUNS[approved.act](desk, approved)
    except HTTPException as error:
        await desk.approvals.put(replace(approved, state="failed", outcome=str(error.detail)[:1000]))
        raise
    done = f"skipped: {made['reason']}" if made.get("outcome") == "skipped" else "done"
    ended = replace(approved, state="done", outcome=done)
    return {**(await desk.approvals.put(ended) or ended).as_dict(), "result": made}


async def _edit(desk: Desk, approved: Approval) -> Mapping[str, Any]:
    return await send_edit(desk, approved.wanted, approved.who, approved.why)


async def _discard(desk: Desk, approved: Approval) -> Mapping[str, Any]:
    return await give_up(desk, approved.wanted["ids"], approved.why, approved.who)


async def _plan(desk: Desk, approved: Approval) -> Mapping[str, Any]:
    return await run_plan(desk, approved.wanted["plan"])


_RUNS: Mapping[str, _Run] = {"edit": _edit, "discard": _discard, "plan": _plan}
