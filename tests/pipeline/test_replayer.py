"""Replay plans: frozen, ordered, paused, cancelled and killed at any point, and each dead letter sent exactly once."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from crossdock.adapters.memory import MemoryLog
from crossdock.adapters.memoryrecords import MemoryRecords
from crossdock.adapters.memorysends import MemorySends
from crossdock.kernel.stream import DEAD_LETTER, Record, Stored
from crossdock.pipeline import replayer
from crossdock.pipeline.acts import Acts
from crossdock.pipeline.choose import choose
from crossdock.pipeline.replayer import Replayer
from crossdock.project import Project
from dlq.plans import Plan, Plans
from dlq.record import DeadLetter, replay
from journal.entry import SUBJECT, unpack
from journal.store import OPEN, REPLAYING, RESOLVED, LetterState, letter_after
from tests.pipeline.test_replay import LETTER, STATE
from tests.smallproject import project


@cache
def content() -> Project:
    with TemporaryDirectory() as name:
        return project(Path(name))


FAST = 10_000  # dead letters a second: no pause worth naming


class Site(MemoryLog):
    """Streams without a window of repeats, the journal of what they say, and dead letters of 10 keys in any order."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.states: dict[str, LetterState] = {}
        self.kept: dict[int, DeadLetter] = {}
        self.records_of_plans = MemoryRecords()
        self.appends_left = -1
        for ref, origin in enumerate(random.sample(range(1, number + 1), number), 1):
            letter = replace(LETTER, id=f"dl-{origin:05}", event_id=f"e-{origin}", key=f"k{origin % 10}", origin=origin)
            self.kept[ref] = letter
            self.states[letter.id] = replace(STATE, id=letter.id, event_id=letter.event_id, ref=ref)

    async def get(self, seq: int) -> DeadLetter | None:
        return self.kept.get(seq)

    def known(self, ids: Sequence[str]) -> Mapping[str, LetterState]:
        return {letter_id: self.states[letter_id] for letter_id in ids if letter_id in self.states}

    def position(self) -> int:
        return len(self.records)

    async def append(self, record: Record) -> Stored:
        stored = await super().append(record)
        self._keys.clear()
        for line in unpack(record.payload) if record.subject == SUBJECT else ():
            state = letter_after(self.states[line.dead_letter], line)
            assert state is not None
            self.states[line.dead_letter] = state
        self.appends_left -= 1
        if not self.appends_left:
            raise asyncio.CancelledError  # the process is gone at this point
        return stored

    def opened(self) -> Replayer:
        """Start a process that runs plans."""
        sends = MemorySends(self)
        acts = Acts(self.known, self.position, sends)
        return Replayer(Plans(self.records_of_plans), self, acts, self, sends, content)

    def sent(self) -> list[str]:
        return [r.headers[DEAD_LETTER] for r, _ in self.records if r.subject == "replay.stock"]

    def deliver(self) -> None:
        """Let the route deliver what was sent."""
        for letter_id in self.sent():
            self.states[letter_id] = replace(self.states[letter_id], state=RESOLVED)

    async def plan(self, running: Replayer, rate: int = FAST) -> Plan:
        states = [state for state in self.states.values() if state.state == OPEN]
        chosen, _ = await choose(states, self)
        return await running.plans.make([one.item for one in chosen], "ann", "the ERP is back", rate)


async def ended(running: Replayer, plan: Plan, *states: str) -> Plan:
    async with asyncio.timeout(20):
        while (found := await running.plans.get(plan.id)) is None or found.state not in states:  # noqa: ASYNC110  only the store knows
            await asyncio.sleep(0.001)
    return found


def test_a_plan_sends_its_selection_once_in_the_order_of_the_streams() -> None:
    async def scenario() -> None:
        site = Site(250)
        running = site.opened()
        plan = await site.plan(running)
        assert (plan.total, plan.state, site.records) == (250, "planned", [])
        await running.start(plan)
        done = await ended(running, plan, "done")
        assert (done.done, done.sent, done.skipped, done.gone) == (250, 250, 0, 0)
        assert site.sent() == sorted(site.states)
        said = {(line.who, line.detail) for r, _ in site.records if r.subject == SUBJECT for line in unpack(r.payload)}
        assert said == {("ann", f"plan {plan.id}")}

    asyncio.run(scenario())


