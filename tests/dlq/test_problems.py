"""What people say of a problem: kept, changed by many at once, and undone by a dead letter that comes later."""

import asyncio

import pytest

from crossdock.adapters.memoryrecords import MemoryRecords
from dlq import problems
from dlq.problems import IGNORED, OPEN, RESOLVED, Change, Mark, Marks, state_of


@pytest.mark.parametrize(
    ("mark", "failed", "expected"),
    [
        (Mark(), 0, (OPEN, False)),
        (Mark(RESOLVED, at=10), 0, (RESOLVED, False)),
        (Mark(RESOLVED, at=10), 10, (RESOLVED, False)),
        (Mark(RESOLVED, at=10), 11, (OPEN, True)),
        (Mark("acknowledged", at=10), 11, ("acknowledged", False)),
        (Mark(IGNORED, at=10), 11, (IGNORED, False)),
    ],
)
def test_only_what_was_resolved_opens_again_and_only_by_a_later_failure(
    mark: Mark, failed: int, expected: tuple[str, bool]
) -> None:
    assert state_of(mark, failed) == expected


def test_a_change_leaves_what_it_does_not_name_and_adds_its_note() -> None:
    async def scenario() -> None:
        marks = Marks(MemoryRecords())
        await marks.change("pr-1", Change(state="acknowledged", owner="ann", due=5, note="asked the ERP team"), "bob")
        changed = await marks.change("pr-1", Change(due=0, note="they know"), "ann")
        assert (changed.state, changed.owner, changed.due) == ("acknowledged", "ann", 0)
        assert [(one.who, one.text) for one in changed.notes] == [("bob", "asked the ERP team"), ("ann", "they know")]
        assert await marks.all() == {"pr-1": changed}

    asyncio.run(scenario())


def test_of_two_who_write_at_once_none_is_overwritten() -> None:
    class Slow(MemoryRecords):
        async def get(self, name: str) -> tuple[bytes, int] | None:
            found = await super().get(name)
            await asyncio.sleep(0)
            return found

    async def scenario() -> None:
        marks = Marks(Slow())
        await asyncio.gather(*(marks.change("pr-1", Change(note=str(n)), "ann") for n in range(5)))
        assert sorted(one.text for one in (await marks.all())["pr-1"].notes) == list("01234")

    asyncio.run(scenario())


def test_the_last_notes_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problems, "MOST_NOTES", 2)

    async def scenario() -> None:
        marks = Marks(MemoryRecords())
        for n in range(4):
            await marks.change("pr-1", Change(note=str(n)), "ann")
        assert [one.text for one in (await marks.all())["pr-1"].notes] == ["2", "3"]

    asyncio.run(scenario())
