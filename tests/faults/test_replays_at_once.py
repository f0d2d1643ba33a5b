"""People and plans that send the same dead letters at once: each goes once, and who did not send it is told so."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

from tests.faults.installation import Site, running
from tests.faults.test_plans import ROUTE, fail_all, looked, opened

FEW, EACH = 2, 6  # dead letters that people send at once, and of one plan
NUMBER = FEW + 2 * EACH
PATCH = [{"op": "add", "path": "/data/till", "value": "T-9"}]


async def paused(site: Site) -> None:
    """Pause the route, and wait until its worker has heard of it."""
    assert (await site.ops("POST", f"/ops/v1/routes/{ROUTE}/pause", {"reason": "for the test"}))[0] == 200
    while True:
        _, seen = await site.ops("GET", "/ops/v1/overview")
        if [one["breaker"] for one in seen.get("routes", ()) if one["route"] == ROUTE] == ["paused"]:
            return
        await asyncio.sleep(0.1)


async def at_once(site: Site, letter: str) -> list[dict[str, Any]]:
    """Let two people replay a dead letter and two others edit it; return what each is told."""
    edit = {"patch": PATCH, "why": "the till was unplugged"}
    answers = await asyncio.gather(
        site.ops("POST", "/ops/v1/replays", {"ids": [letter]}),
        site.ops("POST", f"/ops/v1/dead-letters/{letter}/edit", edit),
        site.ops("POST", "/ops/v1/replays", {"ids": [letter]}),
        site.ops("POST", f"/ops/v1/dead-letters/{letter}/edit", edit),
    )
    return [found["items"][0] if "items" in found else found for _, found in answers]


async def paused_and_overtaken(site: Site, ids: list[str], **more: Any) -> None:
    """Pause a plan in order, send what is left one by one, and let the plan go on: it counts what it sent alone."""
    wanted = {"ids": ids, "why": "the ERP is back", "rate": 2, **more}
    _, plan = await site.ops("POST", "/ops/v1/plans", wanted)
    await site.ops("POST", f"/ops/v1/plans/{plan['id']}/run")
    await looked(site, plan["id"], 1)
    await site.ops("POST", f"/ops/v1/plans/{plan['id']}/pause")
    sent = (await looked(site, plan["id"], 0, "paused"))["sent"]
    assert 0 < sent < len(ids)
    _, singles = await site.ops("POST", "/ops/v1/replays", {"ids": ids})
    assert Counter(one["outcome"] for one in singles["items"]) == {"sent": len(ids) - sent, "skipped": sent}
    await site.ops("POST", f"/ops/v1/plans/{plan['id']}/run")
    done = await looked(site, plan["id"], 0, "done")
    assert (done["sent"], done["skipped"], done["gone"]) == (sent, len(ids) - sent, 0)


def test_whoever_sends_a_dead_letter_first_has_sent_it_and_nobody_else(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as site:
            # given dead letters of a route that is paused, so that all that is sent waits
            await fail_all(site, NUMBER)
            ids = [one["id"] for one in await opened(site)]
            await paused(site)
            asked = site.targets["erp"].requests
            # when several people act on one at once
            for letter in ids[:FEW]:
                told = await at_once(site, letter)
                # then one of them has sent it, and the others are told why not
                assert Counter(one.get("outcome", "refused") for one in told)["sent"] == 1
                others = [one for one in told if one.get("outcome") != "sent"]
                assert all("reason" in one or "is replaying" in one["detail"] for one in others), others
            # and when people overtake a plan that is paused
            await paused_and_overtaken(site, ids[FEW : FEW + EACH])
            await paused_and_overtaken(site, ids[FEW + EACH :], from_stage="raw")
            # then each reaches the target once
            await site.ops("POST", f"/ops/v1/routes/{ROUTE}/resume", {"reason": "for the test"})
            ledger = await site.settled()
            (row,) = [one for one in ledger["routes"] if one["route"] == ROUTE]
            assert (row["delivered"], row["dead_lettered"]) == (NUMBER, 0)
            assert len(site.targets["erp"].effects) == site.targets["erp"].requests - asked == NUMBER
            assert (await site.command("audit", "verify"))["valid"]

    asyncio.run(scenario())
