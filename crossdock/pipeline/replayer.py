"""Runs replay plans: lot after lot, each recorded, so that whoever goes on after a kill knows what was sent."""

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any, Literal

from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Log
from crossdock.pipeline.acts import Acts
from crossdock.pipeline.lettersender import LetterSender
from crossdock.pipeline.outbox import Counts, Outbox, Sends
from crossdock.pipeline.pastsender import PastSender
from crossdock.pipeline.recorder import now_ms
from crossdock.pipeline.replay import LOT
from crossdock.project import Project
from dlq.plans import Plan, Plans
from dlq.ports import Letters

log = logging.getLogger(__name__)

AWAY = 1.0
LOTS_A_SECOND = 5  # at least, where the rate is low: a pause takes effect within one


class Replayer:
    """Sends what plans have selected; a pause or a cancellation takes effect after the lot under way."""

    def __init__(
        self,
        plans: Plans,
        letters: Letters,
        acts: Acts,
        streams: Log,
        sends: Sends,
        project: Callable[[], Project],
    ) -> None:
        self.plans = plans
        self.acts = acts
        self.outbox = Outbox(streams, sends)
        self._letters = LetterSender(letters, acts, self.outbox, project)
        self._past = PastSender(self.outbox, project)
        self._name = uuid.uuid4().hex
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stops: dict[str, asyncio.Event] = {}
        self._cut = set[str]()  # plans of whose next lot a part may have been sent, by whoever was killed or failed

    async def start(self, plan: Plan) -> Plan | None:
        """Begin a plan, or go on with a paused one; None when another one did something with it meanwhile.

        Raises:
            Unavailable: the broker does not answer.
        """
        if task := self._tasks.get(plan.id):
            await asyncio.wait([task])  # after a pause it ends its lot
            plan = await self.plans.get(plan.id) or plan
        mark, begun = plan.mark or await self.outbox.sends.newest(), plan.begun or now_ms()
        try:
            stored = await self.plans.put(replace(plan, state="running", runner=self._name, mark=mark, begun=begun))
        except Unavailable:
            self.begin()  # it may be stored all the same
            raise
        if stored is not None:
            if plan.state == "running" or plan.runner not in ("", self._name):
                self._cut.add(plan.id)
            self._stops[plan.id] = asyncio.Event()
            self._tasks[plan.id] = asyncio.create_task(self._patiently(stored))
        return stored

    async def stop(self, plan_id: str, state: Literal["paused", "cancelled"]) -> Plan | None:
        """Pause or cancel a plan; nothing more of it is sent when this returns. Return what there is of it.

        Raises:
            Unavailable: the broker does not answer.
        """
        turned = await self.plans.turn(plan_id, state)
        if event := self._stops.get(plan_id):
            event.set()
            await self.ended(plan_id)
            turned = await self.plans.get(plan_id)
        if state == "cancelled":
            self._cut.discard(plan_id)
        return turned

    def begin(self) -> None:
        """Go on with what runs and nobody here works on, such as what a process before this one left."""
        if self._is_idle(""):
            self._tasks[""] = asyncio.create_task(self._resume())

    def _is_idle(self, name: str) -> bool:
        return (task := self._tasks.get(name)) is None or task.done()

    async def _resume(self) -> None:
        while True:
            try:
                for plan in await self.plans.all():
                    if plan.state == "running" and self._is_idle(plan.id):
                        await self.start(plan)
                return
            except Unavailable as error:
                log.warning("replay plans: %s", error)
                await asyncio.sleep(AWAY)
            except Exception:
                log.exception("replay plans cannot go on by themselves")
                return

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

    async def _patiently(self, plan: Plan) -> None:
        present: Plan | None = plan
        while present is not None and self._is_mine(present):
            try:
                await self._run(present)
                return
            except Unavailable as error:
                log.warning("replay plan %s: %s", plan.id, error)
            except Exception:
                log.exception("replay plan %s", plan.id)
            self._cut.add(plan.id)
            await asyncio.sleep(AWAY)
            try:
                present = await self.plans.get(plan.id)
            except Unavailable:
                continue

    def _is_mine(self, plan: Plan) -> bool:
        return plan.state == "running" and plan.runner == self._name

    async def _run(self, plan: Plan) -> None:
        """Send what is left."""
        size = min(LOT, max(1, plan.rate // LOTS_A_SECOND))
        async for part in self._parts(plan):
            for start in range(0, len(part), size):
                began, lot = time.monotonic(), part[start : start + size]
                counts = await self._send(plan, lot)
                further = await self._record(plan, counts, len(lot)) if counts else None
                if further is None:
                    return
                plan = further
                if await self._stopped(plan, began + len(lot) / plan.rate - time.monotonic()):
                    return
        if lost := plan.total - plan.done:  # the selection itself is past its retention
            await self._record(plan, Counts(0, 0, lost, {}), lost)
        await self.plans.turn(plan.id, "done")

    async def _stopped(self, plan: Plan, seconds: float) -> bool:
        """Wait until the next lot is due; True at once when a person stops the plan."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                return await self._stops[plan.id].wait()
        except TimeoutError:
            return False

    def _parts(self, plan: Plan) -> AsyncIterator[list[Any]]:
        return (self.plans.items if plan.of == "letters" else self.plans.events)(plan, plan.done)

    async def _send(self, plan: Plan, lot: list[Any]) -> Counts | None:
        async def runs() -> bool:
            present = await self.plans.get(plan.id)
            return present is not None and self._is_mine(present)

        sender: Any = self._letters if plan.of == "letters" else self._past
        counts: Counts | None = await sender.send(plan, lot, runs, again=plan.id in self._cut)
        return counts

    async def _record(self, plan: Plan, counts: Counts, looked: int) -> Plan | None:
        """Record how far it came, on top of what a person did meanwhile; None when it is to stop."""
        moved: dict[str, Any] = {
            "done": plan.done + looked,
            "sent": plan.sent + counts.sent,
            "skipped": plan.skipped + counts.skipped,
            "gone": plan.gone + counts.gone,
            "mark": {**plan.mark, **counts.mark},
        }
        present: Plan | None = plan
        while present is not None and present.runner == self._name:
            stored = await self.plans.put(replace(present, **moved))
            if stored is not None:
                self._cut.discard(plan.id)
                return stored if stored.state == "running" else None
            present = await self.plans.get(plan.id)
        return None
