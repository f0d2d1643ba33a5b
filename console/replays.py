"""Dead letters in the operations API: listed, shown, sent again and given up; called by `console.api`."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Query, Request, Response
from pydantic import BaseModel, Field

from console.access import Gate, Role
from console.audit import note
from console.desk import Desk
from crossdock.kernel import jsontext
from crossdock.pipeline.recorder import now_ms
from crossdock.pipeline.replay import discard_letters, replay_letters
from journal.store import OPEN, REPLAYING, LetterState

MANY = 10_000
STUCK_AFTER = 60_000  # milliseconds after which a replay that was recorded but never sent may be made again
State = Literal["", "open", "replaying", "resolved", "discarded"]
Limit = Annotated[int, Query(ge=1)]


class Selection(BaseModel):
    """Dead letters to replay: by id, or all open ones of a route or reason."""

    ids: list[str] = Field(default=[], max_length=MANY)
    route: str = ""
    reason: str = ""
    dry_run: bool = False


class GivenUp(BaseModel):
    """Dead letters that nobody needs any more, and why."""

    ids: list[str] = Field(min_length=1, max_length=MANY)
    reason: str = Field(min_length=1, max_length=300)


def add_replays(app: FastAPI, desk: Desk, gate: Gate) -> None:
    """Add the paths of this file."""

    @app.get("/ops/v1/dead-letters", dependencies=[gate(Role.VIEWER)])
    async def list_letters(
        state: State = "", route: str = "", reason: str = "", problem: str = "", limit: Limit = 100
    ) -> Response:
        known_route(desk, route)
        found = await asyncio.to_thread(
            lambda: desk.journal.letters(
                state=state, route=route, reason=reason, problem=problem, limit=min(limit, MANY)
            )
        )
        return _json({"items": [letter.as_dict() for letter in found]})

    @app.get("/ops/v1/dead-letters/{letter_id}", dependencies=[gate(Role.VIEWER)])
    async def show_letter(letter_id: str) -> Response:
        state = await _letter(desk, letter_id)
        letter = await desk.letters.get(state.ref)
        content = {**asdict(letter), "payload": letter.payload.decode("utf-8", "backslashreplace")} if letter else {}
        return _json({**content, **state.as_dict()})

    @app.post("/ops/v1/replays", dependencies=[gate(Role.OPERATOR)])
    async def replay(selection: Selection, request: Request) -> Response:
        states = await selected(desk, selection.ids, route=selection.route, reason=selection.reason)
        if not selection.dry_run:
            asked = selection.model_dump(exclude={"dry_run", "ids"})
            await note(desk.audit, request, "replay", "", ids=[state.id for state in states], **asked)
        acts = desk.replayer.acts
        results = await replay_letters(states, desk.letters, desk.streams, acts, dry_run=selection.dry_run)
        return _json({"dry_run": selection.dry_run, "items": [asdict(result) for result in results]})

    @app.post("/ops/v1/discards", dependencies=[gate(Role.OPERATOR)])
    async def discard(given_up: GivenUp, request: Request) -> Response:
        states = [await _letter(desk, letter_id) for letter_id in dict.fromkeys(given_up.ids)]
        await note(desk.audit, request, "discard", "", ids=given_up.ids, reason=given_up.reason)
        results = await discard_letters(states, desk.letters, desk.streams, desk.replayer.acts, given_up.reason)
        await desk.unpark([one.id for one in results if one.outcome == "discarded"])
        return _json({"items": [asdict(result) for result in results]})


async def _letter(desk: Desk, letter_id: str) -> LetterState:
    found = await asyncio.to_thread(desk.journal.letter, letter_id)
    if found is None:
        raise HTTPException(404, f"no dead letter {letter_id}")
    return found


async def selected(
    desk: Desk, ids: Sequence[str], *, route: str, reason: str, problem: str = "", limit: int = MANY
) -> list[LetterState]:
    """Return dead letters by id, or those of a route, reason or problem that can be sent; 404 and 422 else."""
    if ids:
        known = await asyncio.to_thread(desk.journal.known, ids)
        if missing := [letter_id for letter_id in ids if letter_id not in known]:
            raise HTTPException(404, f"no dead letter {missing[0]}")
        return [known[letter_id] for letter_id in dict.fromkeys(ids)]
    if not (route or reason or problem):
        raise HTTPException(422, "name ids, a route, a reason or a problem")
    known_route(desk, route)
    asked = {"route": route, "reason": reason, "problem": problem}
    found = [
        letter
        for state in (OPEN, REPLAYING)
        for letter in await asyncio.to_thread(partial(desk.journal.letters, state=state, **asked, limit=limit))
    ]
    stuck = now_ms() - STUCK_AFTER
    return [letter for letter in found if letter.state == OPEN or letter.last_seen < stuck]


def known_route(desk: Desk, name: str) -> None:
    """Refuse a route that there is not; an empty name is none."""
    if name and name not in desk.project.routes:
        raise HTTPException(404, f"no route {name}; known: {', '.join(sorted(desk.project.routes))}")


def _json(document: Any, status: int = 200) -> Response:
    return Response(jsontext.dumps(document), status, media_type="application/json")
