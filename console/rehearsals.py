"""`POST /ops/v1/plans/{plan}/dry-run`: what a plan would do, without a side effect; called by `console.api`."""

from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response

from console.access import Gate, Role
from console.content import body_of
from console.desk import Desk
from console.lateness import late
from console.planned import planned
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
        tried = await planned(desk, found, LOOKED)
        letters, archive = tried.before, await body_of(request)
        try:
            told = await desk.rehearse(archive, letters, tried.after)
        except Refused as error:
            problems = [problem.as_dict() for problem in error.problems]
            return _json({"detail": "the content cannot go in force", "problems": problems}, 422)
        await desk.replayer.plans.change(plan, tried=told["revision"])
        conflicts = await late(desk, letters)
        doubtful = [letter.id for letter in letters if "in doubt" in letter.detail]
        return _json({
            "plan": plan, "total": found.total, "looked_at": len(letters), **told,
            "delivered_already": {"count": len(tried.delivered), "ids": tried.delivered[:SHOWN]},
            "patch_unfit": {
                "count": len(tried.unfit), "examples": [{"id": one, "why": why} for one, why in tried.unfit[:SHOWN]],
            },
            "order_conflicts": {"count": len(conflicts), "ids": conflicts[:SHOWN]},
            "maybe_known_to_target": {"count": len(doubtful), "ids": doubtful[:SHOWN]},
        })  # fmt: skip


def _json(document: Any, status: int = 200) -> Response:
    return Response(jsontext.dumps(document), status, media_type="application/json")
