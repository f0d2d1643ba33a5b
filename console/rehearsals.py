"""`POST /ops/v1/plans/{plan}/dry-run`: what a plan would do, without a side effect; called by `console.api`."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response

from console.access import Gate, Role
from console.answers import json_answer
from console.content import body_of
from console.desk import Desk
from console.lateness import late
from console.masking import held_in, secrets_of, text_without, without
from console.planned import planned
from crossdock.kernel.problems import Refused
from crossdock.project import Project
from dlq.record import DeadLetter

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
            return json_answer({"detail": "the content cannot go in force", "problems": problems}, 422)
        told = await asyncio.to_thread(_covered, desk.project, [*letters, *tried.after], told)
        await desk.replayer.plans.change(plan, tried=told["revision"])
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


def _covered(project: Project, letters: Iterable[DeadLetter], told: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a dry run told without the personal values of the events that it is of."""
    secret: defaultdict[str, set[str]] = defaultdict(set)
    for letter in letters:
        secret[letter.event_id] |= secrets_of(project, letter)
    every = frozenset[str]().union(*secret.values())
    examples = [without(dict(one), frozenset(secret[one["id"]])) for one in told.get("examples", ())]
    fails = [{**one, "why": text_without(one["why"], held_in(one["why"], every))} for one in told["fails"]]
    return {**told, "examples": examples, "fails": fails}
