"""What operators are shown of a lane: which keys wait, behind which event, and why."""

import asyncio
from pathlib import Path

from crossdock.kernel.retry import Retry
from crossdock.pipeline.told import told
from tests.pipeline.scene import DELIVERED, RETRY, LaneScene, Target


def test_a_key_that_waits_behind_a_failing_event_is_shown_with_that_event_and_its_reason(tmp_path: Path) -> None:
    target = Target(lambda event, _: RETRY if event.id == "a1" else DELIVERED)
    scene = LaneScene(tmp_path, target, retry=Retry(60.0, 60.0, 60.0))

    async def act() -> None:
        for id_, location in (("a1", "A"), ("a2", "A"), ("a3", "A"), ("b1", "B")):
            await scene.add(id_, location)
        await scene.until(lambda: told(scene.lane)["parked_keys"] == 1 and told(scene.lane)["held"] == 3)
        shown = told(scene.lane)
        (key,) = shown["parked"]
        assert (key["key"], key["event_id"], key["why"], key["behind"]) == ("A", "a1", "HTTP 503", 2)
        assert (shown["breaker"], shown["waiting"]) == ("closed", 3)

    asyncio.run(scene.during(act))
