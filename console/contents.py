"""`/ops/v1/contents`: what an event said as it came, in canonical form and as it was sent; called by `console.api`.

What schemas call personal is masked unless it is asked for with a reason, which the audit log keeps.
"""

from typing import Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Query, Request, Response

from console.access import Gate, Role
from console.answers import json_answer
from console.audit import note_reveal
from console.desk import Desk
from console.masking import covered
from crossdock.covering import MASK
from crossdock.kernel import event as events
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Refused
from crossdock.kernel.stream import CLAIM, EVENTS, RAW, SOURCE, Message
from crossdock.personal import hidden, leaves, personal_of, without
from crossdock.project import Project

STREAMS = {"received": RAW, "canonical": EVENTS}

Reason = Annotated[str, Query(max_length=300)]
Form = Literal["received", "canonical"]


def add_contents(app: FastAPI, desk: Desk, gate: Gate) -> None:
    """Add the paths."""

    @app.get("/ops/v1/contents/sent/{seq}", dependencies=[gate(Role.VIEWER)])
    async def sent(seq: int, route: str, request: Request, revision: str = "", reveal: Reason = "") -> Response:
        message = await _message(desk, EVENTS, seq)
        await _reveal(desk, request, f"sent {seq} {route}", reveal)
        return json_answer(_sent(desk.project, message, route, revision, bool(reveal)))

    @app.get("/ops/v1/contents/{form}/{seq}", dependencies=[gate(Role.VIEWER)])
    async def stored(form: Form, seq: int, request: Request, reveal: Reason = "") -> Response:
        message = await _message(desk, STREAMS[form], seq)
        await _reveal(desk, request, f"{form} {seq}", reveal)
        event = _event(message)
        return json_answer(_told(event, _shown(desk.project, message, event, bool(reveal))))


async def _message(desk: Desk, stream: str, seq: int) -> Message:
    message = await desk.stored(stream, seq)
    if message is None:
        raise HTTPException(404, f"{stream} {seq} is past its retention, or never was")
    if CLAIM in message.headers:
        raise HTTPException(413, "its body is too large to be shown here")
    return message


async def _reveal(desk: Desk, request: Request, on: str, why: str) -> None:
    if why:
        await note_reveal(desk.audit, request, on, why)


def _event(message: Message) -> Event:
    structured = message.headers.get("content-type", events.STRUCTURED).lower().startswith(events.STRUCTURED)
    try:
        return events.restore(message.payload) if structured else events.decode(message.headers, message.payload)
    except (Refused, ValueError, KeyError):
        raise HTTPException(422, "it cannot be read as an event; `raw` has its bytes") from None


def _shown(project: Project, message: Message, event: Event, revealed: bool) -> Any:
    return event.data if revealed else covered(event, personal_of(project, message.headers, event))


def _told(event: Event, data: Any) -> dict[str, Any]:
    envelope = {"id": event.id, "source": event.source, "type": event.type, "dataschema": event.dataschema}
    shown = data.decode("utf-8", "backslashreplace") if isinstance(data, bytes) else data
    return envelope | {"data": shown, "masked": _holds(shown)}


def _holds(data: Any) -> bool:
    return MASK in leaves(data)


def _sent(project: Project, message: Message, name: str, revision: str, revealed: bool) -> dict[str, Any]:
    """Make again what a route sent, from the canonical event and the content in force; say when that may differ."""
    route = project.routes.get(name)
    if route is None:
        raise HTTPException(404, f"no route {name} in the content in force, so what it sent cannot be made again")
    event = _event(message)
    try:
        asked = project.as_asked(route, event)
        form = project.form_of(route)
        made = form(asked, message.headers.get(SOURCE, "")) if form else asked
    except Refused as error:
        detail = "; ".join(problem.message for problem in error.problems)
        raise HTTPException(422, f"revision {project.revision} cannot make it again: {detail}") from None
    personal = personal_of(project, message.headers, event)
    data = made.data if revealed else MASK if personal is None else without(made.data, hidden(event, personal))
    same = {"revision": project.revision, "as_it_was": revision == project.revision}
    return _told(made, data) | {"route": name, "connector": route.connector} | same
