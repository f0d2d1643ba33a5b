"""A plan whose store did not answer when it was begun is not forgotten, and one that was cancelled is."""

import asyncio
from dataclasses import replace

import pytest

from crossdock.adapters.memoryrecords import MemoryRecords
from crossdock.kernel.problems import Unavailable
from crossdock.pipeline import replayer
from tests.pipeline.test_replayer import Site, ended


class Doubtful(MemoryRecords):
    """Records that store what they are given and once say that they do not answer."""

    away = False

    async def put(self, name: str, stored: bytes, version: int) -> int | None:
        made = await super().put(name, stored, version)
        if self.away:
            self.away = False
            raise Unavailable("nats: away")
        return made


@pytest.mark.parametrize("by", ["a person", "the next process"])
def test_a_plan_that_was_begun_and_whose_store_did_not_answer_is_sent_all_the_same(by: str) -> None:
    async def scenario() -> None:
        site = Site(20)
        site.records_of_plans = records = Doubtful()
        first = site.opened()
        plan = await site.plan(first)
        if by == "a person":
            running, records.away = first, True
            with pytest.raises(Unavailable):
                await running.start(plan)
        else:
            await first.plans.put(replace(plan, state="running", runner="killed"))
            running, records.away = site.opened(), True
            running.begin()
        done = await ended(running, plan, "done")
        assert (done.sent, site.sent()) == (20, sorted(site.states))
        await running.close()

    asyncio.run(scenario())


def test_nothing_is_kept_in_mind_of_a_plan_that_failed_and_was_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replayer, "AWAY", 0.001)

    async def scenario() -> None:
        site = Site(3)
        running = site.opened()
        plan = await site.plan(running)
        site.states.clear()  # the journal is being built again
        await running.start(plan)
        while not running._cut:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await running.stop(plan.id, "cancelled")
        assert running._cut == set()

    asyncio.run(scenario())