@pytest.mark.parametrize("seed", range(6))
def test_what_is_cancelled_at_one_point_and_killed_at_others_ends_with_each_sent_exactly_once(seed: int) -> None:
    random.seed(seed)

    async def scenario() -> None:
        site = Site(500)
        running = site.opened()
        first = await site.plan(running)
        await running.start(first)
        while len(site.sent()) < random.randrange(1, 400):  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert (await running.stop(first.id, "cancelled")) is not None
        await running.ended(first.id)
        cut = await ended(running, first, "cancelled")
        assert cut.sent == len(site.sent()) < 500
        site.deliver()

        second = await site.plan(running)
        assert second.total == 500 - cut.sent
        for attempt in range(3):
            site.appends_left = random.randrange(1, 130)
            running = site.opened()
            if attempt:
                running.begin()
            else:
                await running.start(second)
            await running.ended(second.id)
        site.appends_left = -1
        running = site.opened()
        running.begin()
        done = await ended(running, second, "done")
        assert (done.done, done.sent, done.skipped) == (second.total, second.total, 0)
        assert Counter(site.sent()) == Counter(list(site.states))
        of_second = site.sent()[cut.sent :]
        assert of_second == sorted(of_second)
        await running.close()

    asyncio.run(scenario())


def test_a_plan_is_paused_and_goes_on_where_it_was() -> None:
    async def scenario() -> None:
        site = Site(300)
        running = site.opened()
        plan = await site.plan(running)
        await running.start(plan)
        while not site.sent():  # noqa: ASYNC110
            await asyncio.sleep(0)
        paused = await running.stop(plan.id, "paused")
        assert paused is not None
        await running.ended(plan.id)
        assert (await ended(running, plan, "paused")).done == len(site.sent()) < 300
        assert await running.start(paused) is not None
        assert (await ended(running, plan, "done")).sent == 300
        assert Counter(site.sent()) == Counter(list(site.states))

    asyncio.run(scenario())


def test_what_changed_since_the_selection_is_left_alone_and_counted() -> None:
    async def scenario() -> None:
        site = Site(6)
        running = site.opened()
        plan = await site.plan(running)
        for letter_id, change in {
            "dl-00001": {"state": RESOLVED},
            "dl-00002": {"state": "discarded"},
            "dl-00003": {"failures": 2},
            "dl-00004": {"state": REPLAYING},
        }.items():
            site.states[letter_id] = replace(site.states[letter_id], **change)  # type: ignore[arg-type]
        await site.append(replay(site.kept[site.states["dl-00004"].ref], "1", "re-1"))
        del site.kept[site.states["dl-00005"].ref]
        await running.start(plan)
        done = await ended(running, plan, "done")
        assert (done.sent, done.skipped, done.gone) == (1, 4, 1)
        assert site.sent() == ["dl-00004", "dl-00006"]

    asyncio.run(scenario())


def test_two_plans_of_the_same_dead_letters_send_each_once() -> None:
    async def scenario() -> None:
        site = Site(150)
        running = site.opened()
        plans = [await site.plan(running), await site.plan(running)]
        for plan in plans:
            await running.start(plan)
            await ended(running, plan, "done")
        found = [await running.plans.get(plan.id) for plan in plans]
        assert [(plan.sent, plan.skipped) for plan in found if plan] == [(150, 0), (0, 150)]
        assert Counter(site.sent()) == Counter(list(site.states))

    asyncio.run(scenario())


def test_a_plan_waits_for_a_journal_that_is_being_built_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replayer, "AWAY", 0.001)

    async def scenario() -> None:
        site = Site(3)
        running = site.opened()
        plan = await site.plan(running)
        lost = site.states.pop("dl-00002")
        await running.start(plan)
        await asyncio.sleep(0)
        assert site.sent() == []
        site.states["dl-00002"] = lost
        assert (await ended(running, plan, "done")).sent == 3

    asyncio.run(scenario())


def test_what_is_past_its_retention_is_not_selected_but_counted() -> None:
    async def scenario() -> None:
        site = Site(5)
        del site.kept[site.states["dl-00002"].ref]
        chosen, gone = await choose(list(site.states.values()), site)
        assert ([one.item.id for one in chosen], gone) == (["dl-00001", "dl-00003", "dl-00004", "dl-00005"], 1)

    asyncio.run(scenario())


def test_a_paused_or_ended_plan_stays_so_for_those_who_come_later() -> None:
    async def scenario() -> None:
        running = Site(1).opened()
        plan = await Site(1).plan(running)
        assert (await running.plans.turn(plan.id, "cancelled")).state == "cancelled"  # type: ignore[union-attr]
        assert (await running.plans.turn(plan.id, "paused")).state == "cancelled"  # type: ignore[union-attr]
        assert await running.plans.put(plan) is None
        assert await running.plans.turn("rp-0", "paused") is None

    asyncio.run(scenario())
