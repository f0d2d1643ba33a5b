"""Replays of one failure by several people and plans, on real streams: one says that it sent it, the others why not."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

from crossdock.adapters import topology
from crossdock.adapters.consumers import PROCESS_CONSUMER, feed_consumer
from crossdock.adapters.log import Acks, NatsLog
from crossdock.adapters.memoryrecords import MemoryRecords
from crossdock.adapters.pages import page
from crossdock.adapters.sends import NatsSends
from crossdock.adapters.topology import Topology
from crossdock.kernel import jsontext
from crossdock.kernel.stream import EVENTS, RAW, Record, Stored
from crossdock.pipeline.acts import Acts
from crossdock.pipeline.lettersender import LetterSender
from crossdock.pipeline.outbox import Outbox
from crossdock.pipeline.replay import Replayed, replay_letters
from crossdock.pipeline.replayer import Replayer
from crossdock.pipeline.resend import TAKEN
from dlq.plans import Item, Plan, Plans, State
from dlq.record import DeadLetter
from journal import entry
from journal.entry import SUBJECT, Entry, unpack
from journal.store import OPEN, REPLAYING, RESOLVED, LetterState, letter_after
from tests.pipeline.test_lettersender import failed
from tests.pipeline.test_pastsender import always
from tests.pipeline.test_replay import STATE
from tests.pipeline.test_replayer import ended
from tests.realservers import clean
from tests.smallproject import project

UNDER_WAY = "another replay of it is under way"
SOME = 6
PATCH = jsontext.dumps([{"op": "replace", "path": "/data/lines/0/item", "value": "COFFEE"}]).decode()


class Site:
    """Some dead letters of a route that reads nothing, on a broker, and what the journal knows of them."""

    def __init__(self, client: Client, log: NatsLog, root: Path) -> None:
        self.client = client
        self._log = log
        self.project = project(root)
        self.kept = {number: failed(number, 2) for number in range(1, SOME + 1)}
        self.states = {one.id: replace(STATE, id=one.id, ref=ref) for ref, one in self.kept.items()}
        self.lines: list[Entry] = []
        self.sends = NatsSends(client, lambda: self.project)
        self.acts = Acts(self.known, lambda: 1 << 60, self.sends)
        self.running = Replayer(Plans(MemoryRecords()), self, self.acts, self, self.sends, lambda: self.project)

    async def get(self, seq: int) -> DeadLetter | None:
        return self.kept[seq]

    def known(self, ids: Sequence[str]) -> Mapping[str, LetterState]:
        return {one: self.states[one] for one in ids}

    async def append(self, record: Record) -> Stored:
        return (await self.append_all([record]))[0]

    async def append_all(self, records: Sequence[Record]) -> list[Stored]:
        stored = await self._log.append_all(records)
        lines = [line for record in records if record.subject == SUBJECT for line in unpack(record.payload)]
        self.lines += lines
        for line in lines:
            after = letter_after(self.states[line.dead_letter], line)
            assert after is not None
            self.states[line.dead_letter] = after
        return stored

    async def replay(self, *numbers: int) -> list[Replayed]:
        states = [self.states[f"dl-{number}"] for number in numbers]
        return await replay_letters(states, self, self, self.acts, {"stock"}, dry_run=False)

    async def copies(self) -> int:
        of_routes = await page(self.client, EVENTS, 0, 100, ["replay.stock"])
        return len(of_routes) + len(await page(self.client, RAW, 1, 100))

    async def plan(self, **more: Any) -> Plan:
        return await self.running.plans.make(self.items(), "ann", "why", 10, **more)

    def items(self) -> list[Item]:
        return [Item(one.id, one.event_id, ref, 1) for ref, one in self.kept.items()]


@asynccontextmanager
async def site(url: str, root: Path) -> AsyncIterator[Site]:
    async with clean(url) as (client, made):
        await _consumers(made, root)
        acks = Acks(client)
        await acks.start()
        log = NatsLog(acks)
        await log.append(Record("raw.stores.tills", b"{}", "r"))
        yield Site(client, log, root)
        await acks.close()


async def _consumers(made: Topology, root: Path) -> None:
    for consumer in (PROCESS_CONSUMER, feed_consumer(0, 1, project(root).routes.values())):
        await made.consumer(consumer, 1)


def run(url: str, root: Path, scenario: Callable[[Site], Awaitable[None]]) -> None:
    async def act() -> None:
        async with site(url, root) as made:
            await scenario(made)

    asyncio.run(act())


@pytest.fixture
def short_window(monkeypatch: pytest.MonkeyPatch) -> float:
    """Let the broker forget what it has seen at once."""
    monkeypatch.setattr(topology, "REPEAT_WINDOW", 0.1)
    return 0.3


def test_of_replays_at_once_one_is_sent_and_the_others_are_told_of_it(nats_url: str, tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        done = [one for (one,) in await asyncio.gather(*(site.replay(1) for _ in range(3)))]
        assert [(one.outcome, one.reason) for one in done] == [("sent", ""), *[("skipped", UNDER_WAY)] * 2]
        assert (await site.copies(), [line.outcome for line in site.lines]) == (1, [entry.REPLAYED])

    run(nats_url, tmp_path, scenario)


def test_what_waits_for_longer_than_the_broker_knows_repeats_is_not_sent_again(
    nats_url: str, tmp_path: Path, short_window: float
) -> None:
    async def scenario(site: Site) -> None:
        await site.replay(1)
        await asyncio.sleep(short_window)
        (second,) = await site.replay(1)
        assert (second.outcome, second.reason, await site.copies()) == ("skipped", UNDER_WAY, 1)

    run(nats_url, tmp_path, scenario)


def test_a_replay_that_was_lost_is_sent_again_once_the_broker_does_not_take_it_for_a_repeat(
    nats_url: str, tmp_path: Path, short_window: float
) -> None:
    async def scenario(site: Site) -> None:
        await site.replay(1)
        (copy,) = await page(site.client, EVENTS, 0, 100, ["replay.stock"])
        await site.client.jetstream().delete_msg(EVENTS, copy.seq)
        await asyncio.sleep(short_window)
        (second,) = await site.replay(1)
        assert (second.outcome, await site.copies()) == ("sent", 1)

    run(nats_url, tmp_path, scenario)


def test_a_replay_that_the_broker_takes_for_a_repeat_does_not_say_that_it_was_sent(
    nats_url: str, tmp_path: Path
) -> None:
    async def scenario(site: Site) -> None:
        await site.replay(1)
        (copy,) = await page(site.client, EVENTS, 0, 100, ["replay.stock"])
        await site.client.jetstream().delete_msg(EVENTS, copy.seq)
        (second,) = await site.replay(1)
        assert (second.outcome, second.reason, await site.copies()) == ("skipped", TAKEN, 0)
        assert [line.outcome for line in site.lines] == [entry.REPLAYED, entry.REPLAYED, entry.WAITING]
        assert site.states["dl-1"].state == OPEN
        # nor does a plan
        plan = await site.plan()
        await site.running.start(plan)
        done = await ended(site.running, plan, "done")
        assert (done.sent, done.skipped, await site.copies()) == (SOME - 1, 1, SOME - 1)

    run(nats_url, tmp_path, scenario)


def test_what_came_home_while_it_was_looked_for_is_left_alone(nats_url: str, tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        recorded = replace(site.states["dl-1"], state=REPLAYING)
        site.states["dl-1"] = recorded
        arrived = iter([recorded, replace(recorded, state=RESOLVED)])
        site.acts._known = lambda _: {"dl-1": next(arrived)}
        (done,) = await site.replay(1)
        assert (done.outcome, done.reason, await site.copies()) == ("skipped", "it is resolved by now", 0)

    run(nats_url, tmp_path, scenario)


@pytest.mark.parametrize(
    "more", [{}, {"edit": "ed-1", "patch": PATCH}, {"from_stage": "raw"}], ids=["as it is", "patched", "from raw"]
)
def test_a_plan_that_was_paused_takes_nothing_for_its_own_that_others_sent_meanwhile(
    nats_url: str, tmp_path: Path, more: dict[str, Any]
) -> None:
    async def scenario(site: Site) -> None:
        # given a plan that was paused in order
        plan = await site.plan(**more)
        await site.running.start(plan)
        while not await site.copies():  # noqa: ASYNC110  only the broker knows
            await asyncio.sleep(0.01)
        paused = await site.running.stop(plan.id, "paused")
        assert paused is not None
        assert 0 < paused.sent < SOME
        # when somebody sends what is left, and it goes on
        left = [ref for ref, one in site.kept.items() if site.states[one.id].state == OPEN]
        assert [one.outcome for one in await site.replay(*left)] == ["sent"] * len(left)
        await site.running.start(paused)
        done = await ended(site.running, plan, "done")
        # then
        assert (done.sent, done.skipped, done.gone) == (paused.sent, len(left), 0)
        assert await site.copies() == SOME

    run(nats_url, tmp_path, scenario)


@pytest.mark.parametrize("state", ["paused", "running"])
def test_a_plan_whose_runner_was_killed_knows_what_it_sent_and_nothing_else(
    nats_url: str, tmp_path: Path, state: State
) -> None:
    async def scenario(site: Site) -> None:
        # given two that a runner sent and did not count, and one that somebody else sent
        plan = await site.plan()
        mark = await site.sends.newest()
        stored = await site.running.plans.put(replace(plan, state=state, runner="killed", mark=mark, begun=1))
        assert stored is not None
        killed = LetterSender(site, site.acts, Outbox(site, site.sends), lambda: site.project)
        assert await killed.send(stored, site.items()[:2], always, again=False) is not None
        await site.replay(3)
        # when
        if state == "paused":
            await site.running.start(stored)
        else:
            site.running.begin()
        done = await ended(site.running, plan, "done")
        # then
        assert (done.sent, done.skipped, await site.copies()) == (SOME - 1, 1, SOME)

    run(nats_url, tmp_path, scenario)
