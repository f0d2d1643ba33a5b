"""An alert is told once, again while it lasts, and when it is over; what a person says of it counts."""

from pathlib import Path

import pytest

from alerts.book import Hush
from alerts.spec import Alerts
from tests.alerts.scene import BASE, HIGH, LAG, LOW, World, fire, read, scene


def test_it_is_told_once_when_it_has_lasted_long_enough_and_once_when_it_is_over(tmp_path: Path) -> None:
    async def act(here: World) -> None:
        engine = here.engine()
        here.figures_ = dict(HIGH)
        await here.look(engine)
        await here.look(engine, seconds=59)
        assert here.got == []
        await here.look(engine, seconds=1)
        await here.look(engine, seconds=5)
        assert here.heard("one") == here.heard("two") == [("firing", ["route stock"])]
        here.figures_ = dict(LOW)
        await here.look(engine, seconds=5)
        await here.look(engine, seconds=5)
        assert here.heard("one") == [("firing", ["route stock"]), ("resolved", ["route stock"])]

    scene(tmp_path, act)


def test_it_says_what_since_when_how_much_where_to_look_and_what_to_do(tmp_path: Path) -> None:
    async def act(here: World) -> None:
        await fire(here)
        told = here.got[0][1]
        assert told.title() == "[page] erp-lag: events wait for route stock: 250 events, allowed 100 events"
        assert told.text().splitlines()[2:] == [
            "- events wait for route stock: 250 events, allowed 100 events",
            "  since 2026-09-21T14:13:20Z",
            f"  {BASE}/routes/stock",
            "",
            "What to do: Call the ERP team",
        ]

    scene(tmp_path, act)


def test_what_was_only_a_moment_is_not_told(tmp_path: Path) -> None:
    async def act(here: World) -> None:
        engine = here.engine()
        for figures in (HIGH, LOW, HIGH):
            here.figures_ = dict(figures)
            await here.look(engine, seconds=40)
        assert here.got == []

    scene(tmp_path, act)


def test_all_subjects_that_fire_at_a_moment_are_one_notice(tmp_path: Path) -> None:
    async def act(here: World) -> None:
        engine = here.engine()
        here.figures_ = {"route stock": 200.0, "route orders": 300.0}
        await here.look(engine)
        await here.look(engine, seconds=60)
        assert here.heard("one") == [("firing", ["route orders", "route stock"])]
        assert here.got[0][1].title().endswith("(and 1 more)")

    scene(tmp_path, act)


def test_it_is_told_again_while_it_lasts_but_not_once_somebody_knows(tmp_path: Path) -> None:
    async def act(here: World) -> None:
        await fire(here)
        engine = here.engine()
        await here.look(engine, seconds=3599)
        assert [state for state, _ in here.heard("one")] == ["firing"]
        await here.look(engine, seconds=1)
        assert [state for state, _ in here.heard("one")] == ["firing", "repeated"]
        await engine.hush("erp-lag", "route stock", Hush("ann", engine.now(), "on it"))
        await here.look(engine, seconds=7200)
        here.figures_ = dict(LOW)
        await here.look(engine, seconds=5)
        assert [state for state, _ in here.heard("one")] == ["firing", "repeated", "resolved"]
        here.figures_ = dict(HIGH)
        await here.look(engine, seconds=5)
        await here.look(engine, seconds=60)  # who knew of the last one does not know of this one
        assert [state for state, _ in here.heard("one")][3:] == ["firing"]

    scene(tmp_path, act)


def test_what_is_silenced_is_told_when_the_silence_ends_and_it_still_lasts(tmp_path: Path) -> None:
    async def act(here: World) -> None:
        engine = here.engine()
        here.figures_ = dict(HIGH)
        await here.look(engine)
        await engine.hush("erp-lag", "route stock", Hush("ann", engine.now(), "maintenance", engine.now() + 600_000))
        await here.look(engine, seconds=300)
        assert here.got == []
        await here.look(engine, seconds=300)
        assert here.heard("one") == [("firing", ["route stock"])]

    scene(tmp_path, act)


