"""What a lane sends first to a target that may be well again."""

import asyncio
from pathlib import Path

import pytest

from crossdock.pipeline import lane
from tests.pipeline.scene import DELIVERED, RETRY, LaneScene, Target


def test_the_probe_of_a_breaker_that_some_keys_opened_is_another_delivery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "PULL_WAIT", 0.01)
    target = Target(lambda event, attempt: DELIVERED if event.id == "new" else RETRY)
    scene = LaneScene(tmp_path, target, ordered=False, in_flight=64)

    async def act() -> None:
        for number in range(12):
            await scene.add(str(number))
        await scene.until(lambda: scene.lane.state == "open")
        before = len(target.attempts)
        await scene.add("new")
        await scene.until(lambda: len(scene.inbox.unacknowledged()) == 13)
        scene.clock[0] += 2
        await scene.until(lambda: "new" in target.arrived)
        assert target.attempts[before] == "new"

    asyncio.run(scene.during(act))
