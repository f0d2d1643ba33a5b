"""A folder that is edited while `up` watches it, and `apply` beside it."""

import asyncio
from pathlib import Path
from typing import Any

from crossdock.contentfiles import revision_of
from tests.faults.installation import Site, running
from tests.faults.test_changes import ERP, everywhere


async def rejected(site: Site) -> dict[str, Any]:
    """Wait until a change was rejected; return its first problem."""
    while True:
        _, told = await site.ops("GET", "/ops/v1/content")
        if told.get("rejected"):
            problem: dict[str, Any] = told["rejected"]["problems"][0]
            return problem
        await asyncio.sleep(0.1)


def test_what_is_saved_goes_live_and_what_is_broken_does_not(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as site:
            root = tmp_path / "project"
            before, text = revision_of(root), (root / ERP).read_text()
            # when a file is saved that is wrong
            (root / ERP).write_text(text.replace("timeout: 15s", "timeut: 15s"))
            # then
            problem = await rejected(site)
            assert (problem["file"], problem["code"]) == (ERP, "unknown_key")
            await everywhere(site, before)
            metrics = await (await site.session.get(f"{site.ready.console}/metrics", headers=site.operator)).text()
            assert "crossdock_content_rejected_total" in metrics
            # when it is put right
            (root / ERP).write_text(text.replace("timeout: 15s", "timeout: 16s"))
            # then
            await everywhere(site, revision_of(root))
            assert (await site.ops("GET", "/ops/v1/content"))[1]["rejected"] is None
            # when the same is applied by hand
            told = await site.command("apply", "--project", str(root))
            assert told == {"revision": revision_of(root), "changed": False, "waiting": []}
            # when it is edited while nothing runs
            await site.stop()
            (root / ERP).write_text(text.replace("timeout: 15s", "timeout: 17s"))
            await site.start()
            # then it is in force as soon as that is ready
            _, told = await site.ops("GET", "/ops/v1/content")
            assert told["revision"] == revision_of(root)

    asyncio.run(scenario())
