"""Sends the dead letters of a plan again, each while it is as it was selected."""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from crossdock.kernel import jsontext
from crossdock.kernel.problems import Refused
from crossdock.kernel.stream import AGAIN, DEAD_LETTER, ORIGIN, RAW, RAW_SEQ, Record
from crossdock.pipeline.acts import Acts
from crossdock.pipeline.again import Again
from crossdock.pipeline.copies import Copy
from crossdock.pipeline.edit import edit
from crossdock.pipeline.outbox import Counts, Outbox, Runs
from crossdock.pipeline.replay import line_of
from crossdock.project import Project
from dlq import patch, record
from dlq.plans import Item, Plan
from dlq.ports import Letters
from dlq.record import PROCESS, DeadLetter, headers_of, letter_id
from journal.store import OPEN, REPLAYING, LetterState


class _Ready(NamedTuple):
    item: Item
    copy: Copy


class LetterSender:
    """Takes turns with everybody else who acts on dead letters."""

    def __init__(self, letters: Letters, acts: Acts, outbox: Outbox, project: Callable[[], Project]) -> None:
        self._letters = letters
        self._acts = acts
        self._outbox = outbox
        self._project = project

    async def send(self, plan: Plan, lot: Sequence[Item], runs: Runs, *, again: bool) -> Counts | None:
        """Send a lot; None when the plan was stopped before. `again` says that a part of it may have been sent.

        Raises:
            Unavailable: the broker does not answer, or as `Acts.turn` does.
        """
        letters = await asyncio.gather(*(self._letters.get(item.ref) for item in lot))
        found = [(item, letter) for item, letter in zip(lot, letters, strict=True) if letter is not None]
        ready, lost = await self._ready(plan, found)
        if not await self._outbox.room(plan, {one.copy.line.route for one in ready} - {""}, runs):
            return None
        there = await self._outbox.there(plan, [one.copy for one in ready]) if again else set[str]()
        async with self._acts.turn([item.id for item in lot]) as states:
            left = [
                copy for item, copy in ready if copy.record.key not in there and _waits(item, states[item.id], again)
            ]
            mark = await self._outbox.send(left)
        sent, gone = len(left) + len(there), len(lot) - len(found) + lost
        return Counts(sent, len(lot) - sent - gone, gone, mark)

    async def _ready(self, plan: Plan, found: Sequence[tuple[Item, DeadLetter]]) -> tuple[list[_Ready], int]:
        """Return what can be sent, and of how many the raw event is past its retention."""
        routes, ready, lost = self._project().routes, list[_Ready](), 0
        for item, letter in found:
            if letter.route and letter.route not in routes:
                continue  # nobody would read it
            try:
                made = await self._record(plan, letter, str(item.failures))
            except Refused:
                continue  # the patch does not fit this one
            if made is None:
                lost += 1
            else:
                line = line_of(letter, item.ref)._replace(detail=_detail(plan), who=plan.who)
                ready.append(_Ready(item, Copy(made, line)))
        return ready, lost

    async def _record(self, plan: Plan, letter: DeadLetter, attempt: str) -> Record | None:
        """Return what is sent of a dead letter, None when it is past its retention.

        Raises:
            Refused: the patch does not fit.
        """
        if plan.patch:
            letter = edit(self._project(), letter, patch.read(jsontext.loads(plan.patch.encode())), plan.edit)
        if plan.from_stage != "raw" or letter.stage == PROCESS:
            return record.replay(letter, attempt)
        origin = int(letter.headers.get(RAW_SEQ, 0))
        message = await self._outbox.sends.message(RAW, origin)
        if message is None:
            return None
        named = {
            ORIGIN: str(origin),
            DEAD_LETTER: letter_id(PROCESS, letter.source, origin),
            AGAIN: Again(plan.id, "failed", letter.origin, (letter.route,)).text(),
        }
        return Record(message.subject, message.payload, f"{letter.id}/{attempt}", headers_of(message) | named)


def _detail(plan: Plan) -> str:
    return f"plan {plan.id}" + (f", edited {plan.edit}" if plan.edit else "")


def _waits(item: Item, state: LetterState, again: bool) -> bool:
    """Tell whether a dead letter is as it was selected; one that is being replayed may be of the lot that was cut."""
    alike = state.failures == item.failures
    return alike and (state.state == OPEN or (again and state.state == REPLAYING))
