"""`/ops/v1/plans`: a replay that is counted, run, paused, gone on with and cancelled; called by `console.api`."""

from typing import Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Query, Request, Response
from pydantic import ConfigDict, Field

from console import selections
from console.access import Gate, Role, person
from console.answers import json_answer
from console.audit import note
from console.desk import Desk
from console.exact import exact
from console.masking import shown_patch
from console.outcomes import Outcomes
from console.replays import known_route
from console.second import second_person
from console.selections import Chosen, Events, Letters
from crossdock.kernel import jsontext
from crossdock.kernel.problems import Refused
from dlq import patch
from dlq.edits import new_name
from dlq.plans import ENDED, FOREIGN, Plan

Word = Literal["delivered", "routed", "failed_again", "under_way", "still_open", "discarded", "unwanted"]


class Wanted(Letters):
    """What is sent again, to whom, from which stage on, with which change, why, and how many a second at most.

    A dry run counts, and makes no plan.
    """

    model_config = ConfigDict(extra="forbid")
    events: Events | None = None
    to: Literal["failed", "all"] = "failed"
    routes: list[str] = Field([], max_length=1000)
    from_stage: Literal["canonical", "raw"] = "canonical"
    patch: list[Any] | None = None
    why: str = Field("", max_length=300)
    rate: int = Field(500, ge=1, le=10_000)
    dry_run: bool = False


