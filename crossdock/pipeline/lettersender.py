"""Sends the dead letters of a plan again, each while it is as it was selected."""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from crossdock.kernel import jsontext
from crossdock.kernel.problems import Refused
from crossdock.kernel.stream import ACT, AGAIN, DEAD_LETTER, ORIGIN, RAW, RAW_SEQ, Record
from crossdock.pipeline.acts import OWN, Acts
from crossdock.pipeline.again import Again
from crossdock.pipeline.copies import Copy
from crossdock.pipeline.edit import edit
from crossdock.pipeline.outbox import Counts, Outbox, Runs
from crossdock.pipeline.resend import line_of
from crossdock.project import Project
from dlq import patch, record
from dlq.plans import Item, Plan
from dlq.ports import Letters
from dlq.record import PROCESS, DeadLetter, headers_of, letter_id


class _Ready(NamedTuple):
    item: Item
    letter: DeadLetter
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
        left = [one for one in ready if one.copy.record.key not in there]
        async with self._acts.turn([item.id for item in lot]) as states:
            hindered = await self._acts.hindered({one.item.id: one.letter for one in left}, states, plan.id)
            alike = [one for one in left if states[one.item.id].failures == one.item.failures]
            sending = await self._outbox.send([one.copy for one in alike if one.item.id not in hindered])
        known = sum(hindered.get(one.item.id, OWN) == OWN for one in alike)
        sent, gone = len(there) + known - sending.taken, len(lot) - len(found) + lost
        return Counts(sent, len(lot) - sent - gone, gone, sending.mark)

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
                ready.append(_Ready(item, letter, Copy(made, line)))
        return ready, lost

    async def _record(self, plan: Plan, letter: DeadLetter, attempt: str) -> Record | None:
        """Return what is sent of a dead letter, None when it is past its retention.

        Raises:
            Refused: the patch does not fit.
        """
        if plan.patch:
            letter = edit(self._project(), letter, patch.read(jsontext.loads(plan.patch.encode())), plan.edit)
        if plan.from_stage != "raw" or letter.stage == PROCESS:
            return record.replay(letter, attempt, plan.id)
        origin = int(letter.headers.get(RAW_SEQ, 0))
        message = await self._outbox.sends.message(RAW, origin)
        if message is None:
            return None
        named = {
            ORIGIN: str(origin),
            DEAD_LETTER: letter_id(PROCESS, letter.source, origin),
            ACT: plan.id,
            AGAIN: Again(plan.id, "failed", letter.origin, (letter.route,)).text(),
        }
        return Record(message.subject, message.payload, f"{letter.id}/{attempt}", headers_of(message) | named)


def _detail(plan: Plan) -> str:
    return f"plan {plan.id}" + (f", edited {plan.edit}" if plan.edit else "")
