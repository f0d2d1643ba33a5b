"""Dead letters in the operations API: listed, shown, sent again and given up; called by `console.api`."""

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Query, Request, Response
from pydantic import BaseModel, Field

from console.access import Gate, Role, person
from console.answers import json_answer
from console.audit import note
from console.desk import Desk
from console.second import second_person
from crossdock.pipeline.recorder import now_ms
from crossdock.pipeline.replay import discard_letters, replay_letters
from dlq.record import DeadLetter
from journal.search import Letters
from journal.store import OPEN, REPLAYING, LetterState

MANY = 10_000
STUCK_AFTER = 60_000  # milliseconds after which a replay that was recorded but never sent may be made again
State = Literal["", "open", "replaying", "resolved", "discarded"]
Word = Annotated[str, Field(max_length=1000)]


class Listed(BaseModel, extra="forbid"):
    """Which dead letters are listed, as the address says it; see `journal.search.Letters`."""

    state: State = ""
    route: Word = ""
    reason: Word = ""
    problem: Word = ""
    partner: Word = ""
    text: Word = ""
    after: Annotated[str, Field(pattern=r"^([01]\.[0-9]{1,18}\.[^\x00]{1,40})?$")] = ""
    limit: Annotated[int, Field(ge=1)] = 100


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
    async def list_letters(wanted: Annotated[Listed, Query()]) -> Response:
        known_route(desk, wanted.route)
        asked = wanted.model_dump() | {"limit": min(wanted.limit, MANY)}
        found = await asyncio.to_thread(desk.journal.newest, Letters(**asked))
        return json_answer({"items": [letter.as_dict() for letter in found.items], "next": found.next})

    @app.post("/ops/v1/replays", dependencies=[gate(Role.OPERATOR)])
    async def replay(selection: Selection, request: Request) -> Response:
        states = await selected(desk, selection.ids, route=selection.route, reason=selection.reason)
        if not selection.dry_run:
            _few_enough(desk, len(states))
            asked = selection.model_dump(exclude={"dry_run", "ids"})
            await note(desk.audit, request, "replay", "", ids=[state.id for state in states], **asked)
        acts = desk.replayer.acts
        results = await replay_letters(
            states, desk.letters, desk.streams, acts, desk.project.routes, dry_run=selection.dry_run
        )
        return json_answer({"dry_run": selection.dry_run, "items": [result.as_dict() for result in results]})

    @app.post("/ops/v1/discards", dependencies=[gate(Role.OPERATOR)])
    async def discard(given_up: GivenUp, request: Request) -> Response:
        for letter_id in given_up.ids:
            await state_of(desk, letter_id)
        order = {"ids": given_up.ids}
        asked = await second_person(desk, request, "discard", len(given_up.ids), order, given_up.reason)
        if asked is not None:
            return asked
        await note(desk.audit, request, "discard", "", ids=given_up.ids, reason=given_up.reason)
        return json_answer(await give_up(desk, given_up.ids, given_up.reason, person(request)))


def _few_enough(desk: Desk, letters: int) -> None:
    """Refuse to send at once what takes a second person when a plan sends it."""
    least = desk.second_person.get("plan")
    if least is not None and letters >= least:
        raise HTTPException(409, f"{least} or more are sent by a plan here, as another person approves it; make a plan")


async def give_up(desk: Desk, ids: Sequence[str], reason: str, who: str) -> dict[str, Any]:
    """Give dead letters up for good; 404 for one that there is not."""
    states = [await state_of(desk, letter_id) for letter_id in dict.fromkeys(ids)]
    results = await discard_letters(states, desk.letters, desk.streams, desk.replayer.acts, reason, who)
    await desk.unpark([one.id for one in results if one.outcome == "discarded"])
    return {"items": [result.as_dict() for result in results]}


async def letter_of(desk: Desk, letter_id: str) -> tuple[LetterState, DeadLetter]:
    """Return a dead letter and its state; 404 for none, 410 for one past its retention."""
    state = await state_of(desk, letter_id)
    letter = await desk.letters.get(state.ref)
    if letter is None:
        raise HTTPException(410, f"{letter_id} is past its retention; only its journey is left")
    return state, letter


async def state_of(desk: Desk, letter_id: str) -> LetterState:
    """Return what the journal knows of a dead letter; 404 for none."""
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
    return sendable(found)


def sendable(states: Iterable[LetterState]) -> list[LetterState]:
    """Return those that are open, or that were recorded as replayed and not heard of since."""
    stuck = now_ms() - STUCK_AFTER
    return [one for one in states if one.state == OPEN or (one.state == REPLAYING and one.last_seen < stuck)]


def known_route(desk: Desk, name: str) -> None:
    """Refuse a route that there is not; an empty name is none."""
    if name and name not in desk.project.routes:
        raise HTTPException(404, f"no route {name}; known: {', '.join(sorted(desk.project.routes))}")
