"""Deliveries that end without the target: what is too old for its route, what a tap could not send."""

import asyncio
from pathlib import Path

from tests.pipeline.holdscene import HOUR, HeldScene, closed_now
from tests.pipeline.scene import DELIVERED, PERMANENT, RETRY, Target


def test_a_replay_is_not_delayed_and_does_not_expire(tmp_path: Path) -> None:
    scene = HeldScene(tmp_path, Target(), delay=900.0, expire=3600.0)

    async def act() -> None:
        await scene.add("new")
        await scene.replay("old", origin=1, age=2 * HOUR)
        await scene.arrived(["old"])

    asyncio.run(scene.during(act))


def test_an_event_that_is_too_old_becomes_a_dead_letter_and_the_next_of_its_key_goes_on(tmp_path: Path) -> None:
    scene = HeldScene(tmp_path, Target(), expire=HOUR)

    async def act() -> None:
        # when
        await scene.add_old("old", HOUR + 60)
        await scene.add_old("young", HOUR - 60)
        await scene.add("timeless")
        await scene.settled(3)
        # then
        assert scene.target.attempts == ["young", "timeless"]
        (letter,) = scene.letters()
        assert (letter.event_id, letter.reason) == ("old", "expired")
        assert letter.detail == "older than 1h (a replay sends it all the same)"

    asyncio.run(scene.during(act))


def test_an_event_that_grows_too_old_between_two_attempts_is_not_tried_again(tmp_path: Path) -> None:
    scene = HeldScene(tmp_path, Target(lambda *_: RETRY), expire=HOUR)

    async def act() -> None:
        await scene.add_old("a", HOUR - 0.4)
        await scene.settled(1)
        (letter,) = scene.letters()
        assert letter.reason == "expired" and letter.detail.startswith("older than 1h; HTTP 503 (")
        assert letter.attempts == len(scene.target.attempts) > 1

    asyncio.run(scene.during(act))


def test_what_expires_behind_a_closed_window_is_listed_and_the_rest_is_sent(tmp_path: Path) -> None:
    scene = HeldScene(tmp_path, Target(), window=closed_now(), expire=HOUR)

    async def act() -> None:
        # given
        await scene.add_old("old", HOUR / 2)
        await scene.add_old("young", -HOUR / 2)  # a till whose clock is ahead
        # when
        scene.ahead = HOUR + 5
        await scene.settled(2)
        # then
        assert scene.target.attempts == ["young"]
        assert [letter.reason for letter in scene.letters()] == ["expired"]

    asyncio.run(scene.during(act))


def test_a_tap_that_cannot_send_drops_and_leaves_no_dead_letter(tmp_path: Path) -> None:
    behaviour = Target(lambda event, _: PERMANENT if event.id == "a" else DELIVERED)
    scene = HeldScene(tmp_path, behaviour, tap=True)

    async def act() -> None:
        await scene.add("a")
        await scene.add("b")
        await scene.until(lambda: not scene.inbox.unacknowledged() and "b" in scene.target.arrived)
        assert scene.letters() == []
        said = {line.id: (line.outcome, line.reason, line.detail) for line in scene.entries()}
        assert said == {"a": ("discarded", "refused", "HTTP 400: no"), "b": ("delivered", "", "HTTP 200")}

    asyncio.run(scene.during(act))
