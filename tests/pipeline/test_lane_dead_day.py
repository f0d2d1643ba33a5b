"""A target that is dead for a day: probes and nothing else, no growing memory, and a return at the set rate."""

import asyncio
import time
from collections import Counter
from pathlib import Path

from connectors.breaker import Breaker
from crossdock.adapters.memory import MemoryBacklogs
from crossdock.kernel.retry import Retry
from crossdock.pipeline.attempts import Attempts
from crossdock.pipeline.gate import Gate
from crossdock.pipeline.held import RUNNABLE
from crossdock.pipeline.hold import Hold
from crossdock.pipeline.lane import Lane
from crossdock.pipeline.recorder import Recorder
from tests import clockwork
from tests.pipeline.scene import DELIVERED, RETRY, LaneScene, Target

DAY = 86400.0
RATE = 50
EVENTS = 1500


class DayScene(LaneScene):
    """A lane whose breaker, gate and ages go by the clock of the loop, which jumps."""

    began = time.time()

    def new_lane(self) -> Lane:
        self.breaker = Breaker(0.5, 30, clock=clockwork.clock)
        gate = Gate(self.breaker, RATE, 64, clockwork.clock)
        attempts = Attempts(self.route, self.target, gate, self.log, Recorder(self.log), self.metrics, "rev")
        attempts.hold = Hold(None, lambda: self.began + clockwork.clock())
        return Lane(self.route, attempts, MemoryBacklogs(self.events), self.inbox)


def test_a_target_that_is_dead_for_a_day_gets_probes_only_and_then_all_at_the_set_rate(tmp_path: Path) -> None:
    moments: list[float] = []
    dead = [True]

    def answer(*_: object) -> object:
        moments.append(clockwork.clock())
        return RETRY if dead[0] else DELIVERED

    async def scenario() -> None:
        scene = DayScene(tmp_path, Target(answer), ordered=False, retry=Retry(2 * DAY, 2.0, 600.0))  # type: ignore[arg-type]
        for number in range(EVENTS):
            await scene.add(str(number))
        running = asyncio.create_task(scene.lane.run())
        # when it is dead for a day
        await asyncio.sleep(DAY)
        # then there was a probe each 30 s at most, and only what a lane takes at once is in memory
        day = [at for at in moments if at > 60]
        assert len(day) <= DAY / 30 + 1
        assert len(scene.lane.attempts.held) <= RUNNABLE + scene.route.in_flight
        assert scene.letters() == []
        # and when it is back, all of it goes at the rate, and each once
        dead[0], back = False, clockwork.clock()
        while len(scene.target.arrived) < EVENTS:  # noqa: ASYNC110  no time passes while it looks
            await asyncio.sleep(1)
        assert Counter(scene.target.arrived).most_common(1)[0][1] == 1
        assert EVENTS / RATE <= clockwork.clock() - back <= EVENTS / RATE + 700
        seconds = Counter(int(at) for at in moments if at >= back)
        assert max(seconds.values()) <= RATE + 1
        await scene.lane.stop(2)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    clockwork.run(scenario())
