"""Routes that hold their events back: a window in which the target is closed, a delay."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.pipeline.feedscene import FeedScene, hasten
from tests.pipeline.holdscene import HOUR, HeldScene, closed_now
from tests.pipeline.scene import DELIVERED, RETRY, Target
from tests.realservers import until


def test_while_the_window_is_closed_nothing_is_tried_and_nothing_more_is_read(tmp_path: Path) -> None:
    scene = HeldScene(tmp_path, Target(), window=closed_now())

    async def act() -> None:
        # given
        for number in range(5):
            await scene.add(f"e{number}")
        # when
        await asyncio.sleep(0.3)
        # then
        assert scene.target.attempts == [] and scene.inbox.unacknowledged() == []
        assert scene.lane.state.startswith("closed until ") and scene.lane.state.endswith("+00:00")
        # and when it opens, all go in their order
        scene.ahead = HOUR + 5
        await scene.arrived([f"e{number}" for number in range(5)])
        assert scene.lane.state == "closed"  # the breaker's word for well
        await scene.settled(5)

    asyncio.run(scene.during(act))


def test_a_window_that_closes_while_events_wait_lets_none_of_them_through(tmp_path: Path) -> None:
    target = Target(lambda event, attempt: RETRY if event.id == "a" and attempt == 1 else DELIVERED)
    scene = HeldScene(tmp_path, target, window=closed_now(-HOUR, 2 * HOUR))  # in an hour, for an hour

    async def act() -> None:
        # given
        target.open.clear()
        await scene.add("a", location="a")
        await scene.add("b", location="a")
        await scene.until(lambda: target.under_way == 1)
        # when
        scene.ahead = HOUR + 5
        target.open.set()
        await scene.until(lambda: ("a", "retried") in scene.outcomes())
        await asyncio.sleep(0.3)
        # then
        assert target.attempts == ["a"]
        scene.ahead = 2 * HOUR + 5
        await scene.arrived(["a", "b"])

    asyncio.run(scene.during(act))


def test_what_waited_for_the_window_goes_at_the_rate_of_the_drain_and_news_as_they_come(tmp_path: Path) -> None:
    scene = HeldScene(tmp_path, Target(), ordered=False, window=closed_now(drain=50))

    async def act() -> None:
        # given
        for number in range(20):
            await scene.add(f"e{number}")
        begin = time.monotonic()
        # when
        scene.ahead = HOUR + 5
        await scene.settled(20)
        # then
        assert time.monotonic() - begin >= 19 / 50
        assert not scene.lane.attempts.hold.drains(scene.time())

    asyncio.run(scene.during(act))


def test_a_closed_window_does_not_age_deliveries(tmp_path: Path) -> None:
    scene = HeldScene(tmp_path, Target(lambda _, attempt: RETRY if attempt < 3 else DELIVERED), window=closed_now())

    async def act() -> None:
        # given an event whose retries would end long before the window opens
        await scene.add("a")
        # when
        scene.ahead = HOUR + 5
        # then
        await scene.arrived(["a"])
        assert scene.letters() == []

    asyncio.run(scene.during(act))


def test_the_next_worker_holds_what_the_last_one_held(tmp_path: Path) -> None:
    scene = HeldScene(tmp_path, Target(), window=closed_now())

    async def first() -> None:
        await scene.add("a")
        await scene.add("b")
        await asyncio.sleep(0.1)

    async def second() -> None:
        await asyncio.sleep(0.1)
        assert scene.target.attempts == []
        scene.ahead = HOUR + 5
        await scene.arrived(["a", "b"])

    asyncio.run(scene.during(first))
    scene.inbox.redeliver()
    scene.lane = scene.new_lane()
    asyncio.run(scene.during(second))


def test_a_delayed_event_waits_in_the_order_of_the_stream_and_unread_ones_wait_at_the_broker(tmp_path: Path) -> None:
    scene = HeldScene(tmp_path, Target(), delay=900.0)

    async def act() -> None:
        # given
        for number in range(1500):
            await scene.add(f"e{number}")
        # when
        await scene.until(lambda: len(scene.inbox.unacknowledged()) == 1000)
        await asyncio.sleep(0.2)
        # then
        assert scene.target.attempts == [] and len(scene.inbox.unacknowledged()) == 1000
        assert len(scene.lane.attempts.held) == 0
        scene.ahead = 905.0
        await scene.settled(1500)
        assert scene.target.arrived == [f"e{number}" for number in range(1500)]

    asyncio.run(scene.during(act))


def test_a_closed_route_falls_behind_and_holds_up_none_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasten(monkeypatch, 5.0)
    scene = FeedScene(tmp_path, {"erp": Target(), "wms": Target()})
    scene.routes["erp"] = replace(scene.routes["erp"], window=closed_now())

    async def act() -> None:
        for number in range(300):
            await scene.add(f"e{number}")
        await scene.until(lambda: len(scene.targets["wms"].arrived) == 300)
        assert scene.targets["erp"].attempts == []
        await until(lambda: not scene.inbox.unacknowledged(), within=5)
        # when
        scene.lanes["erp"].attempts.hold.clock = lambda: time.time() + HOUR + 5
        await scene.settled(*(f"e{number}" for number in range(300)))
        # then
        assert sorted(scene.targets["erp"].arrived) == sorted(f"e{number}" for number in range(300))
        await scene.until(lambda: scene.lanes["erp"].following)

    asyncio.run(scene.during(act))
