"""A lane that a person paused."""

import asyncio
from pathlib import Path

from crossdock.kernel.retry import Retry
from tests.pipeline.scene import DELIVERED, RETRY, LaneScene, Target


def test_a_paused_lane_makes_no_attempt_with_what_it_holds(tmp_path: Path) -> None:
    scene = LaneScene(
        tmp_path,
        Target(lambda event, _: RETRY if event.id == "a" else DELIVERED),
        retry=Retry(age=60.0, first=0.05, most=0.05),
    )

    async def act() -> None:
        # given
        await scene.add("a", location="a")
        await scene.until(lambda: len(scene.target.attempts) >= 2)
        # when
        scene.lane.pause(True)
        await scene.add("b", location="b")
        await scene.until(lambda: scene.target.under_way == 0)
        before = len(scene.target.attempts)
        await asyncio.sleep(0.2)  # four times the pause between two attempts
        # then
        assert len(scene.target.attempts) <= before + 1
        scene.lane.pause(False)
        await scene.until(lambda: "b" in scene.target.attempts and len(scene.target.attempts) > before + 2)

    asyncio.run(scene.during(act))


def test_nothing_grows_too_old_while_its_lane_is_paused(tmp_path: Path) -> None:
    scene = LaneScene(tmp_path, Target(lambda *_: RETRY), retry=Retry(age=0.3, first=0.05, most=0.05))

    async def act() -> None:
        # given a delivery that waits for an open breaker
        for _ in range(10):
            scene.breaker.record(False)
        await scene.add("a")
        await scene.until(lambda: scene.inbox.unacknowledged() == [1])
        await asyncio.sleep(0)
        scene.lane.pause(True)
        # when
        await asyncio.sleep(0.6)  # twice the age at which retries end
        # then
        assert scene.letters() == []
        scene.lane.pause(False)
        await scene.until(lambda: len(scene.letters()) == 1)

    asyncio.run(scene.during(act))
