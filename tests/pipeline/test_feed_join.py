"""A route that joins the feed again: until its own consumer is given up, whatever happens loses nothing."""

import asyncio
from pathlib import Path

import pytest

from crossdock.adapters.memory import MemoryBacklogs, MemoryInbox
from crossdock.kernel.stream import Message
from tests.pipeline.feedscene import FeedScene, hasten
from tests.pipeline.scene import DELIVERED, RETRY, Target


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    hasten(monkeypatch, stale=1.0)


class Held(MemoryInbox):
    """A feed's inbox that hands out nothing while the test says so."""

    def __init__(self, scene: FeedScene) -> None:
        super().__init__(scene.events, scene.inbox._subjects)
        self._open = asyncio.Event()
        self._open.set()
        self._stands = asyncio.Event()

    async def stop(self) -> None:
        self._open.clear()
        await self._stands.wait()

    def go(self) -> None:
        self._open.set()
        self._stands.clear()

    async def fetch(self, limit: int, wait: float) -> list[Message]:
        if not self._open.is_set():
            self._stands.set()
        await self._open.wait()
        return await super().fetch(limit, wait)


class Joining(FeedScene):
    """Two routes; `first` has joined the feed while `b` of its own consumer is still on its way."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, {"first": Target(), "second": Target()})
        self.feed = self.inbox = Held(self)

    @property
    def own(self) -> MemoryInbox:
        return self.backlogs.inboxes["first"]

    async def joined(self) -> None:
        first = self.lanes["first"]
        await self.add("a")
        await self.settled("a")
        first.pause(True)
        await self.add("b")
        await self.until(lambda: not first.following)
        self.targets["first"].open.clear()
        first.pause(False)
        await self.until(lambda: first.following)
        assert self.own.unacknowledged() == [2]


def test_a_worker_that_dies_loses_nothing(tmp_path: Path) -> None:
    scene = Joining(tmp_path)

    async def life() -> None:
        await scene.joined()
        await scene.add("c")
        await scene.until(lambda: scene.lanes["first"].knows(3) and scene.own.handed_out == 3)

    async def successor() -> None:
        scene.targets["first"].open.set()
        scene.inbox.redeliver()
        scene.own.redeliver()
        await scene.settled("a", "b", "c")

    asyncio.run(scene.during(life, grace=0.01, hands_over=False))
    asyncio.run(scene.during(successor))


def test_a_route_that_falls_behind_again_gets_what_its_consumer_had_read_already(tmp_path: Path) -> None:
    scene = Joining(tmp_path)

    async def life() -> None:
        # given an own consumer that has read on while the feed stands still
        await scene.joined()
        await scene.feed.stop()
        await scene.add("c")
        await scene.until(lambda: scene.own.handed_out == 3)
        # when the delivery on its way takes too long
        await scene.until(lambda: not scene.lanes["first"].following)
        scene.feed.go()
        # then
        await scene.until(lambda: scene.final("second") == ["a", "b", "c"])
        scene.targets["first"].open.set()
        await scene.settled("a", "b", "c")
        await scene.until(lambda: scene.backlogs.inboxes == {})

    asyncio.run(scene.during(life))
    assert scene.targets["first"].arrived == ["a", "b", "c"]


def test_the_own_consumer_stays_until_all_that_was_read_from_it_is_done(tmp_path: Path) -> None:
    # given a target that does not take `b` yet
    back = asyncio.Event()
    target = Target(lambda event, _: RETRY if event.id == "b" and not back.is_set() else DELIVERED)
    scene = FeedScene(tmp_path, {"first": target, "second": Target()})
    scene.breakers["first"]._minimum = 10**9
    held = scene.inbox = Held(scene)

    async def life() -> None:
        # and a route that has read further than the feed
        first = scene.lanes["first"]
        first.pause(True)
        await scene.add("a")
        await scene.until(lambda: not first.following)
        await held.stop()
        await scene.add("b")
        first.pause(False)
        # when it joins, and the feed comes to what it has
        await scene.until(lambda: first.following and scene.final("first") == ["a"])
        held.go()
        await scene.until(lambda: scene.final("second") == ["a", "b"] and not scene.inbox.unacknowledged())
        # then its own consumer still stands for that
        assert scene.backlogs.inboxes["first"].unacknowledged() == [2]
        back.set()
        await scene.settled("a", "b")
        await scene.until(lambda: scene.backlogs.inboxes == {})

    asyncio.run(scene.during(life))
    assert scene.final("first") == ["a", "b"]


def test_a_route_that_falls_behind_while_its_consumer_is_being_given_up_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a broker that is asked whether the own consumer is done, and takes its time to say yes
    asked, answer = asyncio.Event(), asyncio.Event()

    async def done(_inbox: MemoryInbox, _seq: int, _in_hand: object) -> bool:
        asked.set()
        await answer.wait()
        return True

    monkeypatch.setattr(MemoryInbox, "done", done)
    scene = FeedScene(tmp_path, {"first": Target(), "second": Target()})

    async def life() -> None:
        first = scene.lanes["first"]
        first.pause(True)
        await scene.add("a")
        await scene.until(lambda: not first.following)
        first.pause(False)
        await asked.wait()
        own = scene.backlogs.inboxes["first"]
        # when the route is paused meanwhile, and the next event comes
        first.pause(True)
        await scene.add("b")
        answer.set()
        await scene.until(lambda: scene.backlogs.inboxes.get("first") is not own)
        await scene.until(lambda: "b" in scene.final("second"))
        # then it has a consumer that brings it the event
        assert first.has_own
        first.pause(False)
        await scene.settled("a", "b")

    asyncio.run(scene.during(life))
    assert scene.targets["first"].arrived == ["a", "b"]


@pytest.mark.parametrize("act", ["open", "drop"])
def test_the_others_get_their_events_while_the_broker_takes_its_time_with_the_consumer_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    # given a broker that makes or removes the consumer of a route when it likes
    asked, answer = asyncio.Event(), asyncio.Event()
    at_once = getattr(MemoryBacklogs, act)

    async def at_leisure(*arguments: object) -> object:
        asked.set()
        await answer.wait()
        return await at_once(*arguments)

    monkeypatch.setattr(MemoryBacklogs, act, at_leisure)
    scene = FeedScene(tmp_path, {"first": Target(), "second": Target()})

    async def life() -> None:
        # when that route falls behind, or follows the feed again
        first = scene.lanes["first"]
        first.pause(True)
        await scene.add("a")
        if act == "drop":
            await scene.until(lambda: not first.following)
            first.pause(False)
        await asked.wait()
        await scene.add("b")
        await scene.add("c")
        # then the other one goes on
        try:
            await scene.until(lambda: scene.targets["second"].arrived == ["a", "b", "c"])
        finally:
            answer.set()
        first.pause(False)
        await scene.settled("a", "b", "c")

    asyncio.run(scene.during(life))
    assert sorted(scene.targets["first"].arrived) == ["a", "b", "c"]
    assert sorted(scene.final("first")) == ["a", "b", "c"]
