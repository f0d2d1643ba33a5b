"""Acts on one dead letter at once, while the journal lags: exactly one of them wins."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Record, Stored
from crossdock.pipeline import acts as acting
from crossdock.pipeline.acts import Acts
from crossdock.pipeline.replay import Replayed, discard_letters, replay_letters
from crossdock.pipeline.replayer import Replayer
from journal.entry import SUBJECT, unpack
from journal.store import LetterState
from tests.pipeline.test_replayer import Site, ended

LAG = 0.02


class LateSite(Site):
    """A site of which the journal shows everything a moment later."""

    def __init__(self, number: int = 1) -> None:
        super().__init__(number)
        self.shown, self.shown_to = dict(self.states), 0

    def known(self, ids: Sequence[str]) -> Mapping[str, LetterState]:
        return {letter_id: self.shown[letter_id] for letter_id in ids if letter_id in self.shown}

    def position(self) -> int:
        return self.shown_to

    async def append(self, record: Record) -> Stored:
        stored = await super().append(record)
        asyncio.get_running_loop().call_later(LAG, self.show, dict(self.states), stored.seq)
        return stored

    def show(self, states: dict[str, LetterState], position: int) -> None:
        self.shown, self.shown_to = states, position

    def listed(self) -> list[LetterState]:
        return sorted(self.shown.values(), key=lambda state: state.id)

    async def replay(self, acts: Acts) -> list[Replayed]:
        return await replay_letters(self.listed(), self, self, acts, {"stock"}, dry_run=False)

    async def discard(self, acts: Acts) -> list[Replayed]:
        return await discard_letters(self.listed(), self, self, acts, "booked by hand")

    async def plan_run(self, running: Replayer) -> list[str]:
        plan = await self.plan(running)
        await running.start(plan)
        done = await ended(running, plan, "done")
        return ["sent"] * done.sent + ["skipped"] * done.skipped + ["gone"] * done.gone

    def said(self) -> list[str]:
        return [line.outcome for r, _ in self.records if r.subject == SUBJECT for line in unpack(r.payload)]


def outcomes(replayed: Sequence[Replayed]) -> list[str]:
    return [one.outcome for one in replayed]


def test_of_a_replay_and_a_discard_at_once_one_wins_and_the_other_is_skipped() -> None:
    async def scenario() -> None:
        site = LateSite()
        acts = site.opened().acts
        replayed, discarded = await asyncio.gather(site.replay(acts), site.discard(acts))
        assert (outcomes(replayed), outcomes(discarded)) == (["sent"], ["skipped"])
        assert (site.said(), len(site.sent())) == (["replayed"], 1)

        site = LateSite()
        acts = site.opened().acts
        discarded, replayed = await asyncio.gather(site.discard(acts), site.replay(acts))
        assert (outcomes(replayed), outcomes(discarded)) == (["skipped"], ["discarded"])
        assert (site.said(), site.sent()) == (["discarded"], [])

    asyncio.run(scenario())


def test_of_a_plan_and_a_discard_at_once_each_dead_letter_hears_one() -> None:
    async def scenario() -> None:
        site = LateSite(250)
        running = site.opened()
        planned, discarded = await asyncio.gather(site.plan_run(running), site.discard(running.acts))
        assert planned.count("sent") + outcomes(discarded).count("discarded") == 250
        assert planned.count("skipped") + outcomes(discarded).count("skipped") == 250
        assert (len(site.said()), len(site.sent())) == (250, planned.count("sent"))

    asyncio.run(scenario())


def test_after_a_restart_an_act_waits_for_what_the_process_before_it_did() -> None:
    async def scenario() -> None:
        site = LateSite()
        assert outcomes(await site.discard(site.opened().acts)) == ["discarded"]
        assert outcomes(await site.replay(site.opened().acts)) == ["skipped"]
        assert site.sent() == []

    asyncio.run(scenario())


def test_no_act_goes_by_a_journal_that_stays_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acting, "PATIENCE", 0.01)

    async def scenario() -> None:
        site = LateSite()
        acts = site.opened().acts
        assert outcomes(await site.discard(acts)) == ["discarded"]
        site.show = lambda *_: None  # type: ignore[method-assign]
        site.shown_to = -1
        with pytest.raises(Unavailable, match="the journal is behind"):
            await site.replay(acts)
        site.shown_to = 9
        assert outcomes(await site.discard(acts)) == ["discarded"]  # the turn was given back

    asyncio.run(scenario())


def test_a_turn_that_does_not_end_is_told_to_those_who_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acting, "PATIENCE", 0.01)

    async def scenario() -> None:
        site = LateSite()
        acts = site.opened().acts
        async with acts.turn([]):
            with pytest.raises(Unavailable, match="under way"):
                await site.replay(acts)
        assert outcomes(await site.replay(acts)) == ["sent"]

    asyncio.run(scenario())


def test_other_dead_letters_do_not_wait_for_the_journal() -> None:
    async def scenario() -> None:
        site = LateSite(2)
        acts = site.opened().acts
        first, second = site.listed()
        for state in (first, second):
            assert outcomes(await replay_letters([state], site, site, acts, {"stock"}, dry_run=False)) == ["sent"]
        assert site.shown_to == 0

    asyncio.run(scenario())


@pytest.mark.parametrize("kept", [True, False])
def test_what_is_being_replayed_is_not_given_up_whether_its_content_is_kept_or_not(kept: bool) -> None:
    async def scenario() -> None:
        site = LateSite()
        acts = site.opened().acts
        await site.replay(acts)
        if not kept:
            site.kept.clear()
        assert outcomes(await site.discard(acts)) == ["skipped"]
        assert site.said() == ["replayed"]

    asyncio.run(scenario())
