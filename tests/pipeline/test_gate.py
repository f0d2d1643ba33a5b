"""The gate of a connector: its limits, and who goes first where they are reached."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from connectors.breaker import Breaker
from connectors.port import Result
from crossdock.pipeline.gate import Gate
from routes.spec import Priority
from tests import clockwork


def gate(rate: float = 0, in_flight: int = 1, clock: Callable[[], float] = lambda: 0.0) -> Gate:
    return Gate(Breaker(0.5, 30, clock=clock), rate, in_flight, clock)


class Queue:
    """Attempts at one gate; each waits for its turn, is noted, and leaves at once."""

    def __init__(self, at: Gate) -> None:
        self.at = at
        self.order: list[str] = []

    async def attempt(self, priority: Priority, name: str = "", used: bool = True) -> None:
        await self.at.enter(priority)
        self.order.append(name or priority)
        self.at.leave(used=used)

    async def crowd(self, **attempts: int) -> list[str]:
        """Return the order in which so many attempts of each priority go that all wait for the same slot."""
        await self.at.enter("normal")
        names: tuple[Priority, ...] = ("low", "normal", "high")
        waiting = [
            asyncio.create_task(self.attempt(name)) for name in names for _ in range(attempts.get(name, 0))
        ]  # the least important came first
        await asyncio.sleep(0)
        self.at.leave(used=True)
        await asyncio.gather(*waiting)
        return self.order


def run(scenario: Awaitable[None]) -> None:
    async def within() -> None:
        async with asyncio.timeout(10):
            await scenario

    asyncio.run(within())


def test_where_slots_are_short_the_important_ones_go_first_and_no_one_starves() -> None:
    async def scenario() -> None:
        order = await Queue(gate()).crowd(high=160, normal=40, low=10)
        for part in (order[:21], order[21:42], order[:105]):
            shares = [part.count(name) / len(part) * 21 for name in ("high", "normal", "low")]
            assert [round(share) for share in shares] == [16, 4, 1]

    run(scenario())


def test_what_waits_alone_has_all_of_it() -> None:
    async def scenario() -> None:
        assert await Queue(gate()).crowd(low=5) == ["low"] * 5

    run(scenario())


def test_whoever_did_not_wait_has_saved_nothing_up() -> None:
    async def scenario() -> None:
        queue = Queue(gate())
        await queue.crowd(high=1000)
        queue.order.clear()
        order = await queue.crowd(high=16, low=16)
        assert order[:16].count("low") <= 2

    run(scenario())


def test_no_more_are_under_way_than_there_are_slots() -> None:
    async def scenario() -> None:
        at = gate(in_flight=2)
        await at.enter("low")
        await at.enter("low")
        third = asyncio.create_task(at.enter("high"))
        await asyncio.sleep(0.01)
        assert not third.done()
        at.leave(used=True)
        await third

    run(scenario())


def test_attempts_are_as_far_apart_as_the_rate_says_and_the_important_ones_first() -> None:
    async def scenario() -> None:
        times: list[float] = []
        queue = Queue(gate(10, 64, clockwork.clock))

        async def attempt(priority: Priority) -> None:
            await queue.attempt(priority)
            times.append(clockwork.clock())

        await asyncio.gather(*(attempt(name) for name in ("low", "low", "high", "high", "normal")))
        assert queue.order == ["low", "high", "normal", "high", "low"]
        assert [round(time - times[0], 3) for time in times] == [0, 0.1, 0.2, 0.3, 0.4]

    clockwork.run(scenario())


def test_a_turn_that_was_not_used_is_given_to_the_next() -> None:
    async def scenario() -> None:
        queue = Queue(gate(1, 64, clockwork.clock))
        begin = clockwork.clock()
        await asyncio.gather(*(queue.attempt("normal", used=False) for _ in range(50)))
        assert clockwork.clock() - begin <= 2

    clockwork.run(scenario())


def test_whoever_gives_up_waiting_holds_up_nobody() -> None:
    async def scenario() -> None:
        at = gate()
        await at.enter("normal")
        gone, stays = asyncio.create_task(at.enter("high")), asyncio.create_task(at.enter("low"))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        at.leave(used=True)
        await stays
        # and one that is cancelled at the moment of its turn gives it back
        last = asyncio.create_task(at.enter("low"))
        await asyncio.sleep(0)
        at.leave(used=True)
        last.cancel()
        await asyncio.gather(last, return_exceptions=True)
        await at.enter("normal")

    run(scenario())


@pytest.mark.parametrize(
    ("result", "state"),
    [
        (Result("retry", 422, "LOCKED, by a rule of the connector"), "closed"),
        (Result("retry", 200, "LOCKED, by a rule of the connector"), "closed"),
        (Result("permanent", 400, ""), "closed"),
        (Result("retry", 408, ""), "open"),
        (Result("retry", 503, ""), "open"),
        (Result("throttled", 429, ""), "open"),
        (Result("in_doubt", 0, "timeout"), "open"),
        (Result("retry", 0, "connect: refused"), "open"),
    ],
)
def test_the_breaker_is_for_targets_that_are_not_well_and_not_for_events_to_be_tried_again(
    result: Result, state: str
) -> None:
    # given
    at = gate()
    # when
    for _ in range(50):
        at.judge(result, 0.0)
    # then
    assert at.breaker.state == state


def test_the_one_probe_is_for_what_was_not_tried_yet_as_long_as_there_is_some() -> None:
    async def scenario() -> None:
        # given: a breaker that keys which always fail have opened, and one of them that came back first
        at, stopping, order = gate(clock=clockwork.clock), asyncio.Event(), list[str]()
        for _ in range(10):
            at.breaker.record(False)

        async def attempt(name: str) -> None:
            while name not in order:
                assert await at.opened(lambda: 60.0, stopping, tried=name.startswith("tried"))
                if at.breaker.ready():
                    order.append(name)
                    at.breaker.record(name != "new-1")

        # when
        async with asyncio.TaskGroup() as group:
            for name in ("tried-1", "tried-2", "new-1", "new-2"):
                group.create_task(attempt(name))
        # then: only a new one was a probe, and the others go once the target is well
        assert order[:2] == ["new-1", "new-2"] and sorted(order[2:]) == ["tried-1", "tried-2"]

    clockwork.run(scenario())
