"""`POST /ops/v1/plans/{plan}/dry-run`: what a plan would do, without a side effect; called by `console.api`."""

import asyncio
from collections.abc import Sequence
from itertools import islice
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response

from console.access import Gate, Role
from console.content import body_of
from console.desk import Desk
from crossdock.kernel import jsontext
from crossdock.kernel.problems import Refused
from dlq.record import DeadLetter
from journal.entry import DELIVERED

LOOKED = 2000  # dead letters that a dry run takes, the first of its plan
SHOWN = 20


def add_rehearsals(app: FastAPI, desk: Desk, gate: Gate) -> None:
    """Add the path."""

    @app.post("/ops/v1/plans/{plan}/dry-run", dependencies=[gate(Role.OPERATOR)])
    async def dry_run(plan: str, request: Request) -> Response:
        found = await desk.replayer.plans.get(plan)
        if found is None:
            raise HTTPException(404, f"no plan {plan}")
        letters = await _letters(desk, [item.ref async for part in desk.replayer.plans.items(found) for item in part])
        try:
            told = await desk.rehearse(await body_of(request), letters)
        except Refused as error:
            problems = [problem.as_dict() for problem in error.problems]
            return _json({"detail": "the content cannot go in force", "problems": problems}, 422)
        late = await asyncio.to_thread(_late, desk, letters)
        doubtful = [letter.id for letter in letters if "in doubt" in letter.detail]
        return _json({
            "plan": plan, "total": found.total, "looked_at": len(letters), **told,
            "order_conflicts": {"count": len(late), "ids": late[:SHOWN]},
            "maybe_known_to_target": {"count": len(doubtful), "ids": doubtful[:SHOWN]},
        })  # fmt: skip


async def _letters(desk: Desk, refs: Sequence[int]) -> list[DeadLetter]:
    """Return the first of them; what is past its retention is left out."""
    found = [await desk.letters.get(ref) for ref in islice(refs, LOOKED)]
    return [letter for letter in found if letter is not None]


def _late(desk: Desk, letters: Sequence[DeadLetter]) -> list[str]:
    """Return those of ordered routes after which a later event of the same business key was delivered already."""
    newest: dict[tuple[str, str], int] = {}
    late = []
    for letter in letters:
        route = desk.project.routes.get(letter.route)
        if route is None or route.order_by is None or not letter.key:
            continue
        place = letter.route, letter.key
        if place not in newest:
            lines = desk.journal.find(letter.key)
            seqs = [line.seq for line in lines if line.route == letter.route and line.outcome == DELIVERED]
            newest[place] = max(seqs, default=0)
        if newest[place] > letter.origin:
            late.append(letter.id)
    return late


def _json(document: Any, status: int = 200) -> Response:
    return Response(jsontext.dumps(document), status, media_type="application/json")
