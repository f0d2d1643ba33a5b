"""`/ops/v1/problems`: dead letters of one cause, and who does what about it; called by `console.api`."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import asdict
from itertools import groupby
from operator import attrgetter
from typing import Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from console.access import Gate, Role, person
from console.answers import json_answer
from console.audit import note
from console.desk import Desk
from dlq.problems import Change, Mark, state_of
from journal.cause import problem_id, read
from journal.store import DISCARDED, OPEN, RESOLVED, CauseCount

HOUR = 3_600_000  # milliseconds over which the rate is counted
FAR = 4_102_444_800_000 * 10  # a due time after that is a mistake in its unit
State = Literal["open", "acknowledged", "resolved", "ignored"]
Text = Annotated[str, Query(max_length=200)]


class Said(BaseModel):
    """What a person says of a problem; what is left out stays."""

    model_config = ConfigDict(extra="forbid")
    state: State | None = None
    owner: str | None = Field(None, max_length=100)
    due: int | None = Field(None, ge=0, le=FAR)
    note: str | None = Field(None, min_length=1, max_length=2000)


def add_problems(app: FastAPI, desk: Desk, gate: Gate) -> None:
    """Add the paths of this file."""

    @app.get("/ops/v1/problems", dependencies=[gate(Role.VIEWER)])
    async def problems(
        state: State | Literal[""] = "", route: Text = "", source: Text = "", reason: Text = "", owner: Text = ""
    ) -> Response:
        wanted = {"state": state, "route": route, "source": source, "reason": reason, "owner": owner}
        found = await show_problems(desk)
        return json_answer({"items": [one for one in found if all(v in ("", one[k]) for k, v in wanted.items())]})

    @app.get("/ops/v1/problems/{problem}", dependencies=[gate(Role.VIEWER)])
    async def show(problem: str) -> Response:
        return json_answer(await _one(desk, problem))

    @app.patch("/ops/v1/problems/{problem}", dependencies=[gate(Role.OPERATOR)])
    async def change(problem: str, said: Said, request: Request) -> Response:
        known = await _one(desk, problem)
        await mark(desk, request, "problem.change", known["id"], said)
        return json_answer(await _one(desk, problem))


async def mark(desk: Desk, request: Request, act: str, on: str, said: Said) -> None:
    """Note and keep what a person says of a problem or a finding; 422 when that is nothing."""
    asked = said.model_dump(exclude_none=True)
    if not asked:
        raise HTTPException(422, "say state, owner, due or note")
    await note(desk.audit, request, act, on, **asked)
    await desk.marks.change(on, Change(**asked), person(request))


async def show_problems(desk: Desk) -> list[dict[str, Any]]:
    """Return all problems, those with most open dead letters first."""
    now = int(time.time() * 1000)
    counts, marks = await asyncio.gather(asyncio.to_thread(desk.journal.causes, now - HOUR), desk.marks.all())
    by_cause = groupby(sorted(counts, key=attrgetter("cause")), attrgetter("cause"))
    found = [_problem(cause, list(group), marks, now) for cause, group in by_cause]
    return sorted(found, key=lambda one: (-one["open"], -one["last_seen"], one["id"]))


async def _one(desk: Desk, problem: str) -> dict[str, Any]:
    found = next((one for one in await show_problems(desk) if one["id"] == problem), None)
    if found is None:
        raise HTTPException(404, f"no problem {problem}")
    return found


def _problem(text: str, counts: list[CauseCount], marks: dict[str, Mark], now: int) -> dict[str, Any]:
    cause, mark = read(text), marks.get(problem_id(text), Mark())
    opened = [count for count in counts if count.state == OPEN]
    state, regressed = state_of(mark, max((count.last_seen for count in opened), default=0))
    stages = {"route": cause.name, "source": ""} if cause.stage == "deliver" else {"route": "", "source": cause.name}
    return {
        "id": problem_id(text),
        "stage": cause.stage,
        **stages,
        "reason": cause.reason,
        "place": cause.place,
        "state": state,
        "regressed": regressed,
        "owner": mark.owner,
        "due": mark.due,
        "overdue": 0 < mark.due < now and state not in ("resolved", "ignored"),
        "open": _sum(opened),
        "resolved": _sum(count for count in counts if count.state == RESOLVED),
        "discarded": _sum(count for count in counts if count.state == DISCARDED),
        "total": _sum(counts),
        "last_hour": sum(count.recent for count in opened),
        "first_seen": min(count.first_seen for count in counts),
        "last_seen": max(count.last_seen for count in opened or counts),
        "partners": sorted({count.partner for count in counts}),
        "sample": min((opened or counts), key=attrgetter("first_seen")).sample,
        "notes": [asdict(one) for one in mark.notes],
    }


def _sum(counts: Iterable[CauseCount]) -> int:
    return sum(count.number for count in counts)
