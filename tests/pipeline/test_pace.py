"""How many attempts a target gets at once: fewer while it answers late or not at all, never fewer for its nature."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

from connectors.breaker import Breaker
from connectors.port import Outcome, Result
from crossdock.pipeline.gate import Gate
from tests import clockwork

Answer = Callable[[], Awaitable[Outcome]]
IN_FLIGHT = 64


class Machine:
    """A target that works on `hands` requests at once, `takes` seconds each; one waits for `timeout` at most."""

    def __init__(self, hands: int, takes: float, timeout: float) -> None:
        self.takes, self.timeout = takes, timeout
        self._hands = asyncio.Semaphore(hands)

    async def answer(self) -> Outcome:
        asked = asyncio.ensure_future(self._work())
        done, _ = await asyncio.wait([asked], timeout=self.timeout)
        return "delivered" if done else "in_doubt"

    async def _work(self) -> None:
        async with self._hands:
            await asyncio.sleep(self.takes)


async def load(gate: Gate, answer: Answer, seconds: float) -> Counter[str]:
    """Offer as many attempts as go, for so long; return what came of them."""
    found: Counter[str] = Counter()
    until = clockwork.clock() + seconds

    async def run() -> None:
        while clockwork.clock() < until:
            await gate.enter("normal")
            began = gate.clock()
            outcome = await answer()
            gate.judge(Result(outcome, 0, ""), began)
            gate.leave(used=True)
            found[outcome] += 1

    await asyncio.gather(*(run() for _ in range(IN_FLIGHT)))
    return found


def make() -> Gate:
    return Gate(Breaker(2.0, 30, clock=clockwork.clock), 0, IN_FLIGHT, clockwork.clock)


def test_a_target_that_is_slow_by_nature_keeps_all_it_may_have() -> None:
    async def scenario() -> None:
        gate = make()
        found = await load(gate, Machine(IN_FLIGHT, takes=2.0, timeout=15).answer, 60)
        assert gate.pace.limit == IN_FLIGHT
        assert found == {"delivered": 30 * IN_FLIGHT}

    clockwork.run(scenario())


def test_a_target_that_cannot_follow_gets_fewer_at_once_and_not_more_time_outs() -> None:
    async def scenario() -> None:
        # given a target that becomes ten times slower, so that of 64 at once most would wait too long
        gate, machine = make(), Machine(8, takes=0.05, timeout=2.0)
        await load(gate, machine.answer, 10)
        machine.takes = 0.5
        # when
        await load(gate, machine.answer, 60)
        found = await load(gate, machine.answer, 120)
        # then it does nearly all it can, and few wait in vain
        assert found["in_doubt"] < 0.1 * found["delivered"]
        assert found["delivered"] > 0.8 * 120 * 8 / 0.5
        assert gate.pace.limit <= 40

    clockwork.run(scenario())


def test_a_target_that_answers_nothing_gets_one_at_a_time_and_all_again_when_it_is_well() -> None:
    async def scenario() -> None:
        gate, machine = make(), Machine(IN_FLIGHT, takes=60.0, timeout=1.0)
        await load(gate, machine.answer, 20)
        assert gate.pace.limit == 1
        well = Machine(IN_FLIGHT, takes=0.02, timeout=1.0)
        await load(gate, well.answer, 10)
        assert gate.pace.limit == IN_FLIGHT

    clockwork.run(scenario())


def test_errors_say_nothing_of_speed_and_throttling_does() -> None:
    async def scenario() -> None:
        async def refuse() -> Outcome:
            await asyncio.sleep(0.01)
            return "retry"

        async def throttle() -> Outcome:
            await asyncio.sleep(0.01)
            return "throttled"

        gate = make()
        await load(gate, refuse, 1)
        assert gate.pace.limit == IN_FLIGHT
        await load(gate, throttle, 0.015)
        assert gate.pace.limit == IN_FLIGHT / 4  # once for all of a round

    clockwork.run(scenario())


def test_a_target_that_has_become_slow_for_good_has_all_again_after_a_while() -> None:
    async def scenario() -> None:
        gate = make()
        await load(gate, Machine(IN_FLIGHT, takes=0.02, timeout=15).answer, 5)
        slow = Machine(IN_FLIGHT, takes=2.0, timeout=15)
        await load(gate, slow.answer, 60)
        assert gate.pace.limit > IN_FLIGHT / 2

    clockwork.run(scenario())