def test_a_silence_can_be_taken_back(tmp_path: Path) -> None:
    async def act(here: World) -> None:
        engine = here.engine()
        here.figures_ = dict(HIGH)
        await here.look(engine)
        await engine.hush("erp-lag", "route stock", Hush("ann", engine.now(), "", engine.now() + 600_000))
        await engine.hush("erp-lag", "route stock", Hush("bob", engine.now(), "", engine.now()))
        await here.look(engine, seconds=60)
        assert here.heard("one") == [("firing", ["route stock"])]

    scene(tmp_path, act)


def test_a_figure_that_nobody_can_tell_changes_nothing_and_is_shown(tmp_path: Path) -> None:
    async def act(here: World) -> None:
        await fire(here)
        engine = here.engine()
        here.figures_ = {"route stock": None, "route orders": None}
        await here.look(engine, seconds=5)
        here.unknown = "journal: away"
        await here.look(engine, seconds=5)
        book = (await engine.books())["erp-lag"]
        assert (book.fault, [one.state for one in book.standings.values()]) == ("journal: away", ["firing"])
        here.unknown, here.figures_ = "", dict(LOW)
        await here.look(engine, seconds=5)
        assert (await engine.books())["erp-lag"].fault == ""
        assert [state for state, _ in here.heard("one")] == ["firing", "resolved"]

    scene(tmp_path, act)


def test_a_changed_threshold_counts_at_the_next_look(tmp_path: Path) -> None:
    async def act(here: World) -> None:
        await fire(here)
        here.alerts = read(tmp_path, LAG.replace("above: 100", "above: 1000"))
        await here.look(here.engine(), seconds=5)
        assert [state for state, _ in here.heard("one")] == ["firing", "resolved"]

    scene(tmp_path, act)


@pytest.mark.parametrize("kept", ["one", ""])
def test_of_an_alert_that_is_removed_those_who_were_told_hear_that_it_is_over(tmp_path: Path, kept: str) -> None:
    async def act(here: World) -> None:
        await fire(here)
        before = here.alerts
        here.alerts = Alerts({}, {name: one for name, one in before.channels.items() if name == kept})
        engine = here.engine()
        await here.look(engine, seconds=5)
        assert [state for state, _ in here.heard("one")] == (["firing", "resolved"] if kept else ["firing"])
        assert (await engine.books())["erp-lag"].due == ()  # a channel that is gone waits for nothing

    scene(tmp_path, act)


def test_a_subject_that_is_gone_has_ended(tmp_path: Path) -> None:
    async def act(here: World) -> None:
        await fire(here)
        here.figures_ = {"route orders": 1.0}
        await here.look(here.engine(), seconds=5)
        assert here.heard("one")[1:] == [("resolved", ["route stock"])]

    scene(tmp_path, act)


def test_hostile_names_stay_on_their_line(tmp_path: Path) -> None:
    async def act(here: World) -> None:
        engine = here.engine()
        here.figures_ = {"route a\r\nBcc: x\x1b[2J\u2028\u202e": 500.0}
        await here.look(engine)
        await here.look(engine, seconds=60)
        told = here.got[0][1]
        assert told.title().isprintable()
        assert len(told.text().splitlines()) == 7
        assert "%0D%0A" in told.points[0].page

    scene(tmp_path, act)


def test_figures_that_move_are_not_written_at_each_look(tmp_path: Path) -> None:
    async def act(here: World) -> None:
        await fire(here)
        engine, before = here.engine(), await here.records.get("alert.erp-lag")
        for number in range(5):
            here.figures_ = {"route stock": 200.0 + number, "route orders": 0.0}
            await here.look(engine, seconds=5)
        assert await here.records.get("alert.erp-lag") == before
        await here.look(engine, seconds=5)
        assert (await engine.books())["erp-lag"].standings["route stock"].figure == 204

    scene(tmp_path, act)
