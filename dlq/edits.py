"""An edited dead letter: the same event with a patch on what it says, to be sent in the place of the original."""

import secrets
from dataclasses import replace
from typing import Any

from crossdock.kernel import event as events
from crossdock.kernel import jsontext
from crossdock.kernel.event import STRUCTURED, Event, header_value
from crossdock.kernel.problems import Problem, Refused
from crossdock.kernel.stream import DEDUPE, DIGEST, EDIT, EVENT_ID, QUARANTINED, UNREADABLE
from dlq.patch import Patch, apply
from dlq.record import PROCESS, DeadLetter

# What must stay: of a canonical event all that its routes and the target know it by.
_FIXED = {PROCESS: ("specversion", "type", "partner")}
_FIXED_CANONICAL = ("specversion", "type", "partner", "id", "source", "dataschema")


def new_name() -> str:
    """Return the name of another edit."""
    return f"ed-{secrets.token_hex(6)}"


def event_of(letter: DeadLetter) -> Event:
    """Return the event of a dead letter as it was stored.

    Raises:
        Refused: its bytes are none.
    """
    return events.decode({"content-type": STRUCTURED, **letter.headers}, letter.payload)


def document_of(letter: DeadLetter) -> Any:
    """Return what a patch is for: the whole event as a CloudEvent in JSON, in whatever mode it came.

    Raises:
        Refused: its bytes are no event.
    """
    return jsontext.loads(events.encode_structured(event_of(letter)))


def edited(letter: DeadLetter, patch: Patch, name: str) -> DeadLetter:
    """Return a dead letter with a patch on its event; what is sent again of it carries the name of the edit.

    Raises:
        Refused: `patch_failed`, `patch_fixed`, or what is wrong with the event that it makes.
    """
    before = document_of(letter)
    after = apply(before, patch)
    if not isinstance(after, dict):
        raise Refused([Problem("patch_failed", "what the patch makes is no event any more")])
    fixed = _FIXED.get(letter.stage, _FIXED_CANONICAL)
    if changed := [one for one in fixed if before.get(one) != after.get(one)]:
        raise Refused([Problem("patch_fixed", f"the {one} of an event stays", pointer=f"/{one}") for one in changed])
    payload = jsontext.dumps(after)
    event = events.decode_structured(payload)
    headers = {**letter.headers, EDIT: name}
    if letter.stage == PROCESS:
        known = before["id"] == event.id and before["source"] == event.source
        headers = _as_raw(headers, event, known=known)
    return replace(letter, payload=payload, headers=headers, event_id=event.id)


def _as_raw(headers: dict[str, str], event: Event, *, known: bool) -> dict[str, str]:
    """Return the headers of a raw event that nobody has checked: the process step does, as with quarantined ones."""
    of_original = {DIGEST, UNREADABLE} if known else {DIGEST, UNREADABLE, DEDUPE}
    kept = {key: value for key, value in headers.items() if not key.startswith("ce-") and key not in of_original}
    return {**kept, "content-type": STRUCTURED, EVENT_ID: header_value(event.id), QUARANTINED: "1"}