def add_plans(app: FastAPI, desk: Desk, gate: Gate) -> None:
    """Add the paths of this file."""
    outcomes = Outcomes(desk)

    @app.post("/ops/v1/plans", dependencies=[gate(Role.OPERATOR)])
    async def make(request: Request) -> Response:
        return await _make(desk, await exact(request, Wanted), request)

    @app.get("/ops/v1/plans", dependencies=[gate(Role.VIEWER)])
    async def plans(limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Response:
        return json_answer({"items": [plan.as_dict() for plan in (await desk.replayer.plans.all())[:limit]]})

    @app.get("/ops/v1/plans/{plan}", dependencies=[gate(Role.VIEWER)])
    async def show(plan: str, report: bool = True) -> Response:
        found = await _plan(desk, plan)
        return json_answer(_shown(desk, found) | ({"report": await outcomes.report(found)} if report else {}))

    @app.get("/ops/v1/plans/{plan}/items", dependencies=[gate(Role.VIEWER)])
    async def items(
        plan: str,
        outcome: Word = "failed_again",
        after: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        found, further = await outcomes.page(await _plan(desk, plan), outcome, after, limit)
        return json_answer({"items": [one._asdict() for one in found], "next": further})

    _add_acts(app, desk, gate)


def _add_acts(app: FastAPI, desk: Desk, gate: Gate) -> None:
    @app.post("/ops/v1/plans/{plan}/run", dependencies=[gate(Role.OPERATOR)])
    async def run(plan: str, request: Request) -> Response:
        found = await _may(desk, plan, "run")
        wanted, patched = {"plan": found.id}, told_patch(desk, found)
        shown = {**wanted, "edit": found.edit, "patch": patched} if patched else wanted
        if not found.begun and (
            asked := await second_person(desk, request, "plan", found.total, wanted, found.reason, shown)
        ):
            return asked
        told = {"edit": found.edit, "patch": jsontext.dumps(patched).decode()} if patched else {}
        await _note(desk, found, "run", request, **told)
        return json_answer(await run_plan(desk, plan))

    @app.post("/ops/v1/plans/{plan}/pause", dependencies=[gate(Role.OPERATOR)])
    async def pause(plan: str, request: Request) -> Response:
        return await _turn(desk, plan, "pause", request)

    @app.post("/ops/v1/plans/{plan}/cancel", dependencies=[gate(Role.OPERATOR)])
    async def cancel(plan: str, request: Request) -> Response:
        return await _turn(desk, plan, "cancel", request)


async def run_plan(desk: Desk, plan_id: str) -> dict[str, Any]:
    """Begin a plan, or go on with a paused one; 404 and 409 when it cannot be."""
    begun = await desk.replayer.start(await _may(desk, plan_id, "run"))
    return _shown(desk, _turned(begun, plan_id))


def told_patch(desk: Desk, plan: Plan) -> Any:
    """Return the patch of a plan without values at places that any schema calls personal, None without a patch."""
    return shown_patch(jsontext.loads(plan.patch.encode()), desk.project.personal_anywhere) if plan.patch else None


async def _make(desk: Desk, wanted: Wanted, request: Request) -> Response:
    for route in wanted.routes:
        known_route(desk, route)
    changed = _patch(wanted)
    chosen = await _chosen(desk, wanted)
    if wanted.dry_run:
        return json_answer({"dry_run": True, "total": len(chosen.items), "past_retention": chosen.gone})
    fields: dict[str, Any] = {"to": wanted.to, "from_stage": wanted.from_stage, "routes": wanted.routes}
    past = wanted.to == "all"
    asked = wanted.model_dump(
        exclude={"ids", "to", "from_stage", "routes", "patch", "why", "rate", "dry_run"},
        exclude_defaults=True,
        by_alias=True,
    )
    asked |= {"ids": len(wanted.ids)} if wanted.ids else {}
    if not chosen.items:
        raise HTTPException(422, _nothing(asked, wanted.routes, chosen.gone))
    plan = await desk.replayer.plans.make(
        chosen.items, person(request), wanted.why, wanted.rate, of="events" if past else "letters", asked=asked,
        **fields, **changed,
    )  # fmt: skip
    return json_answer({**_shown(desk, plan), "past_retention": chosen.gone}, 201)


def _nothing(asked: dict[str, Any], routes: list[str], gone: int) -> str:
    """Return why there is no plan, with what was asked for."""
    named = asked.get("events", asked) | ({"to": ", ".join(routes)} if routes else {})
    by = ", ".join(f"{name} ({value})" if name == "ids" else f"{name} {value}" for name, value in named.items())
    past = f"; what was found ({gone}) is past its retention" if gone else ""
    return f"nothing is selected by {by}{past}"


def _patch(wanted: Wanted) -> dict[str, str]:
    """Return the fields of a plan that changes what it sends; 422 for what is no patch, or cannot be."""
    if wanted.patch is None:
        return {}
    if wanted.to == "all" or wanted.from_stage == "raw":
        raise HTTPException(422, 'patch: it is for dead letters, sent to what failed; leave "to" and "from_stage" out')
    try:
        patch.read(wanted.patch)
    except Refused as error:
        raise HTTPException(422, f"patch: {error}") from None
    return {"edit": new_name(), "patch": jsontext.dumps(wanted.patch).decode()}


async def _chosen(desk: Desk, wanted: Wanted) -> Chosen:
    letters = Letters.model_validate(wanted.model_dump(include=set(Letters.model_fields)))
    to_all = wanted.to == "all"
    if wanted.events is None:
        return await selections.letters_of(desk, letters, wanted.routes, to_all=to_all)
    if letters != Letters():
        raise HTTPException(422, "name events, or dead letters, not both")
    if to_all:
        return await selections.past_of(desk, wanted.events)
    return await selections.failed_of(desk, wanted.events, wanted.routes)


async def _turn(desk: Desk, plan_id: str, act: Literal["pause", "cancel"], request: Request) -> Response:
    await _note(desk, await _may(desk, plan_id, act), act, request)
    turned = await desk.replayer.stop(plan_id, "paused" if act == "pause" else "cancelled")
    return json_answer(_shown(desk, _turned(turned, plan_id)))


async def _may(desk: Desk, plan_id: str, act: str) -> Plan:
    """Return a plan with which this can be done; 404 and 409 else."""
    plan = await _plan(desk, plan_id)
    if plan.state in (*ENDED, FOREIGN):
        raise HTTPException(409, f"plan {plan_id} is {plan.state}; make another one")
    if plan.state == "running" and act == "run":
        raise HTTPException(409, f"plan {plan_id} runs already")
    return plan


async def _note(desk: Desk, plan: Plan, act: str, request: Request, **more: Any) -> None:
    await note(desk.audit, request, f"plan.{act}", plan.id, total=plan.total, done=plan.done, why=plan.reason, **more)


def _turned(plan: Plan | None, plan_id: str) -> Plan:
    if plan is None:
        raise HTTPException(409, f"somebody else did something with plan {plan_id} at the same moment; look again")
    return plan


async def _plan(desk: Desk, plan_id: str) -> Plan:
    found = await desk.replayer.plans.get(plan_id)
    if found is None:
        raise HTTPException(404, f"no plan {plan_id}")
    return found


def _shown(desk: Desk, plan: Plan) -> dict[str, Any]:
    """Return a plan with what a person should know before it goes on."""
    return {
        **plan.as_dict(),
        "waits_for": desk.replayer.outbox.waits.get(plan.id, ""),
        "warnings": [] if plan.state in ENDED else _warnings(desk, plan),
    }


def _warnings(desk: Desk, plan: Plan) -> list[str]:
    revision, project = desk.project.revision, desk.project
    found = [
        f"route {name} is not in force any more; it gets nothing" for name in plan.routes if name not in project.routes
    ]
    if not plan.tried:
        found.append("it was not tried dry")
    elif plan.tried != revision:
        found.append(f"it was tried dry by revision {plan.tried[:12]}, but {revision[:12]} is in force")
    if plan.failing:
        found.append(f"the dry run says that {plan.failing} of {plan.looked} fail again")
    return found
