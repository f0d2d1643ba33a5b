"""Runs replay plans: lot after lot, each recorded, so that whoever goes on after a kill knows what was sent."""

import asyncio
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Log, Record
from crossdock.pipeline.acts import Acts
from crossdock.pipeline.recorder import append_entries, append_patiently
from crossdock.pipeline.replay import LOT, line_of
from dlq import record
from dlq.plans import Item, Plan, Plans
from dlq.ports import Letters
from dlq.record import DeadLetter
from journal.store import OPEN, REPLAYING, LetterState

log = logging.getLogger(__name__)

AWAY = 1.0
LOOK_EVERY = 0.25
ROOM = 1000  # replays of a route that it has not read: with more none is added, so that new events wait little


class Sends(Protocol):
    """What the streams say of replays; every method raises Unavailable when the broker does not answer."""

    async def newest(self) -> dict[str, int]:
        """Return the last sequence of each stream that replays are sent to."""

    async def since(self, mark: Mapping[str, int], subjects: Sequence[str]) -> set[str]:
        """Return the keys of all records on these subjects after a mark."""

    async def recorded(self) -> int:
        """Return the last sequence of JOURNAL, 0 when it holds nothing."""

    async def unread(self, route: str) -> int:
        """Return how many messages a route has not read, 0 for one that there is not."""


async def choose(states: Sequence[LetterState], letters: Letters) -> tuple[list[Item], int]:
    """Return the selection of a plan in the order of the streams, and how many are past their retention.

    Raises:
        Unavailable: the broker does not answer.
    """
    found: list[tuple[bool, int, Item]] = []
    for start in range(0, len(states), LOT):
        lot = states[start : start + LOT]
        for state, letter in zip(lot, await asyncio.gather(*(letters.get(one.ref) for one in lot)), strict=True):
            if letter is not None:
                item = Item(state.id, state.event_id, state.ref, state.failures)
                found.append((bool(letter.route), letter.origin, item))
    return [item for _, _, item in sorted(found)], len(states) - len(found)


class Replayer:
    """Sends the dead letters of plans again; a pause or a cancellation takes effect after the lot under way."""

    def __init__(self, plans: Plans, letters: Letters, acts: Acts, streams: Log, sends: Sends) -> None:
        self.plans = plans
        self.acts = acts
        self._letters = letters
        self._streams = streams
        self._sends = sends
        self._name = uuid.uuid4().hex
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self, plan: Plan) -> Plan | None:
        """Begin a plan, or go on with a paused one; None when another one did something with it meanwhile.

        Raises:
            Unavailable: the broker does not answer.
        """
        if plan.id in self._tasks:
            await self.ended(plan.id)  # after a pause it ends its lot
            plan = await self.plans.get(plan.id) or plan
        mark = plan.mark or await self._sends.newest()
        stored = await self.plans.put(replace(plan, state="running", runner=self._name, mark=mark))
        if stored is not None:
            self._tasks[plan.id] = asyncio.create_task(self._patiently(stored, again=bool(plan.mark)))
        return stored

    def begin(self) -> None:
        """Go on with what a process before this one left running."""
        self._tasks[""] = asyncio.create_task(self._resume())

    async def _resume(self) -> None:
        while True:
            try:
                for plan in await self.plans.all():
                    if plan.state == "running" and plan.runner != self._name:
                        await self.start(plan)
                return
            except Unavailable as error:
                log.warning("replay plans: %s", error)
                await asyncio.sleep(AWAY)

    async def ended(self, plan_id: str) -> None:
        """Wait until this process does nothing more for a plan."""
        for name in ("", plan_id):
            if task := self._tasks.get(name):
                await asyncio.wait([task])

    async def close(self) -> None:
        """End at once; the next process goes on."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _patiently(self, plan: Plan, *, again: bool) -> None:
        present: Plan | None = plan
        while present is not None and present.state == "running" and present.runner == self._name:
            try:
                await self._run(present, again=again)
                return
            except Unavailable as error:
                log.warning("replay plan %s: %s", plan.id, error)
            except Exception:
                log.exception("replay plan %s", plan.id)
            again = True
            await asyncio.sleep(AWAY)
            try:
                present = await self.plans.get(plan.id)
            except Unavailable:
                continue

    async def _run(self, plan: Plan, *, again: bool) -> None:
        """Send what is left; `again` says that of its first lot a part may have been sent, by whoever was killed."""
        async for part in self.plans.items(plan, plan.done):
            for start in range(0, len(part), LOT):
                lot = part[start : start + LOT]
                further = await self._send(plan, lot, again=again)
                again = False
                if further is None:
                    return
                plan = further
                await asyncio.sleep(len(lot) / plan.rate)
        await self.plans.turn(plan.id, "done")

    async def _send(self, plan: Plan, lot: Sequence[Item], *, again: bool) -> Plan | None:
        """Send a lot and record it; None when the plan was paused, cancelled or taken over."""
        ids = [item.id for item in lot]
        states = await self.acts.look(ids)
        looked = [item for item in lot if again or _waits(item, states[item.id], False)]
        found = [(item, letter) for item in looked if (letter := await self._letters.get(item.ref)) is not None]
        copies = [(record.replay(letter, str(item.failures)), item, letter) for item, letter in found]
        await self._room({letter.route for _, letter in found if letter.route})
        # The broker's own window of repeats may have passed since the process before this one was killed.
        subjects = sorted({copy.subject for copy, _, _ in copies})
        there = await self._sends.since(plan.mark, subjects) if again else set[str]()
        async with self.acts.turn(ids) as states:
            left = [one for one in copies if one[0].key not in there and _waits(one[1], states[one[1].id], again)]
            await self._append(plan, left)
        sent, gone = len(left) + sum(copy.key in there for copy, _, _ in copies), len(looked) - len(found)
        moved = {
            "done": plan.done + len(lot),
            "sent": plan.sent + sent,
            "skipped": plan.skipped + len(lot) - sent - gone,
            "gone": plan.gone + gone,
            "mark": await self._sends.newest(),
        }
        return await self._record(plan, moved)

    async def _record(self, plan: Plan, moved: dict[str, Any]) -> Plan | None:
        """Record how far it came, on top of what a person did meanwhile."""
        present: Plan | None = plan
        while present is not None and present.runner == self._name:
            stored = await self.plans.put(replace(present, **moved))
            if stored is not None:
                return stored if stored.state == "running" else None
            present = await self.plans.get(plan.id)
        return None

    async def _append(self, plan: Plan, left: Sequence[tuple[Record, Item, DeadLetter]]) -> None:
        """Say in the journal what is sent before it is, as every replay does."""
        lines = [line_of(letter, item.ref)._replace(detail=f"plan {plan.id}", who=plan.who) for _, item, letter in left]
        await append_entries(self._streams, lines)
        if left:
            await append_patiently(self._streams, [copy for copy, _, _ in left])

    async def _room(self, routes: set[str]) -> None:
        for route in routes:
            while await self._sends.unread(route) >= ROOM:  # noqa: ASYNC110  only the broker knows
                await asyncio.sleep(LOOK_EVERY)


def _waits(item: Item, state: LetterState, again: bool) -> bool:
    """Tell whether a dead letter is as it was selected; one that is being replayed may be of the lot that was cut."""
    alike = state.failures == item.failures
    return alike and (state.state == OPEN or (again and state.state == REPLAYING))
