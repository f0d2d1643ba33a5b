"""`POST /ops/v1/dead-letters/{id}/edit`: a patch on one event, tried dry and then sent; called by `console.api`."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import product
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from console.access import Gate, Role, person
from console.answers import json_answer
from console.audit import note, note_reveal
from console.desk import Desk
from console.exact import exact
from console.masking import at_place, reaches, shown_patch
from console.replays import letter_of
from console.second import second_person
from crossdock.kernel import jsontext
from crossdock.kernel.problems import Problem, Refused
from crossdock.personal import ALL, Cover, Personal, hidden, personal_of, secrets_of, without
from crossdock.pipeline.acts import OWN
from crossdock.pipeline.edit import edit
from crossdock.pipeline.resend import TAKEN, line_of, send
from dlq import patch as patches
from dlq.edits import document_of, edited, event_of, new_name
from dlq.patch import Patch
from dlq.record import DeadLetter, replay
from journal import entry
from journal.search import Search
from journal.store import OPEN, JournalStore, LetterState

_MOST_TOLD = 500  # letters of a patch that the journal shows; the audit log has all of it
_TOLD = ("pointer", "before", "after")


class Wanted(BaseModel):
    """The patch (RFC 6902) and why; a dry run says what would come of it."""

    model_config = ConfigDict(extra="forbid")
    patch: list[Any]
    why: str = Field("", max_length=300)
    dry_run: bool = False


def add_edits(app: FastAPI, desk: Desk, gate: Gate) -> None:
    """Add the paths of this file."""

    @app.get("/ops/v1/dead-letters/{letter_id}/document", dependencies=[gate(Role.OPERATOR)])
    async def document(letter_id: str, request: Request, reveal: str = "") -> Response:
        letter = (await letter_of(desk, letter_id))[1]
        if reveal:
            await note_reveal(desk.audit, request, letter_id, reveal[:300])
        return json_answer({"document": _document(desk, letter, revealed=bool(reveal))})

    @app.post("/ops/v1/dead-letters/{letter_id}/edit", dependencies=[gate(Role.OPERATOR)])
    async def change(letter_id: str, request: Request) -> Response:
        wanted = await exact(request, Wanted)
        state, letter = await letter_of(desk, letter_id)
        if not wanted.dry_run:
            _fit(state, wanted)
        try:
            patch = patches.read(wanted.patch)
        except Refused as error:
            return _refused(error.problems)
        try:
            made: DeadLetter | Refused = edit(desk.project, letter, patch, new_name())
        except Refused as error:
            made = error
        if not wanted.dry_run and isinstance(made, DeadLetter):
            return await _ask(desk, request, state, letter, wanted)
        await _note_try(desk, request, letter, patch)
        if isinstance(made, Refused):
            return _refused(_covered(desk, letter, patch, made))
        return await _dry(desk, letter, made)


def _document(desk: Desk, letter: DeadLetter, *, revealed: bool) -> Any:
    try:
        found = document_of(letter)
    except Refused as error:
        raise HTTPException(422, f"its bytes are no event and cannot be edited: {error}") from None
    return found if revealed else at_place("", found, _personal(desk, letter))


def _personal(desk: Desk, letter: DeadLetter) -> Personal | None:
    return personal_of(desk.project, letter.headers, event_of(letter))


def _refused(problems: Sequence[Problem]) -> Response:
    told = [one.as_dict() for one in problems]
    return json_answer({"detail": "the edit was not taken, nothing was sent", "problems": told}, 422)


def _covered(desk: Desk, letter: DeadLetter, patch: Patch, error: Refused) -> Sequence[Problem]:
    """Return why an edit is refused, without personal values of the event as it was stored and as the patch has it."""
    cover, problems = Cover(desk.project), error.problems
    with suppress(Refused):  # its bytes are no event, or the patch makes none of them
        problems = cover.problems(letter.headers, event_of(letter), problems)
        made = edited(letter, patch, new_name())
        problems = cover.problems(made.headers, event_of(made), problems)
    return problems


async def _dry(desk: Desk, letter: DeadLetter, made: DeadLetter) -> Response:
    """Say what the edited event is, what differs, and what would become of it.

    A personal value is covered wherever a patch has put it, and everything where no schema describes the event.
    """
    known = [one for one in (_personal(desk, made), _personal(desk, letter)) if one is not None]
    pairs = product((event_of(letter), event_of(made)), known or [ALL])
    secret = frozenset[str]().union(*(hidden(event, personal) for event, personal in pairs))
    told = dict(await desk.examiner.edited(letter, made))

    def shown(pointer: str, value: Any) -> Any:
        return without(at_place(pointer, value, known[0] if known else None), secret)

    changes = [
        {key: value if key == "pointer" else shown(one["pointer"], value) for key, value in one.items() if key in _TOLD}
        for one in told.pop("changes")
    ]
    document = shown("", document_of(made))
    return json_answer({"dry_run": True, "document": document, "changes": changes, **without(told, secret)})


def _fit(state: LetterState, wanted: Wanted) -> None:
    if not wanted.why:
        raise HTTPException(422, "say why it is edited; the audit log keeps it")
    if state.state != OPEN:
        raise HTTPException(409, f"{state.id} is {state.state}; only an open dead letter is edited")


async def _note_try(desk: Desk, request: Request, letter: DeadLetter, patch: Patch) -> None:
    """Note a patch that changes nothing: whether it fits tells whether a personal value that it asks for is right."""
    try:
        personal = _personal(desk, letter)
    except Refused:  # its bytes are no event, to which no patch can be applied
        return
    if reaches(patch, personal):
        shown = without(shown_patch(patch, personal), secrets_of(letter, desk.project))
        await note(desk.audit, request, "letter.try", letter.id, patch=jsontext.dumps(shown).decode())


async def _ask(desk: Desk, request: Request, state: LetterState, letter: DeadLetter, wanted: Wanted) -> Response:
    shown = shown_patch(wanted.patch, _personal(desk, letter))
    order = {"id": state.id, "failures": state.failures, "patch": wanted.patch, "edit": new_name()}
    asked = await second_person(desk, request, "edit", 1, order, wanted.why, {**order, "patch": shown})
    if asked is not None:
        return asked
    told = jsontext.dumps(shown).decode()
    await note(desk.audit, request, "letter.edit", state.id, edit=order["edit"], why=wanted.why, patch=told)
    return json_answer(await send_edit(desk, order, person(request), wanted.why))


async def send_edit(desk: Desk, order: Mapping[str, Any], who: str, why: str) -> dict[str, Any]:
    """Send an edited dead letter; `skipped`, with the `reason`, when it is not as it was when the edit was ordered.

    One that this edit has under way, or has sent on its way before, was sent by whoever was killed before that could be
    noted.

    Raises:
        HTTPException: 410 for one past its retention, 422 for an edit that the content in force does not allow.
        Unavailable: the broker does not answer; it may be sent all the same.
    """
    _, letter = await letter_of(desk, order["id"])
    patch: Patch = order["patch"]
    try:
        made = edit(desk.project, letter, patch, order["edit"])
    except Refused as error:
        refused = Refused(_covered(desk, letter, patch, error))
        raise HTTPException(422, f"the content in force does not allow this edit: {refused}") from None
    told = jsontext.dumps(shown_patch(patch, _personal(desk, letter))).decode()[:_MOST_TOLD]
    async with desk.replayer.acts.turn([order["id"]]) as present:
        state = present[order["id"]]
        hindered = await desk.replayer.acts.hindered({state.id: letter}, present, order["edit"])
        reason = hindered.get(state.id, "" if state.failures == order["failures"] else "it has failed again since")
        if reason not in ("", OWN) and await asyncio.to_thread(_was_sent, desk.journal, order, state, made):
            reason = OWN
        if not reason:
            line = line_of(made, state.ref)._replace(who=who, detail=f"{order['edit']}: {why}; {told}")
            record = replay(made, str(state.failures), order["edit"])
            reason = "" if await send(record, line, desk.streams) else TAKEN
    ended = {"outcome": "skipped", "reason": reason} if reason not in ("", OWN) else {"outcome": "sent"}
    return {"id": state.id, "event_id": made.event_id, "edit": order["edit"], **ended}


def _was_sent(journal: JournalStore, order: Mapping[str, Any], state: LetterState, made: DeadLetter) -> bool:
    """Tell whether the journal has this edit as sent, and neither taken back nor another replay in its place."""
    wanted = Search(key=made.event_id, partner=made.partner, outcome=entry.REPLAYED, reason=order["edit"])
    sent = next((line for line in journal.search(wanted).items if line.dead_letter == state.id), None)
    if sent is None:
        return False
    later = [line for line in journal.steps([sent.raw]) if line.dead_letter == state.id and line.at >= sent.at]
    others = {line.outcome for line in later if line.stage == entry.REPLAY and line.detail != sent.detail}
    return entry.WAITING not in others and (state.failures > order["failures"] or not others)
