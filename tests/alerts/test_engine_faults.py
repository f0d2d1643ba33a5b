"""Nothing is told twice and nothing is lost, whatever dies, is away, or is said at the same moment."""

import asyncio
from pathlib import Path

from alerts.book import Hush
from alerts.lease import LENGTH
from tests.alerts.scene import HIGH, LOW, World, fire, scene


def test_a_restart_tells_nothing_twice_and_loses_nothing(tmp_path: Path) -> None:
    async def act(here: World) -> None:
        here.away = {"two"}
        await fire(here)
        assert (here.heard("one"), here.heard("two")) == ([("firing", ["route stock"])], [])
        here.away = set()
        await here.look(here.engine(), seconds=10)
        assert here.heard("one") == here.heard("two") == [("firing", ["route stock"])]

    scene(tmp_path, act)


def test_a_channel_that_is_away_is_tried_ever_less_often_and_gets_all_in_order_when_it_is_back(tmp_path: Path) -> None:
    async def act(here: World) -> None:
        engine = here.engine()
        here.away, here.figures_ = {"two"}, dict(HIGH)
        await here.look(engine)
        await here.look(engine, seconds=60)
        await here.look(engine, seconds=4)
        (due,) = (await engine.books())["erp-lag"].due
        assert (due.channel, due.tries, due.at) == ("two", 1, engine.now() + 1000)
        assert (await engine.told())["two"].detail == "HTTP 503"
        here.figures_ = dict(LOW)
        await here.look(engine, seconds=1)
        assert [state for state, _ in here.heard("one")] == ["firing", "resolved"]  # which waits for nobody
        here.away = set()
        await here.look(engine, seconds=10)
        assert [state for state, _ in here.heard("two")] == ["firing", "resolved"]
        assert (await engine.books())["erp-lag"].due == ()
        assert (await engine.told())["two"].ok

    scene(tmp_path, act)


def test_repetitions_do_not_pile_up_for_a_channel_that_is_away(tmp_path: Path) -> None:
    async def act(here: World) -> None:
        here.away = {"two"}
        await fire(here)
        engine = here.engine()
        for _ in range(5):
            await here.look(engine, seconds=3600)
        assert [state for state, _ in here.heard("one")] == ["firing", *["repeated"] * 5]
        assert len((await engine.books())["erp-lag"].due) == 1

    scene(tmp_path, act)


def test_a_channel_that_hangs_holds_up_no_other(tmp_path: Path) -> None:
    async def act(here: World) -> None:
        never = asyncio.Event()

        class Hanging:
            async def send(self, channel: object, notice: object) -> str:
                if getattr(channel, "name", "") == "one":
                    await never.wait()
                return await here.send(channel, notice)  # type: ignore[arg-type]

            async def close(self) -> None:
                pass

        engine = here.engine(Hanging())
        here.figures_ = dict(HIGH)
        await engine.look()
        here.now += 60
        await engine.look()
        await engine._sending["two"]
        assert here.heard("two") == [("firing", ["route stock"])]
        await engine._stop()

    scene(tmp_path, act)


def test_of_two_processes_one_looks_and_sends_until_it_is_gone(tmp_path: Path) -> None:
    async def act(here: World) -> None:
        first, second = here.engine(), here.engine()
        here.figures_ = dict(HIGH)
        for seconds in (0, 30, 30, 5):
            here.now += seconds
            for one in (first, second):
                await here.look(one)
        assert here.heard("one") == [("firing", ["route stock"])]
        here.figures_ = dict(LOW)  # the first one is killed: it gives nothing up
        await here.look(second, seconds=LENGTH - 1)
        assert len(here.heard("one")) == 1
        await here.look(second, seconds=2)
        assert here.heard("one")[1:] == [("resolved", ["route stock"])]
        await here.look(first, seconds=1)  # it was only stopped, and comes back
        assert len(here.heard("one")) == 2

    scene(tmp_path, act)


def test_a_process_that_ends_in_order_leaves_its_turn_to_the_other_at_once(tmp_path: Path) -> None:
    async def act(here: World) -> None:
        first, second = here.engine(), here.engine()
        await here.look(first)
        await first._stop()
        here.figures_ = dict(HIGH)
        await here.look(second)
        assert [one.state for one in (await second.books())["erp-lag"].standings.values()] == ["pending"]

    scene(tmp_path, act)


def test_what_a_person_says_while_the_process_looks_is_not_lost(tmp_path: Path) -> None:
    async def act(here: World) -> None:
        await fire(here)
        engine, other = here.engine(), here.engine()
        await asyncio.gather(
            here.look(engine, seconds=3600), other.hush("erp-lag", "route stock", Hush("ann", other.now(), "on it"))
        )
        assert (await engine.books())["erp-lag"].hushed["route stock"].note == "on it"

    scene(tmp_path, act)
