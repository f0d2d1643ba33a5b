"""The last use of keys: noted on the hot path, told to the store in one go, kept while the store is away."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from crossdock.adapters.memory import MemoryUses
from crossdock.kernel.problems import Unavailable
from gateway import lastuse
from gateway.lastuse import LastUse


class SlowUses(MemoryUses):
    """A store that is away for the first calls, and says when it was asked."""

    def __init__(self, away: int = 0) -> None:
        super().__init__()
        self.away = away
        self.calls: list[dict[str, int]] = []
        self.called = asyncio.Event()
        self.during: Callable[[], None] = lambda: None

    async def note(self, used: Mapping[str, int]) -> None:
        self.calls.append(dict(used))
        self.called.set()
        self.during()
        if len(self.calls) <= self.away:
            raise Unavailable("away")
        await super().note(used)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lastuse, "EVERY", 0.01)


def test_uses_are_told_in_one_go_and_only_when_there_are_any() -> None:
    async def scenario() -> None:
        # given
        uses = SlowUses()
        noting = LastUse(uses)
        noting.start()
        # when
        for at in range(1, 1000):
            noting.used("aa", at)
        noting.used("bb", 5)
        await uses.called.wait()
        await noting.close()
        # then
        assert uses.calls == [{"aa": 999, "bb": 5}]

    asyncio.run(scenario())


def test_what_was_used_last_is_told_at_the_end() -> None:
    async def scenario() -> None:
        uses = SlowUses()
        noting = LastUse(uses)
        noting.start()
        noting.used("aa", 7)
        await noting.close()
        assert await uses.last() == {"aa": 7}

    asyncio.run(scenario())


def test_while_the_store_is_away_the_notes_wait_and_the_newest_counts() -> None:
    async def scenario() -> None:
        # given
        uses = SlowUses(away=1)
        noting = LastUse(uses)
        noting.start()
        noting.used("aa", 1)
        noting.used("bb", 1)
        await uses.called.wait()
        # when
        noting.used("aa", 2)
        await noting.close()
        # then
        assert await uses.last() == {"aa": 2, "bb": 1}

    asyncio.run(scenario())


def test_a_use_while_the_store_is_told_is_not_forgotten() -> None:
    async def scenario() -> None:
        # given
        uses = SlowUses()
        noting = LastUse(uses)
        uses.during = lambda: noting.used("aa", 2)
        noting.start()
        # when
        noting.used("aa", 1)
        await uses.called.wait()
        uses.during = lambda: None
        await noting.close()
        # then
        assert uses.calls == [{"aa": 1}, {"aa": 2}]

    asyncio.run(scenario())
