"""Order per key through kills: whatever is killed, lost or handed out again, a target that knows keys sees the stream.

What a killed worker had delivered and not acknowledged comes once more, even after newer ones: with its key, by which
the target knows it. So order is that of the first arrivals.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.port import Result
from crossdock.kernel.event import Event
from crossdock.kernel.tracing import NONE
from crossdock.pipeline import recorder
from tests.pipeline.scene import DELIVERED, RETRY, LaneScene, Target

DOUBT = Result("in_doubt", 0, "no answer")
ANSWERS = st.sampled_from([DELIVERED, DELIVERED, DELIVERED, RETRY, DOUBT])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "RETRY", 0.001)


class Effects(Target):
    """A target in which a key has one effect; an attempt in doubt has it too. Answers come late, in any order."""

    def __init__(self, answers: list[Result], delays: list[int]) -> None:
        super().__init__()
        self._answers, self._delays = answers, delays
        self.effects: dict[str, None] = {}

    async def deliver(self, event: Event, key: str, trace: Mapping[str, str] = NONE) -> Result:
        number = len(self.attempts)
        self.attempts.append(event.id)
        answer = self._answers[number] if number < len(self._answers) else DELIVERED
        if answer is not RETRY:
            self.effects.setdefault(event.id)
        for _ in range(self._delays[number % len(self._delays)]):
            await asyncio.sleep(0)
        return answer


async def killed(scene: LaneScene, act: Callable[[], Awaitable[None]]) -> None:
    """Run a lane while the test acts, then end it in the middle of everything, as `kill -9` does."""
    running = asyncio.create_task(scene.lane.run())
    await act()
    scene.lane.attempts.stopping.set()
    for task in (running, *scene.lane.attempts._runners._tasks, scene.lane.attempts._recorder._task):
        if task is not None:
            task.cancel()
    await asyncio.sleep(0)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keys=st.lists(st.sampled_from("ABC"), min_size=3, max_size=25),
    answers=st.lists(ANSWERS, max_size=40),
    delays=st.lists(st.integers(0, 6), min_size=1, max_size=5),
    kills=st.lists(st.integers(0, 60), max_size=4),
)
def test_the_order_of_first_arrivals_is_that_of_the_stream_and_nothing_is_missing(
    tmp_path: Path, keys: list[str], answers: list[Result], delays: list[int], kills: list[int]
) -> None:
    target = Effects(answers, delays)
    scene = LaneScene(tmp_path, target)
    scene.breaker._minimum = 10**9

    async def scenario() -> None:
        for number, key in enumerate(keys):
            await scene.add(str(number), location=key)
        for steps in kills:

            async def lives(steps: int = steps) -> None:
                for _ in range(steps):
                    await asyncio.sleep(0)

            await killed(scene, lives)
            scene.inbox.redeliver()  # the broker waits for its patience, then hands it out in order before newer ones
            scene.lane = scene.new_lane()
        await scene.during(ended)

    async def ended() -> None:
        await scene.until(lambda: not scene.inbox.unacknowledged() and scene.inbox.handed_out >= len(keys))

    asyncio.run(scenario())
    came = defaultdict(list)
    for id_ in target.effects:
        came[keys[int(id_)]].append(int(id_))
    assert all(ids == sorted(ids) for ids in came.values())
    assert sorted(map(int, target.effects)) == list(range(len(keys)))
    assert {line.id for line in scene.entries() if line.outcome == "delivered"} == set(map(str, range(len(keys))))
