"""Where config asks for it, what one person orders is done when another one has approved it, and once."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from crossdock.kernel.stream import EDIT
from crossdock.pipeline.recorder import now_ms
from dlq import approvals
from tests import smallproject
from tests.console.letterscene import AT_PROCESS, AT_TARGET, FROM_OUTSIDE, NAME, Scene, changes, played

PATCH = [{"op": "replace", "path": "/data/customer", "value": "Grace Hopper"}]
ALL = {"edit": 1, "discard": 1}


async def asked(scene: Scene, act: str = "edit", who: str = "ann") -> Any:
    answer = await (
        scene.patch(AT_TARGET, PATCH, who)
        if act == "edit"
        else scene.call(who, "POST", "discards", {"ids": [AT_TARGET], "reason": "booked by hand"})
    )
    assert answer.status == 202, answer.body
    return answer.json()["approval"]


async def decide(scene: Scene, approval: str, word: str, who: str = "bob") -> Any:
    return await scene.call(who, "POST", f"approvals/{approval}/{word}", {"why": "looked at it"})


@pytest.mark.parametrize("act", ["edit", "discard"])
def test_it_is_done_when_another_person_approves(tmp_path: Path, act: str) -> None:
    async def scenario(scene: Scene) -> None:
        wanted = await asked(scene, act)
        assert (scene.sent(), scene.noted()) == ([], [])
        own = await decide(scene, wanted["id"], "approve", "ann")
        assert (own.status, scene.noted()) == (403, [])
        assert (await decide(scene, wanted["id"], "approve", "vera")).status == 403
        done = (await decide(scene, wanted["id"], "approve")).json()
        assert (done["state"], done["who"], done["by"], done["said"]) == ("done", "ann", "bob", "looked at it")
        (line,) = scene.noted()
        assert (line.outcome, line.who) == ({"edit": "replayed", "discard": "discarded"}[act], "ann")
        assert [(one.who, one.act) for one in await scene.acts()] == [
            ("ann", "approval.ask"),
            ("bob", "approval.approve"),
        ]
        for word in ("approve", "refuse"):
            assert (await decide(scene, wanted["id"], word)).status == 409
        assert len(scene.noted()) == 1

    played(tmp_path, scenario, ALL)


def test_people_of_an_identity_provider_are_told_apart_by_more_than_their_names(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        ann, other, renamed = FROM_OUTSIDE
        wanted = await asked(scene, who=ann)
        assert (await decide(scene, wanted["id"], "approve", renamed)).status == 403
        assert (await decide(scene, wanted["id"], "approve", other)).json()["state"] == "done"

    played(tmp_path, scenario, ALL)


def test_what_is_refused_or_taken_back_is_never_done(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        for who in ("bob", "ann"):
            wanted = await asked(scene)
            refused = (await decide(scene, wanted["id"], "refuse", who)).json()
            assert (refused["state"], refused["by"]) == ("refused", who)
            assert (await decide(scene, wanted["id"], "approve")).status == 409
        assert (scene.sent(), scene.noted()) == ([], [])

    played(tmp_path, scenario, ALL)


def test_whoever_looks_at_what_was_asked_for_sees_no_personal_value(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        wanted = await asked(scene)
        listed = await scene.call("vera", "GET", "approvals?state=asked")
        (item,) = listed.json()["items"]
        assert item == wanted
        assert item["shown"]["patch"] == [{**PATCH[0], "value": "***"}]
        assert "Grace" not in listed.body.decode() and NAME not in listed.body.decode()
        assert (await scene.call("vera", "GET", "approvals?state=done")).json()["items"] == []
        assert (await scene.call("vera", "GET", "approvals/ap-9")).status == 404

    played(tmp_path, scenario, ALL)


def test_an_approved_edit_that_content_refuses_by_then_tells_nobody_a_personal_value(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        # given
        wanted, files, stricter = await asked(scene), changes(), "schemas/inventory.sold/1.1.json"
        files[stricter] = str(files[stricter]).replace('"customer": {', '"customer": {"pattern": "^[0-9]+$", ')
        cast(Any, scene.desk).project = smallproject.project(tmp_path / "later", files)
        # when
        answer = await decide(scene, wanted["id"], "approve")
        # then
        seen = await scene.call("vera", "GET", f"approvals/{wanted['id']}")
        assert (answer.status, seen.json()["state"], "/customer" in seen.json()["outcome"]) == (422, "failed", True)
        for told in (answer.body.decode(), seen.json()["outcome"]):
            assert "***" in told and "Grace" not in told and NAME not in told

    played(tmp_path, scenario, ALL)


def test_of_two_who_decide_at_the_same_moment_one_does(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        wanted = await asked(scene)
        both = await asyncio.gather(*(decide(scene, wanted["id"], word) for word in ("approve", "refuse")))
        assert sorted(answer.status for answer in both) == [200, 409]

    played(tmp_path, scenario, ALL)


def test_after_three_days_it_is_too_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(scene: Scene) -> None:
        wanted = await asked(scene)
        monkeypatch.setattr(approvals, "EXPIRES", -1)
        assert (await scene.call("bob", "GET", f"approvals/{wanted['id']}")).json()["state"] == "expired"
        assert (await decide(scene, wanted["id"], "approve")).status == 409
        assert scene.noted() == []

    played(tmp_path, scenario, ALL)


def test_what_was_approved_and_cut_by_a_kill_is_done_by_another_approval(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        wanted = await asked(scene)
        found = await scene.desk.approvals.get(wanted["id"])
        assert found is not None
        just = await scene.desk.approvals.put(replace(found, state="approved", by="bob", then=now_ms()))
        assert just is not None
        assert (await decide(scene, wanted["id"], "approve")).status == 409
        await scene.desk.approvals.put(replace(just, then=1))
        assert (await decide(scene, wanted["id"], "refuse")).status == 409
        assert (await decide(scene, wanted["id"], "approve")).json()["state"] == "done"
        assert len(scene.sent()) == 1

    played(tmp_path, scenario, ALL)


def test_what_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        wanted = await asked(scene)
        failed = scene.journal.known([AT_TARGET])[AT_TARGET]
        (line,) = [one for one in scene.journal.steps([1]) if one.dead_letter == AT_TARGET]
        scene.journal.project([line._replace(at=99, ref=8)], 2)
        assert scene.journal.known([AT_TARGET])[AT_TARGET].failures == failed.failures + 1
        done = (await decide(scene, wanted["id"], "approve")).json()
        assert (done["state"], done["result"]["outcome"], scene.sent()) == ("done", "skipped", [])
        assert done["outcome"] == "skipped: it has failed again since"


def test_of_an_approved_edit_and_a_replay_at_once_one_is_sent_and_the_approval_says_which(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        # given an edit that is asked for, and a replay that came before it was approved
        wanted = await asked(scene)
        replayed = (await scene.call("ann", "POST", "replays", {"ids": [AT_TARGET]})).json()
        scene.journal.project(scene.noted(), 2)
        # when
        done = (await decide(scene, wanted["id"], "approve")).json()
        # then
        assert (replayed["items"][0]["outcome"], done["result"]["outcome"]) == ("sent", "skipped")
        assert done["outcome"] == "skipped: another replay of it is under way"
        (copy,) = scene.sent()
        assert EDIT not in copy.headers

    played(tmp_path, scenario, ALL)


def test_an_edit_that_the_content_of_the_day_does_not_allow_fails_and_says_so(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        wanted = await asked(scene)
        scene.letters.clear()
        assert (await decide(scene, wanted["id"], "approve")).status == 410
        found = (await scene.call("bob", "GET", f"approvals/{wanted['id']}")).json()
        assert (found["state"], "retention" in found["outcome"]) == ("failed", True)

    played(tmp_path, scenario, ALL)


def test_fewer_dead_letters_than_config_says_take_no_second_person(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        one = await scene.call("ann", "POST", "discards", {"ids": [AT_TARGET], "reason": "x"})
        assert (one.status, one.json()["items"][0]["outcome"]) == (200, "discarded")
        two = await scene.call("ann", "POST", "discards", {"ids": [AT_TARGET, AT_PROCESS], "reason": "x"})
        assert two.status == 202

    played(tmp_path, scenario, {"discard": 2})


def test_what_takes_a_second_person_as_a_plan_is_not_sent_without_one(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        both = {"ids": [AT_TARGET, AT_PROCESS]}
        assert (await scene.call("ann", "POST", "replays", {**both, "dry_run": True})).status == 200
        assert ((await scene.call("ann", "POST", "replays", both)).status, scene.sent(), scene.noted()) == (409, [], [])
        assert (await scene.call("ann", "POST", "replays", {"ids": [AT_TARGET]})).status == 200

    played(tmp_path, scenario, {"plan": 2})
