"""`POST /ops/v1/plans/{plan}/dry-run`: what a plan would do; nothing is sent by it."""

import asyncio
from pathlib import Path
from typing import Any

from tests.asgi import Answer, call
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
        assert (await made.call("GET", "/ops/v1/audit")).json()["items"] == []

    asyncio.run(scenario())


def test_content_that_is_none_and_a_plan_that_is_none_are_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = office(tmp_path)
        answer = await tried(made, await planned(made), b"broken")
        assert (answer.status, answer.json()["problems"][0]["code"]) == (422, "bad_bundle")
        assert (await tried(made, "rp-0")).status == 404

    asyncio.run(scenario())
