"""`GET /ops/v1/dead-letters/{id}`: everything about one, and it as a content test; called by `console.api`."""

import asyncio
import base64
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from console.access import Gate, Role
from console.answers import json_answer
from console.audit import note_reveal
from console.desk import Desk
from console.masking import at_place, covered
from console.replays import letter_of, state_of
from crossdock.covering import MASK, Covering
from crossdock.kernel import event as events
from crossdock.kernel import jsontext
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Refused
from crossdock.kernel.stream import CLAIM, EDIT, ORIGIN, RAW, RAW_SEQ, Message
from crossdock.personal import hidden, personal_of, without
from crossdock.project import Project
from dlq.record import PROCESS, DeadLetter
from journal import entry
from journal.store import LetterState

MOST_STEPS = 200

Reason = Annotated[str, Query(max_length=300)]


class Wish(BaseModel):
    """How the test is to be; `reveal` is why it may hold personal values, `routes` which it must reach."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field("", max_length=200)
    routes: list[str] | None = Field(None, max_length=100)
    reveal: str = Field("", max_length=300)


def add_letters(app: FastAPI, desk: Desk, gate: Gate) -> None:
    """Add the paths of this file."""

    @app.get("/ops/v1/dead-letters/{letter_id}", dependencies=[gate(Role.VIEWER)])
    async def show(letter_id: str, request: Request, reveal: Reason = "") -> Response:
        state = await state_of(desk, letter_id)
        letter = await desk.letters.get(state.ref)
        if letter is None:
            return json_answer({**state.as_dict(), "gone": True})
        if reveal:
            await note_reveal(desk.audit, request, letter_id, reveal)
        return json_answer(await _inspected(desk, state, letter, bool(reveal)))

    @app.post("/ops/v1/dead-letters/{letter_id}/promote", dependencies=[gate(Role.OPERATOR)])
    async def promote(letter_id: str, wish: Wish, request: Request) -> Response:
        _, letter = await letter_of(desk, letter_id)
        if wish.reveal:
            await note_reveal(desk.audit, request, letter_id, wish.reveal)
        wanted = {"name": wish.name, "personal": bool(wish.reveal), "routes": wish.routes}
        try:
            return json_answer(await desk.examiner.case(letter, wanted))
        except Refused as error:
            raise HTTPException(422, f"it cannot be made a test: {error}") from None


async def _inspected(desk: Desk, state: LetterState, letter: DeadLetter, revealed: bool) -> dict[str, Any]:
    project, seen = desk.project, dict(await desk.examiner.since(letter))
    raw = await _raw(desk, letter)
    cover = _Cover(project, letter, raw, revealed)
    then: Mapping[str, Any] = seen.pop("then") or {}
    listed: list[dict[str, Any]] = then.get("problems") or [*letter.problems]
    return {
        **state.as_dict(),
        "detail": cover.text(state.detail),
        "partner": letter.partner,
        "type": letter.type,
        "key": letter.key,
        "edit": letter.headers.get(EDIT, ""),
        "original": cover.original(raw),
        "parsed": cover.parsed(raw),
        "canonical": cover.canonical(then.get("canonical")),
        "sent": cover.anything(dict(letter.sent)) or None,
        "answer": cover.answer(letter.heard),
        "problems": [{**one, "message": cover.text(one.get("message", ""))} for one in listed],
        "steps": [{**one, "detail": cover.text(one["detail"])} for one in await _steps(desk, letter)],
        "rules": seen.pop("at"),
        "changes": seen,
    }


async def _raw(desk: Desk, letter: DeadLetter) -> Message | None:
    """Return the event as it was accepted, None when that is past its retention; an edit leaves it as it was."""
    if letter.stage == PROCESS and EDIT not in letter.headers:
        return Message(letter.origin, letter.subject, letter.payload, letter.headers, 1, letter.first_seen / 1000)
    seq = letter.origin if letter.stage == PROCESS else int(letter.headers.get(RAW_SEQ, 0))
    return await desk.stored(RAW, seq) if seq else None


async def _steps(desk: Desk, letter: DeadLetter) -> list[dict[str, Any]]:
    """Return what the journal has of this event at the stage, and of what people did with it."""
    raw = letter.origin if letter.stage == PROCESS else int(letter.headers.get(RAW_SEQ, 0))
    lines = await asyncio.to_thread(desk.journal.steps, [raw])
    tries = [one for one in lines if letter.route and (one.route, one.stage) == (letter.route, entry.DELIVER)]
    own = [one for one in lines if one.dead_letter == letter.id or one in tries]
    named = ("at", "stage", "outcome", "detail", "attempts", "ms", "revision", "who")
    return [{name: getattr(line, name) for name in named} for line in own[-MOST_STEPS:]]


class _Cover:
    """What is personal in one dead letter, and how its parts are shown without it."""

    def __init__(self, project: Project, letter: DeadLetter, raw: Message | None, revealed: bool) -> None:
        self._project = project
        self._revealed = revealed
        self._letter = letter
        known = [self._personal(event, headers) for event, headers in _events(letter, raw)]
        self._unknown = not known or any(one is None for one in known)
        self._secret = frozenset[str]().union(*(one for one in known if one)) if not revealed else frozenset()
        self._covering = Covering(self._secret)

    def _personal(self, event: Event, headers: Mapping[str, str]) -> frozenset[str] | None:
        personal = personal_of(self._project, headers, event)
        return None if personal is None else hidden(event, personal)

    def text(self, text: str) -> str:
        return self._covering.text(text)

    def anything(self, data: Any) -> Any:
        """Return what was made of the event, in which its values may have other names."""
        if self._revealed or not data:
            return data
        if self._unknown:
            return {**data, "body": MASK}
        return without(data, self._secret)

    def answer(self, heard: Mapping[str, Any]) -> dict[str, Any] | None:
        if not heard:
            return None
        body = heard["body"] if self._revealed else MASK if self._unknown else self.text(heard["body"])
        return {**heard, "body": body}

    def original(self, raw: Message | None) -> dict[str, Any]:
        """Return the bytes as they were accepted, as text where that is what they are; or what may be seen of them."""
        if raw is None or CLAIM in raw.headers:
            return {"gone": raw is None, "large": raw is not None}
        told = {"seq": raw.seq, "at": int(raw.time * 1000), "bytes": len(raw.payload), "headers": _kept(raw.headers)}
        event = _event(raw.headers, raw.payload)
        personal = personal_of(self._project, raw.headers, event) if event else None
        if self._revealed or (event is not None and covered(event, personal) == event.data):
            return {**told, **_readable(raw.payload), "masked": False}
        return {**told, "text": _masked(raw, event, personal), "masked": True}

    def parsed(self, raw: Message | None) -> dict[str, Any] | None:
        event = _event(raw.headers, raw.payload) if raw is not None and CLAIM not in raw.headers else None
        return None if raw is None or event is None else self._shown(event, raw.headers)

    def canonical(self, made: Mapping[str, Any] | None) -> Any:
        """Return the canonical form: that which a route could not deliver, or what the transform made of it."""
        if self._letter.stage != PROCESS:
            event = _event(self._letter.headers, self._letter.payload)
            return None if event is None else self._shown(event, self._letter.headers)
        if made is None or self._revealed:
            return made
        return {**made, "data": MASK if self._unknown else without(made["data"], self._secret)}

    def _shown(self, event: Event, headers: Mapping[str, str]) -> dict[str, Any]:
        if self._revealed:
            data = event.data.decode("utf-8", "backslashreplace") if isinstance(event.data, bytes) else event.data
        else:
            data = covered(event, personal_of(self._project, headers, event))
        return {**event.attributes(), "data": data}


def _events(letter: DeadLetter, raw: Message | None) -> list[tuple[Event, Mapping[str, str]]]:
    found = [(letter.headers, letter.payload)]
    if raw is not None and CLAIM not in raw.headers:
        found.append((raw.headers, raw.payload))
    return [(event, headers) for headers, payload in found if (event := _event(headers, payload)) is not None]


def _event(headers: Mapping[str, str], payload: bytes) -> Event | None:
    try:
        return events.decode({"content-type": events.STRUCTURED, **headers}, payload)
    except Refused:
        return None


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if not name.startswith("Nats-") and name != ORIGIN}


def _readable(payload: bytes) -> dict[str, str]:
    try:
        return {"text": payload.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(payload).decode()}


def _masked(raw: Message, event: Event | None, personal: Any) -> str:
    """Return the text again without what is personal; it is written anew, so not byte for byte as it came."""
    if event is None:
        return MASK
    if raw.headers.get("content-type", events.STRUCTURED).lower().startswith(events.STRUCTURED):
        return jsontext.dumps(at_place("", jsontext.loads(raw.payload), personal)).decode()
    shown = covered(event, personal)
    return shown if isinstance(shown, str) else jsontext.dumps(shown).decode()
