"""The delivery lane: order per key whatever fails, healthy neighbours, pause and stop."""

import asyncio
import time
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.port import Result
from crossdock.kernel.retry import Retry
from crossdock.pipeline import recorder
from crossdock.pipeline.held import RUNNABLE
from tests.pipeline.scene import DELIVERED, PERMANENT, RETRY, LaneScene, Target


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "RETRY", 0.001)


Step = tuple[str, list[Result | Exception], bool, str]
FAILURES = st.lists(st.sampled_from([RETRY, RETRY, RuntimeError("boom")]), max_size=2)
STEPS = st.lists(
    st.tuples(st.sampled_from("ABC"), FAILURES, st.booleans(), st.sampled_from(["", "", "redeliver", "away"])),
    min_size=1,
    max_size=14,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_one_keys_events_arrive_in_stream_order_whatever_fails(tmp_path: Path, steps: list[Step]) -> None:
    plans = [(key, [*failures, PERMANENT if last else DELIVERED]) for key, failures, last, _ in steps]
    target = Target(lambda event, attempt: plans[int(event.id)][1][attempt - 1])
    scene = LaneScene(tmp_path, target)
    scene.breaker._minimum = 10**9

    async def act() -> None:
        for number, step in enumerate(steps):
            key, _, _, happens = step
            await scene.add(str(number), location=key)
            if happens == "redeliver":
                await asyncio.sleep(0)
                scene.inbox.redeliver()
            elif happens == "away":
                scene.log.away += 1
        await scene.settled(len(steps))

    asyncio.run(scene.during(act))
    arrived = defaultdict(list)
    for id_ in target.arrived:
        arrived[plans[int(id_)][0]].append(int(id_))
    expected = {int(id_) for id_ in map(str, range(len(plans))) if plans[int(id_)][1][-1] is DELIVERED}
    assert all(ids == sorted(ids) for ids in arrived.values())
    assert sorted(map(int, target.arrived)) == sorted(expected)
    assert {int(letter.event_id) for letter in scene.letters()} == set(range(len(plans))) - expected


def test_a_failing_key_parks_only_itself(tmp_path: Path) -> None:
    healthy = asyncio.Event()
    target = Target(lambda event, attempt: RETRY if event.id[0] == "a" and not healthy.is_set() else DELIVERED)
    scene = LaneScene(tmp_path, target, retry=Retry(age=60, first=0.01, most=0.01))
    scene.breaker._minimum = 10**9

    async def act() -> None:
        for number in range(5):
            await scene.add(f"a{number}", location="A")
        for number in range(50):
            await scene.add(f"b{number}", location="B")
        await scene.until(lambda: len(target.arrived) == 50)
        assert set(target.attempts) & {"a1", "a2", "a3", "a4"} == set()
        healthy.set()
        await scene.settled(55)

    asyncio.run(scene.during(act))
    assert target.arrived == [f"b{number}" for number in range(50)] + [f"a{number}" for number in range(5)]


def test_without_an_order_a_waiting_retry_blocks_nobody(tmp_path: Path) -> None:
    target = Target(lambda event, attempt: RETRY if event.id == "0" and attempt < 3 else DELIVERED)
    scene = LaneScene(tmp_path, target, ordered=False, in_flight=1, retry=Retry(age=60, first=0.2, most=0.2))

    async def act() -> None:
        for number in range(20):
            await scene.add(str(number))
        await scene.settled(20)

    asyncio.run(scene.during(act))
    assert target.arrived[-1] == "0"


def test_a_paused_route_keeps_its_place(tmp_path: Path) -> None:
    scene = LaneScene(tmp_path, Target())

    async def act() -> None:
        await scene.add("a")
        await scene.settled(1)
        scene.lane.pause(True)
        assert scene.lane.state == "paused"
        await asyncio.sleep(1.1)  # a pull that was under way ends
        await scene.add("b")
        await asyncio.sleep(0.1)
        assert scene.target.attempts == ["a"]
        scene.lane.pause(False)
        await scene.settled(2)

    asyncio.run(scene.during(act))
    assert scene.target.arrived == ["a", "b"]


def test_a_pause_does_not_use_up_the_age_of_what_waits(tmp_path: Path) -> None:
    scene = LaneScene(
        tmp_path, Target(lambda event, attempt: RETRY if attempt < 3 else DELIVERED), retry=Retry(0.5, 0.01, 0.01)
    )

    async def act() -> None:
        scene.lane.pause(True)
        await asyncio.sleep(0)
        await scene.add("a")
        await asyncio.sleep(0.7)
        scene.lane.pause(False)
        await scene.settled(1)

    asyncio.run(scene.during(act))
    assert scene.letters() == []


def test_a_stop_lets_attempts_under_way_end_and_records_and_acknowledges_them(tmp_path: Path) -> None:
    scene = LaneScene(tmp_path, Target())

    async def scenario() -> None:
        # given
        scene.target.open.clear()
        running = asyncio.create_task(scene.lane.run())
        for number in range(3):
            await scene.add(f"a{number}", location="A")
        await scene.until(lambda: scene.target.under_way == 1)
        # when
        stopping = asyncio.create_task(scene.lane.stop(5))
        await asyncio.sleep(0.02)
        assert not stopping.done()
        scene.target.open.set()
        await stopping
        # then
        assert scene.outcomes() == [("a0", "delivered")]
        assert scene.inbox.unacknowledged() == [2, 3]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        scene.inbox.redeliver()
        scene.lane = scene.new_lane()
        await scene.during(lambda: scene.settled(3))

    asyncio.run(scenario())
    assert scene.target.arrived == ["a0", "a1", "a2"]


def test_a_stop_does_not_wait_for_retries_and_buries_nothing(tmp_path: Path) -> None:
    scene = LaneScene(tmp_path, Target(lambda event, attempt: RETRY), retry=Retry(age=600, first=60, most=60))

    async def scenario() -> None:
        running = asyncio.create_task(scene.lane.run())
        for number in range(5):
            await scene.add(str(number), location=str(number))
        await scene.until(lambda: len(scene.outcomes()) == 5)
        began = time.monotonic()
        await scene.lane.stop(10)
        assert time.monotonic() - began < 1
        assert scene.letters() == []
        assert scene.inbox.unacknowledged() == [1, 2, 3, 4, 5]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scenario())


def test_a_failing_key_parks_itself_and_no_other_however_much_it_has(tmp_path: Path) -> None:
    # given a target that refuses one location for now
    target = Target(lambda event, _: RETRY if event.data["location"] == "BAD" else DELIVERED)
    scene = LaneScene(tmp_path, target, retry=Retry(age=60.0, first=30.0, most=30.0))

    async def act() -> None:
        # when more of it wait than a lane takes at once
        for number in range(RUNNABLE + 100):
            await scene.add(f"bad-{number}", location="BAD")
        await scene.add("good", location="GOOD")
        # then
        await scene.until(lambda: "good" in target.attempts)
        assert target.attempts.count("bad-1") == 0

    asyncio.run(scene.during(act))
