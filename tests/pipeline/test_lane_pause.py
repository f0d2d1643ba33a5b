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
