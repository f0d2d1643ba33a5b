"""`POST /ops/v1/plans/{plan}/dry-run`: what a plan would do, without a side effect; called by `console.api`."""

from fastapi import FastAPI, HTTPException, Request, Response

from console.access import Gate, Role
from console.answers import json_answer
from console.audit import note
from console.content import body_of
from console.desk import Desk
from console.lateness import late
from console.planned import planned
from console.plans import told_patch
from crossdock.kernel import jsontext
from crossdock.kernel.problems import Refused

LOOKED = 2000  # dead letters or events that a dry run takes, the first of its plan
SHOWN = 20


def add_rehearsals(app: FastAPI, desk: Desk, gate: Gate) -> None:
    """Add the path."""

    @app.post("/ops/v1/plans/{plan}/dry-run", dependencies=[gate(Role.OPERATOR)])
    async def dry_run(plan: str, request: Request) -> Response:
        found = await desk.replayer.plans.get(plan)
        if found is None:
            raise HTTPException(404, f"no plan {plan}")
        archive = await body_of(request)
        if (patch := told_patch(desk, found)) or archive:  # either may be made to bring out what is personal
            said = {"patch": jsontext.dumps(patch).decode()} if patch else {}
            await note(desk.audit, request, "plan.try", plan, content="given" if archive else "in force", **said)
        tried = await planned(desk, found, LOOKED)
        letters = tried.before
        try:
            told = await desk.rehearse(archive, letters, tried.after)
        except Refused as error:
            problems = [problem.as_dict() for problem in error.problems]
            return json_answer({"detail": "the content cannot go in force", "problems": problems}, 422)
        failing = sum(one["count"] for one in told["fails"])
        await desk.replayer.plans.change(plan, tried=told["revision"], looked=len(letters), failing=failing)
        conflicts = await late(desk, letters)
        doubtful = [letter.id for letter in letters if "in doubt" in letter.detail]
        return json_answer({
            "plan": plan, "total": found.total, "looked_at": len(letters), **told,
            "delivered_already": {"count": len(tried.delivered), "ids": tried.delivered[:SHOWN]},
            "patch_unfit": {
                "count": len(tried.unfit), "examples": [{"id": one, "why": why} for one, why in tried.unfit[:SHOWN]],
            },
            "order_conflicts": {"count": len(conflicts), "ids": conflicts[:SHOWN]},
            "maybe_known_to_target": {"count": len(doubtful), "ids": doubtful[:SHOWN]},
        })  # fmt: skip
