"""What the first items of a replay plan would send, as a dry run takes it; nothing is sent."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from console.desk import Desk
from crossdock.covering import Covering
from crossdock.kernel import event as events
from crossdock.kernel import jsontext
from crossdock.kernel.problems import Refused
from crossdock.kernel.records import UNFIT
from crossdock.kernel.stream import EVENT_ID, RAW, RAW_SEQ, SOURCE, Message
from crossdock.personal import secrets_of
from crossdock.pipeline.edit import edit
from crossdock.pipeline.pastsender import place, wanting
from crossdock.pipeline.process import business_key
from dlq import patch
from dlq.plans import Item, Past, Plan
from dlq.record import DELIVER, PROCESS, DeadLetter, headers_of, letter_id
from journal import entry

Unfit = list[tuple[str, str]]
_BLANK = DeadLetter("", "", "", "", "", "", "", "", "", (), 0, 0, 0, 0, 0, "")


@dataclass
class Planned:
    """What there is `before` and what would be sent, each in the place of the other; `unfit` says why some would not.

    One of stage process that names routes (with commas) is for those alone. `delivered` are the ids of events that one
    of their targets has already.
    """

    before: list[DeadLetter] = field(default_factory=list)
    after: list[DeadLetter] = field(default_factory=list)
    unfit: Unfit = field(default_factory=list)
    delivered: list[str] = field(default_factory=list)


async def planned(desk: Desk, plan: Plan, most: int) -> Planned:
    """Return what the first `most` items would send; what is past its retention is left out.

    Raises:
        Unavailable: the broker or the journal does not answer.
    """
    stored = desk.replayer.plans
    parts: AsyncIterator[Any] = stored.items(plan) if plan.of == "letters" else stored.events(plan)
    items: list[Any] = []
    async for part in parts:
        items += part
        if len(items) >= most:
            break
    make: Any = _of_letters if plan.of == "letters" else _of_events
    found = Planned()
    found.before = await make(desk, plan, items[:most], found.unfit)
    await _look_up(desk, found)
    _edit(desk, plan, found)
    return found


async def _of_letters(desk: Desk, plan: Plan, items: Sequence[Item], _: Unfit) -> list[DeadLetter]:
    letters = [letter for item in items if (letter := await desk.letters.get(item.ref)) is not None]
    if plan.from_stage != "raw":
        return letters
    found = []
    for letter in letters:
        if letter.stage == PROCESS:
            found.append(letter)
        elif message := await desk.replayer.outbox.sends.message(RAW, int(letter.headers.get(RAW_SEQ, 0))):
            found.append(replace(_raw(message), id=letter.id, route=letter.route, key=letter.key, detail=letter.detail))
    return found


async def _of_events(desk: Desk, plan: Plan, items: Sequence[Past], unfit: Unfit) -> list[DeadLetter]:
    found: list[DeadLetter] = []
    for item in items:
        stream, seq = place(plan, item)
        message = await desk.replayer.outbox.sends.message(stream, seq)
        if message is not None and stream == RAW:
            found.append(replace(_raw(message), route=",".join(plan.routes) if item.seq else ""))
        elif message is not None:
            try:
                found += _canonical(desk, plan, message)
            except UNFIT:
                unfit.append((f"EVENTS {message.seq}", "it cannot be read as an event"))
    return found


def _raw(message: Message) -> DeadLetter:
    _, partner, source = message.subject.split(".", 2)
    return replace(
        _BLANK, id=letter_id(PROCESS, source, message.seq), stage=PROCESS, partner=partner, source=source,
        event_id=unquote(message.headers.get(EVENT_ID, "")), origin=message.seq, seq=message.seq,
        subject=message.subject, headers=headers_of(message), payload=message.payload,
    )  # fmt: skip


def _canonical(desk: Desk, plan: Plan, message: Message) -> list[DeadLetter]:
    event, source = events.restore(message.payload), message.headers.get(SOURCE, "")
    return [
        replace(
            _BLANK, id=letter_id(DELIVER, name, message.seq), stage=DELIVER, source=source, route=name,
            event_id=event.id, type=event.type, origin=message.seq, seq=message.seq, subject=message.subject,
            headers=headers_of(message), payload=message.payload, key=business_key(event),
        )
        for name in wanting(desk.project, plan.routes, event, source)
    ]  # fmt: skip


async def _look_up(desk: Desk, found: Planned) -> None:
    """Find who has which event already, and by which revision it got it."""
    raws = sorted({_raw_seq(letter) for letter in found.before})
    lines = await asyncio.to_thread(desk.journal.steps, raws)
    had = {(line.raw, line.route): line.revision for line in lines if line.outcome == entry.DELIVERED}
    routes = {route for _, route in had}
    for place_, letter in enumerate(found.before):
        raw = _raw_seq(letter)
        revisions = [had[raw, name] for name in _names(letter) or routes if (raw, name) in had]
        if revisions:
            found.delivered.append(letter.event_id)
            found.before[place_] = replace(letter, revision=letter.revision or revisions[0])


def _raw_seq(letter: DeadLetter) -> int:
    return letter.origin if letter.stage == PROCESS else int(letter.headers.get(RAW_SEQ, 0))


def _names(letter: DeadLetter) -> Iterable[str]:
    return [name for name in letter.route.split(",") if name]


def _edit(desk: Desk, plan: Plan, found: Planned) -> None:
    """Let the patch change each; what it does not fit would not be sent."""
    found.after = found.before
    if not plan.patch:
        return
    change, fitting = patch.read(jsontext.loads(plan.patch.encode())), list[tuple[DeadLetter, DeadLetter]]()
    for letter in found.before:
        try:
            fitting.append((letter, edit(desk.project, letter, change, plan.edit)))
        except Refused as error:
            found.unfit.append((letter.id, Covering(secrets_of(letter, desk.project)).text(str(error))))
    found.before, found.after = [old for old, _ in fitting], [new for _, new in fitting]
