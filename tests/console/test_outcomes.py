"""What came of a plan, item by item, wherever the items of its selection stand."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from console import outcomes
from console.desk import Desk
from console.outcomes import Outcomes
from crossdock.adapters.memoryrecords import MemoryRecords
from crossdock.adapters.sql import SqlJournal
from dlq import plans
from journal import entry
from tests.console.opsmade import DEAD


def test_a_plan_of_letters_with_long_ids_is_told_to_its_last_item(monkeypatch: pytest.MonkeyPatch) -> None:
    # given 2,000 that were sent, of which the journal knows the outcome, in records of 500
    monkeypatch.setattr(outcomes, "AT_ONCE", 3)
    letters = [DEAD._replace(dead_letter=f"dl-{n}", id=f"{n:>01000}", at=n + 1) for n in range(2000)]
    ended_as = [line._replace(outcome=entry.DELIVERED) for line in letters[:1990]]

    async def scenario() -> None:
        journal, kept = SqlJournal("sqlite://"), plans.Plans(MemoryRecords())
        journal.project([*letters, *ended_as], 1)
        items = [plans.Item(line.dead_letter, line.id, line.ref, 1) for line in letters]
        plan = replace(await kept.make(items, "ann", "why", 10), done=2000)
        told = Outcomes(cast(Desk, SimpleNamespace(journal=journal, replayer=SimpleNamespace(plans=kept))))
        # when
        report = {}
        for _ in range(2):  # what is settled is not looked at again
            report = await told.report(plan)
        still, after = list[int](), 0
        while after or not still:
            page, after = await told.page(plan, "still_open", after, 3)
            still += [one.place for one in page]
        # then
        sums = {"target": "stock", "delivered": 1990, "still_open": 10}
        assert (plan.piece, report) == (500, {"counted": 2000, "targets": [sums]})
        assert still == [*range(1990, 2000)]
        journal.close()

    asyncio.run(scenario())
