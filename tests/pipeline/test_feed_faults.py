"""The shared feed when something goes wrong beside it: a dead predecessor, a consumer that stays, a broken answer."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from crossdock.adapters.memory import MemoryInbox
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Inbox
from crossdock.pipeline.delivery import Delivery
from routes.spec import Route
from tests.pipeline.feedscene import FeedScene, hasten
from tests.pipeline.scene import RETRY, Target


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    hasten(monkeypatch, stale=0.05)


def test_what_is_ready_in_the_moment_in_which_the_last_runner_ends_is_tried(tmp_path: Path) -> None:
    scene = FeedScene(tmp_path, {"one": Target()})
    scene.routes["one"] = replace(scene.routes["one"], in_flight=1)

    async def act() -> None:
        await scene.add("a")
        await scene.settled("a")
        tried = scene.lanes["one"].attempts
        first, second = (
            Delivery(scene.events.message(1)._replace(seq=n), Event(str(n), "/till", "x")) for n in (1001, 1002)
        )
        deliver = tried._deliver

        async def then_another(delivery: Delivery) -> None:
            await deliver(delivery)
            if delivery is first:
                asyncio.get_running_loop().call_soon(tried.take, second)

        tried._runners._act = then_another
        tried.take(first)
        await scene.until(lambda: scene.targets["one"].arrived == ["a", "1001", "1002"])

    asyncio.run(scene.during(act))


def test_what_a_dead_worker_had_in_hand_reaches_a_route_that_fell_behind_before_it_came_again(tmp_path: Path) -> None:
    scene = FeedScene(tmp_path, {"first": Target(), "second": Target()})

    async def act() -> None:
        # given a route that falls behind from a later event
        scene.lanes["first"].pause(True)
        await scene.add("b")
        await scene.until(lambda: not scene.lanes["first"].following and scene.final("second") == ["b"])
        # when the broker's patience with the dead worker ends
        scene.inbox.redeliver()
        await scene.until(lambda: scene.final("second") == ["b", "a"] and not scene.inbox.unacknowledged())
        scene.lanes["first"].pause(False)
        # then
        await scene.until(lambda: sorted(scene.final("first")) == ["a", "b"])

    async def scenario() -> None:
        await scene.add("a")
        await scene.inbox.fetch(10, 0.1)
        await scene.during(act)

    asyncio.run(scenario())


def test_a_route_joins_only_when_all_that_a_dead_worker_held_of_its_own_consumer_has_come_again(tmp_path: Path) -> None:
    scene = FeedScene(tmp_path, {"first": Target(), "second": Target()})
    ids = [f"n{number}" for number in range(5)]

    async def first_worker() -> None:
        # given a route that is behind, with all in hand of its own consumer
        scene.targets["first"].open.clear()
        scene.lanes["first"].pause(True)
        for id_ in ids:
            await scene.add(id_)
        await scene.until(lambda: len(scene.final("second")) == 5 and not scene.inbox.unacknowledged())
        scene.lanes["first"].pause(False)
        await scene.until(lambda: len(scene.backlogs.inboxes["first"].unacknowledged()) == 5)

    async def successor() -> None:
        # when the broker hands out one of them again before the others
        own = scene.backlogs.inboxes["first"]
        scene.targets["first"].open.set()
        own._again.append(2)
        await scene.add("later")
        await scene.until(lambda: "n1" in scene.final("first") and "later" in scene.final("second"))
        await asyncio.sleep(0.1)
        own._again.extend(seq for seq in (1, 3, 4, 5) if seq in own.unacknowledged())
        # then
        await scene.settled(*ids, "later")

    async def scenario() -> None:
        await scene.during(first_worker, grace=0.01, hands_over=False)
        await scene.during(successor)

    asyncio.run(scenario())
    assert set(scene.targets["first"].arrived) == {*ids, "later"}


def test_an_own_consumer_that_could_not_be_removed_is_removed_later_and_repeats_nothing(tmp_path: Path) -> None:
    scene = FeedScene(tmp_path, {"first": Target(), "second": Target()})
    failed: list[Route] = []
    drop = scene.backlogs.drop

    async def fails_once(route: Route, inbox: Inbox | None) -> None:
        if not failed:
            failed.append(route)
            raise Unavailable("nats: TimeoutError")
        await drop(route, inbox)

    scene.backlogs.drop = fails_once  # type: ignore[method-assign,assignment]
    ids = ["a", *(f"n{number}" for number in range(50))]

    async def act() -> None:
        scene.lanes["first"].pause(True)
        await scene.add("a")
        await scene.until(lambda: not scene.lanes["first"].following)
        scene.lanes["first"].pause(False)
        for id_ in ids[1:]:
            await scene.add(id_)
        await scene.settled(*ids)
        await scene.until(lambda: bool(failed) and scene.backlogs.inboxes == {})

    async def nothing() -> None:
        await scene.add("last")
        await scene.settled("last")

    async def scenario() -> None:
        await scene.during(act)
        await scene.during(nothing)

    asyncio.run(scenario())
    assert sorted(scene.targets["first"].arrived) == sorted([*ids, "last"])


def test_a_consumer_whose_making_was_not_answered_does_not_stay(tmp_path: Path) -> None:
    scene = FeedScene(tmp_path, {"first": Target(), "second": Target()})
    open_, asked = scene.backlogs.open, asyncio.Event()

    async def unanswered(route: Route, since: int) -> MemoryInbox:
        await open_(route, since)
        scene.targets["first"].open.set()  # meanwhile the delivery that was stuck is done
        asked.set()
        raise Unavailable("nats: TimeoutError")

    scene.backlogs.open = unanswered  # type: ignore[method-assign]

    async def act() -> None:
        scene.targets["first"].open.clear()
        await scene.add("a")
        await asked.wait()
        await scene.until(lambda: scene.final("first") == ["a"] and scene.backlogs.inboxes == {})
        assert scene.lanes["first"].following

    asyncio.run(scene.during(act))


def test_a_stop_leaves_the_unfinished_to_its_route_and_repeats_nothing_to_the_others(tmp_path: Path) -> None:
    healthy, dead = Target(), Target(lambda *_: RETRY)
    scene = FeedScene(tmp_path, {"healthy": healthy, "dead": dead}, {"dead": "$event.id = '1'"}, ordered=True)
    scene.breakers["dead"]._minimum = 10**9

    async def first_worker() -> None:
        await scene.add("1")
        await scene.add("2")
        await scene.until(lambda: scene.final("healthy") == ["1", "2"])

    async def second_worker() -> None:
        scene.inbox.redeliver()
        for inbox in scene.backlogs.inboxes.values():
            inbox.redeliver()
        dead.behaviour = healthy.behaviour
        await scene.until(lambda: dead.arrived == ["1"] and scene.backlogs.inboxes == {})

    async def scenario() -> None:
        await scene.during(first_worker)
        assert scene.inbox.unacknowledged() == []
        await scene.during(second_worker)

    asyncio.run(scenario())
    assert healthy.arrived == ["1", "2"]


def test_an_error_nobody_foresaw_ends_the_feed_so_that_its_worker_begins_anew(tmp_path: Path) -> None:
    scene = FeedScene(tmp_path, {"first": Target(), "second": Target()})

    async def breaks(_: Route, __: int) -> MemoryInbox:
        raise KeyError("config")

    scene.backlogs.open = breaks  # type: ignore[method-assign,assignment]

    async def act() -> None:
        scene.targets["first"].open.clear()
        await scene.add("a")
        await scene.until(scene.running[0].done)
        assert isinstance(scene.running[0].exception(), ExceptionGroup)

    asyncio.run(scene.during(act, grace=0.05, hands_over=False))
