"""What is said of an approved edit whose process was killed before it noted the end: what the journal has of it."""

from dataclasses import replace
from pathlib import Path

import pytest

from crossdock.pipeline.resend import unsent
from journal import entry
from tests.console.letterscene import Scene, played
from tests.console.test_approvals import ALL, asked, decide


def test_an_edit_whose_process_was_killed_after_it_was_sent_is_told_as_sent(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        wanted = await asked(scene)
        assert (await decide(scene, wanted["id"], "approve")).json()["result"]["outcome"] == "sent"
        scene.journal.project(scene.noted(), 2)
        assert (await again(scene, wanted["id"]), len(scene.sent())) == ("done", 1)

    played(tmp_path, scenario, ALL)


@pytest.mark.parametrize("then", [entry.DELIVERED, entry.DEAD_LETTERED])
def test_an_edit_whose_process_was_killed_is_told_as_sent_when_it_has_its_outcome_by_now(
    tmp_path: Path, then: str
) -> None:
    async def scenario(scene: Scene) -> None:
        wanted = await asked(scene)
        await decide(scene, wanted["id"], "approve")
        (line,) = scene.noted()
        scene.journal.project([line, line._replace(stage=entry.DELIVER, outcome=then, detail="", at=line.at + 9)], 2)
        assert await again(scene, wanted["id"]) == "done"
        assert len(scene.sent()) == 1

    played(tmp_path, scenario, ALL)


@pytest.mark.parametrize("back", [True, False])
def test_an_edit_that_was_not_sent_after_all_is_told_as_skipped_when_another_replay_came_home(
    tmp_path: Path, back: bool
) -> None:
    async def scenario(scene: Scene) -> None:
        # given
        wanted = await asked(scene)
        await decide(scene, wanted["id"], "approve")
        (line,) = scene.noted()
        other = line._replace(at=line.at + 5, detail="plan rp-1", who="eve")
        taken_back = [unsent(line)._replace(at=line.at)] if back else []
        # when
        home = other._replace(stage=entry.DELIVER, outcome=entry.DELIVERED, at=line.at + 9)
        scene.journal.project([line, *taken_back, other, home], 2)
        # then
        assert await again(scene, wanted["id"]) == "skipped: it is resolved"

    played(tmp_path, scenario, ALL)


async def again(scene: Scene, approval: str) -> str:
    """Approve again what was approved by a process that was killed before it could note the end; return the outcome."""
    ended = await scene.desk.approvals.get(approval)
    assert ended is not None
    await scene.desk.approvals.put(replace(ended, state="approved", then=1))
    return str((await decide(scene, approval, "approve")).json()["outcome"])
