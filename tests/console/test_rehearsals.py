"""`POST /ops/v1/plans/{plan}/dry-run`: what a plan would do; nothing is sent by it."""

import asyncio
from pathlib import Path
from typing import Any

from console.planned import planned as planned_of
from crossdock.kernel import jsontext
from dlq.plans import Item
from tests.asgi import Answer, call
from tests.console.letterscene import AT_TARGET, NAME, Scene, played
from tests.console.opsmade import TOKEN, Office, office


async def tried(made: Office, plan: str, archive: bytes = b"") -> Answer:
    headers = {"authorization": f"Bearer {TOKEN}"}
    return await call(made.app, "POST", f"/ops/v1/plans/{plan}/dry-run", headers, archive)


async def planned(made: Office) -> str:
    document: Any = (await made.call("POST", "/ops/v1/plans", {"ids": ["dl-1"]})).json()
    return str(document["id"])


def test_a_dry_run_tells_what_passes_and_sends_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = office(tmp_path)
        plan = await planned(made)
        found = (await tried(made, plan)).json()
        assert (found["plan"], found["total"], found["looked_at"], found["passes"]) == (plan, 1, 1, 1)
        assert (found["order_conflicts"], found["maybe_known_to_target"]) == ({"count": 0, "ids": []},) * 2
        assert (await tried(made, plan, b"files")).json()["revision"] == "new"
        assert made.streams.records == []
        (noted,) = (await made.call("GET", "/ops/v1/audit")).json()["items"]  # of other content, which may tell more
        assert (noted["act"], noted["on"], noted["detail"]) == ("plan.try", plan, {"content": "given"})

    asyncio.run(scenario())


def test_a_plan_warns_of_what_fails_by_its_last_dry_run(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = office(tmp_path)
        plan = await planned(made)
        for archive, warned in ((b"bad", ["the dry run says that 1 of 1 fail again"]), (b"", [])):
            await tried(made, plan, archive)
            shown = (await made.call("GET", f"/ops/v1/plans/{plan}?report=false")).json()
            assert [one for one in shown["warnings"] if "fail" in one] == warned

    asyncio.run(scenario())


def test_content_that_is_none_and_a_plan_that_is_none_are_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = office(tmp_path)
        answer = await tried(made, await planned(made), b"broken")
        assert (answer.status, answer.json()["problems"][0]["code"]) == (422, "bad_bundle")
        assert (await tried(made, "rp-0")).status == 404

    asyncio.run(scenario())


def test_a_patch_that_is_tried_is_noted_as_it_may_ask_for_what_nobody_is_shown(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = office(tmp_path)
        patch = [{"op": "test", "path": "/data/location", "value": "STORE-0042"}]
        plan = (await made.call("POST", "/ops/v1/plans", {"ids": ["dl-1"], "patch": patch})).json()
        # when
        assert (await tried(made, plan["id"])).status == 200
        # then
        (noted,) = (await made.call("GET", "/ops/v1/audit")).json()["items"]
        assert (noted["act"], noted["on"]) == ("plan.try", plan["id"])
        assert noted["detail"] == {"content": "in force", "patch": jsontext.dumps(patch).decode()}

    asyncio.run(scenario())


def test_why_a_patch_does_not_fit_quotes_no_personal_value(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        # given
        known = scene.journal.known([AT_TARGET])[AT_TARGET]
        item = Item(known.id, known.event_id, known.ref, known.failures)
        patch = '[{"op": "copy", "from": "/data/customer", "path": "/data/lines"}]'
        plan = await scene.desk.replayer.plans.make([item], "ann", "", 500, edit="ed-1", patch=patch)
        # when
        found = await planned_of(scene.desk, plan, 10)
        # then
        ((letter, why),) = found.unfit
        assert (letter, "/lines" in why, "***" in why, NAME in why) == (AT_TARGET, True, True, False)

    played(tmp_path, act)
