"""Sends the past events of a plan again, whether they failed or not: as they are in EVENTS, or from RAW on."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import unquote

from crossdock.kernel import event as events
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Refused
from crossdock.kernel.records import UNFIT
from crossdock.kernel.stream import (
    AGAIN,
    BACKFILL,
    DEAD_LETTER,
    EVENT_ID,
    EVENTS,
    ORIGIN,
    RAW,
    SOURCE,
    Message,
    Record,
)
from crossdock.pipeline.again import Again
from crossdock.pipeline.copies import Copy, copy_of
from crossdock.pipeline.outbox import Counts, Outbox, Runs
from crossdock.pipeline.recorder import now_ms
from crossdock.project import Project
from dlq.plans import Past, Plan
from dlq.record import PROCESS, headers_of, letter_id
from journal import entry
from journal.entry import Entry


class PastSender:
    """Sends each event under the idempotency keys that it always had; `project` gives the content in force."""

    def __init__(self, outbox: Outbox, project: Callable[[], Project]) -> None:
        self._outbox = outbox
        self._project = project

    async def send(self, plan: Plan, lot: Sequence[Past], runs: Runs, *, again: bool) -> Counts | None:
        """Send a lot; None when the plan was stopped before. `again` says that a part of it may have been sent.

        Raises:
            Unavailable: the broker does not answer.
        """
        found = await asyncio.gather(*(self._outbox.sends.message(*place(plan, item)) for item in lot))
        made = [
            self._copies(plan, item, message) for item, message in zip(lot, found, strict=True) if message is not None
        ]
        copies = [copy for of_event in made for copy in of_event]
        if not await self._outbox.room(plan, {copy.line.route for copy in copies} - {""}, runs):
            return None
        there = await self._outbox.there(plan, copies) if again else set[str]()
        # None of them can be `taken`: their keys name the plan, so what is there is its own.
        mark = (await self._outbox.send([copy for copy in copies if copy.record.key not in there])).mark
        sent = sum(map(bool, made))
        return Counts(sent, len(made) - sent, len(lot) - len(made), mark)

    def _copies(self, plan: Plan, item: Past, message: Message) -> list[Copy]:
        if place(plan, item)[0] == RAW:
            return [raw_copy(plan, item, message)]
        try:
            event = events.restore(message.payload)
        except UNFIT:  # which no attempt would mend
            return []
        named, detail = {BACKFILL: plan.id}, f"plan {plan.id}"
        copies = [
            copy_of(name, message, event, plan.id, detail, named)
            for name in wanting(self._project(), plan.routes, event, message.headers.get(SOURCE, ""))
        ]
        return [copy._replace(line=copy.line._replace(who=plan.who)) for copy in copies]


def place(plan: Plan, item: Past) -> tuple[str, int]:
    """Return from which stream an event is sent, and its sequence there."""
    return (EVENTS, item.seq) if item.seq and plan.from_stage == "canonical" else (RAW, item.raw)


def wanting(project: Project, named: Iterable[str], event: Event, source: str) -> list[str]:
    """Return the routes that want an event by the content in force, of those that are named if any are."""
    chosen = set(named)
    found = []
    for route in project.routes_for(event.type):
        if chosen and route.name not in chosen:
            continue
        try:
            if project.wants(route, event, source):
                found.append(route.name)
        except Refused:
            found.append(route.name)  # it becomes its dead letter
    return found


def raw_copy(plan: Plan, item: Past, message: Message) -> Copy:
    """Return what sends a raw event through the process step again; one that never went through goes everywhere."""
    _, partner, source = message.subject.split(".", 2)
    letter = letter_id(PROCESS, source, item.raw)
    headers = headers_of(message) | {ORIGIN: str(item.raw), DEAD_LETTER: letter}
    if item.seq:
        headers[AGAIN] = Again(plan.id, "all", item.seq, tuple(plan.routes)).text()
    line = Entry(
        at=now_ms(),
        stage=entry.REPLAY,
        outcome=entry.REPLAYED,
        partner=partner,
        source=source,
        id=unquote(message.headers.get(EVENT_ID, "")),
        raw=item.raw,
        detail=f"plan {plan.id}",
        dead_letter=letter,
        who=plan.who,
    )
    return Copy(Record(message.subject, message.payload, f"{plan.id}/raw/{item.raw}", headers), line)
