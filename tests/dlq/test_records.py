"""Plans, approvals and marks as they are stored: none is too large, and one that nobody can read stops no list."""

import asyncio
import json

import pytest

from crossdock.adapters.memoryrecords import MemoryRecords
from crossdock.kernel.problems import Unavailable
from dlq.approvals import Approvals
from dlq.plans import Item, Past, Plans
from dlq.problems import Change, Marks


async def make_later(records: MemoryRecords, name: str) -> None:
    """Let a later version of Crossdock write a record again."""
    stored, version = await records.get(name) or (b"", 0)
    await records.put(name, json.dumps(json.loads(stored) | {"colour": "red"}).encode(), version)


def test_a_selection_of_many_gives_way_to_others_while_it_is_written() -> None:
    async def scenario() -> None:
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        working = asyncio.create_task(others())
        await Plans(MemoryRecords()).make([Past(seq, seq) for seq in range(50_000)], "ann", "", 100)
        working.cancel()
        assert turns >= 40

    asyncio.run(scenario())


@pytest.mark.parametrize("letters", [2, 1000, 20_000, 800_000])
def test_the_selection_of_a_plan_is_stored_in_parts_however_long_its_ids_are(letters: int) -> None:
    async def scenario() -> None:
        plans = Plans(MemoryRecords())
        number = min(2500, 2_000_000 // letters + 7)
        items = [Item(f"dl-{seq}", f"{seq}-{'e' * letters}", seq, 1) for seq in range(number)]
        plan = await plans.make(items, "ann", "", 100)
        for after in (0, 1, plan.piece - 1, plan.piece, len(items) - 1):
            found = [item async for part in plans.items(plan, after) for item in part]
            assert found == items[after:]

    asyncio.run(scenario())


def test_a_plan_of_a_later_version_is_listed_and_nobody_here_goes_on_with_it() -> None:
    async def scenario() -> None:
        records = MemoryRecords()
        plans = Plans(records)
        made, other = await plans.make([], "ann", "", 100), await plans.make([], "bob", "", 100)
        await make_later(records, f"plan.{made.id}")
        assert {plan.id: plan.state for plan in await plans.all()} == {made.id: "foreign", other.id: "planned"}
        before = await records.get(f"plan.{made.id}")
        turned = await plans.turn(made.id, "cancelled")
        assert turned is not None and turned.state == "foreign"
        assert await records.get(f"plan.{made.id}") == before

    asyncio.run(scenario())


def test_an_approval_of_a_later_version_is_listed_and_is_not_open() -> None:
    async def scenario() -> None:
        records = MemoryRecords()
        approvals = Approvals(records)
        asked = await approvals.ask("discard", "ann", "old", 700, {}, {})
        await make_later(records, asked.id)
        assert [one.state for one in await approvals.all()] == ["foreign"]

    asyncio.run(scenario())


def test_what_people_say_of_a_problem_is_read_whatever_a_later_version_adds() -> None:
    async def scenario() -> None:
        records = MemoryRecords()
        marks = Marks(records)
        await marks.change("pr-1", Change(state="ignored", note="theirs"), "ann")
        await make_later(records, "pr-1")
        assert (await marks.all())["pr-1"].state == "ignored"
        # but nobody here writes over it
        before = await records.get("pr-1")
        with pytest.raises(Unavailable, match="later version"):
            await marks.change("pr-1", Change(state="open"), "bob")
        assert await records.get("pr-1") == before

    asyncio.run(scenario())


@pytest.mark.parametrize("stored", [b"", b"[]", b"7", b"{}", b'{"id":1}', b'{"notes":7}'])
def test_a_record_that_nobody_can_read_stops_no_list_and_says_so_where_it_is_asked_for(stored: bytes) -> None:
    async def scenario() -> None:
        records, others = MemoryRecords(), MemoryRecords()
        plans, approvals, marks = Plans(records), Approvals(others), Marks(others)
        plan = await plans.make([], "ann", "", 100)
        await records.put("plan.rp-0", stored, 0)
        await others.put("ap-0", stored, 0)
        assert [one.id for one in await plans.all()] == [plan.id]
        assert (await approvals.all(), await marks.all()) == ([], {})
        for get in (plans.get("rp-0"), approvals.get("ap-0"), marks.change("ap-0", Change(note="x"), "ann")):
            with pytest.raises(Unavailable, match="cannot be read"):
                await get

    asyncio.run(scenario())
