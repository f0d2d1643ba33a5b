"""`/ops/v1/drift`: what sources send beyond their schemas or their past; called by `console.api`."""

import asyncio
import json
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Query, Request, Response

from console.access import Gate, Role
from console.answers import json_answer
from console.desk import Desk
from console.problems import Said, mark
from crossdock.kernel.problems import Problem, Refused
from crossdock.pipeline.recorder import now_ms
from dlq.problems import ACKNOWLEDGED, IGNORED, OPEN, Mark, state_of
from schemas.drift import NEW_VALUE, Finding, Kind
from schemas.widening import propose

SETTLED = "settled"  # the content in force allows it by now
MOST = 50  # findings of one proposal
State = Literal["open", "acknowledged", "resolved", "ignored", "settled"]
Text = Annotated[str, Query(max_length=200)]


def add_drift(app: FastAPI, desk: Desk, gate: Gate) -> None:
    """Add the paths of this file."""

    @app.get("/ops/v1/drift", dependencies=[gate(Role.VIEWER)])
    async def drift(
        partner: Text = "", source: Text = "", type: Text = "",  # noqa: A002  the word of the design
        kind: Kind | Literal[""] = "", state: State | Literal[""] = "",
    ) -> Response:  # fmt: skip
        wanted = {"partner": partner, "source": source, "type": type, "kind": kind, "state": state}
        found = await show_drift(desk)
        items = [one for one in found if all(value in ("", one[name]) for name, value in wanted.items())]
        return json_answer({"items": items, "watched": desk.drifts.watched()})

    @app.get("/ops/v1/drift/{finding}", dependencies=[gate(Role.VIEWER)])
    async def show(finding: str) -> Response:
        return json_answer(await _one(desk, finding))

    @app.patch("/ops/v1/drift/{finding}", dependencies=[gate(Role.OPERATOR)])
    async def change(finding: str, said: Said, request: Request) -> Response:
        known = await _one(desk, finding)
        await mark(desk, request, "drift.change", known["id"], said)
        return json_answer(await _one(desk, finding))

    @app.get("/ops/v1/drift/{finding}/proposal", dependencies=[gate(Role.VIEWER)])
    async def proposal(finding: str, also: Annotated[list[str], Query(max_length=MOST)] = []) -> Response:  # noqa: B006
        found = await desk.drifts.found()
        wanted = [_chosen(found, one) for one in dict.fromkeys((finding, *also))]
        try:
            made = await asyncio.to_thread(propose, desk.project.registry, wanted)
        except Refused as error:
            raise HTTPException(422, "; ".join(map(_words, error.problems))) from None
        return json_answer(made.as_dict())


def _words(problem: Problem) -> str:
    return f"{problem.message} ({problem.hint})" if problem.hint else problem.message


async def show_drift(desk: Desk) -> list[dict[str, Any]]:
    """Return all findings with what people say of them, open ones first, the latest of each state first."""
    marks, now = await desk.marks.all(), now_ms()
    shown = [_shown(found, settled, marks.get(found.id, Mark()), now) for found, settled in await desk.drifts.found()]
    return sorted(shown, key=lambda one: one["state"] != OPEN)


async def show_pressing(desk: Desk) -> list[dict[str, Any]]:
    """Return the open findings that are news of accepted events.

    Not fields that an open schema has always left out, nor what was refused, which the partner knows and is counted.
    """
    return [one for one in await show_drift(desk) if one["state"] == OPEN and not (one["early"] or one["refused"])]


async def _one(desk: Desk, finding: str) -> dict[str, Any]:
    found = next((one for one in await show_drift(desk) if one["id"] == finding), None)
    if found is None:
        raise _unknown(finding)
    return found


def _chosen(found: list[tuple[Finding, bool]], finding: str) -> Finding:
    chosen = next((one for one, _ in found if one.id == finding), None)
    if chosen is None:
        raise _unknown(finding)
    return chosen


def _unknown(finding: str) -> HTTPException:
    return HTTPException(404, f"no finding {finding[:40]}; one that was not seen for 30 days is forgotten")


def _shown(found: Finding, settled: bool, mark: Mark, now: int) -> dict[str, Any]:
    state, regressed = state_of(mark, found.last_seen)
    if mark.state in (IGNORED, ACKNOWLEDGED) and found.news > mark.at:
        state, regressed = OPEN, True  # something else came at the same place
    if settled:
        state, regressed = SETTLED, False
    return {
        "id": found.id,
        **found.origin._asdict(),
        "kind": found.kind,
        "pointer": found.pointer,
        "rule": found.rule,
        "count": found.count,
        "of": found.of,
        "share": round(found.share, 4),
        "first_seen": found.first_seen,
        "last_seen": found.last_seen,
        "sample": "" if found.refused else found.sample,
        "letter": found.sample if found.refused else "",
        "refused": found.refused,
        "breaks": found.breaks,
        "early": found.early,
        "values": _told(found, found.values),
        "usual": _told(found, found.usual),
        "state": state,
        "regressed": regressed,
        "owner": mark.owner,
        "due": mark.due,
        "overdue": 0 < mark.due < now and state in (OPEN, ACKNOWLEDGED),
        "notes": [asdict(one) for one in mark.notes],
    }


def _told(found: Finding, values: tuple[str, ...]) -> list[Any]:
    return [json.loads(text) for text in values] if found.kind == NEW_VALUE else list(values)
