"""What a change of the content means to events that are on their way: their age, their attempts, their revision."""

import asyncio
from pathlib import Path

from crossdock.kernel.retry import Retry
from tests.pipeline.holdscene import HeldScene, closed_now
from tests.pipeline.scene import RETRY, LaneScene, Target


def test_a_change_of_the_route_restarts_neither_its_retries_nor_their_count(tmp_path: Path) -> None:
    scene = HeldScene(tmp_path, Target(lambda *_: RETRY), retry=Retry(age=60.0, first=30.0, most=30.0))

    async def act() -> None:
        # given an event that was tried once
        await scene.add("a")
        await scene.until(lambda: ("a", "retried") in scene.outcomes())
        # when the content changes a minute later
        scene.ahead = 70.0
        await scene.lane.settle()
        scene.lane.renew(scene.new_lane().attempts, None)
        # then it is given up after its next attempt
        await scene.until(lambda: scene.letters() != [])
        (letter,) = scene.letters()
        assert (letter.reason, letter.attempts) == ("retries_ended", 2)

    asyncio.run(scene.during(act))


def test_a_change_while_a_route_is_paused_leaves_it_paused(tmp_path: Path) -> None:
    scene = HeldScene(tmp_path, Target())

    async def act() -> None:
        scene.lane.pause(True)
        await scene.lane.settle()
        scene.lane.renew(scene.new_lane().attempts, None)
        assert scene.lane.state == "paused"

    asyncio.run(scene.during(act))


def test_what_is_discarded_does_not_wait_for_the_window(tmp_path: Path) -> None:
    scene = HeldScene(tmp_path, Target(), window=closed_now())

    async def act() -> None:
        # given
        for number in range(5):
            await scene.add(f"e{number}")
        # when
        scene.lane.discard()
        # then
        await scene.until(lambda: scene.outcomes() == [(f"e{number}", "discarded") for number in range(5)])
        assert scene.target.attempts == []

    asyncio.run(scene.during(act))


def test_what_is_discarded_does_not_wait_for_the_delay(tmp_path: Path) -> None:
    scene = HeldScene(tmp_path, Target(), delay=900.0)

    async def act() -> None:
        # given
        await scene.add("a")
        await scene.until(lambda: scene.inbox.unacknowledged() == [1])
        # when
        scene.lane.discard()
        await scene.add("b")
        # then
        await scene.until(lambda: sorted(scene.outcomes()) == [("a", "discarded"), ("b", "discarded")])

    asyncio.run(scene.during(act))


def test_an_attempt_counts_for_the_revision_by_which_it_began(tmp_path: Path) -> None:
    scene = LaneScene(tmp_path, Target())

    async def act() -> None:
        # given an attempt under way
        scene.target.open.clear()
        await scene.add("a")
        await scene.until(lambda: scene.target.under_way == 1)
        # when a revision comes that leaves the route as it is
        scene.lane.attempts.revision = "next"
        scene.target.open.set()
        await scene.settled(1)
        await scene.add("b")
        await scene.settled(2)
        # then
        assert [(line.id, line.revision) for line in scene.entries()] == [("a", "rev"), ("b", "next")]

    asyncio.run(scene.during(act))
