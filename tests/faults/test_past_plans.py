"""A plan over past events that is killed: each target has each event once and in order, and the sums are even."""

import asyncio
import random
from pathlib import Path

from tests.faults.installation import Site, running, until
from tests.faults.samples import sale
from tests.faults.test_plans import ROUTE, STORES, looked

EVENTS = 120


async def sold(site: Site) -> None:
    """Let each store sell in its own order."""

    async def day(store: int) -> None:
        for number in range(store, EVENTS, len(STORES)):
            assert (await site.post(sale(number, store=STORES[store])))[0] == 202

    await asyncio.gather(*map(day, range(len(STORES))))
    await site.settled(EVENTS)
    await site.journal_caught_up()


async def again(site: Site, **wanted: object) -> str:
    """Make a plan over all sales of the day; each is in it."""
    events = {"from": "2020-01-01T00:00Z", "type": "pos.sale"}
    status, plan = await site.ops("POST", "/ops/v1/plans", {"events": events, "to": "all", "rate": 200, **wanted})
    assert (status, plan["total"], plan["of"]) == (201, EVENTS, "events"), plan
    return str(plan["id"])


async def killed(site: Site, plan: str) -> None:
    """Run a plan, and kill who sends it and who delivers at a point."""
    assert (await site.ops("POST", f"/ops/v1/plans/{plan}/run"))[0] == 200
    await looked(site, plan, random.randrange(EVENTS // 2))
    old = site.kill("ops"), site.kill("worker-0")
    await site.replaced("ops", old[0])
    await site.replaced("worker-0", old[1])
    done = await looked(site, plan, 0, "done")
    assert (done["sent"], done["skipped"], done["gone"]) == (EVENTS, 0, 0)


async def by_command(site: Site) -> None:
    """Send one event again by the commands alone."""
    words = ("--key", "sale-7", "--targets", "all", "--target", ROUTE, "--raw", "--why", "a test")
    plan = await site.command("dlq", "plan", *words)
    assert (plan["total"], plan["from_stage"], plan["routes"], plan["reason"]) == (1, "raw", [ROUTE], "a test")
    assert (await site.command("dlq", "dry-run", plan["id"]))["targets"][0]["route"] == ROUTE
    done = await site.command("dlq", "run", plan["id"], "--yes")
    assert (done["state"], done["sent"], done["warnings"]) == ("done", 1, [])
    await site.settled()
    assert (await site.command("dlq", "report", plan["id"]))["failed_again"] == []
    assert plan["id"] in [one["id"] for one in (await site.command("dlq", "plans"))["items"]]


async def delivered(site: Site, plan: str) -> int:
    """Return how many of a plan have come to the route, as its report says."""
    report = (await looked(site, plan, 0, "done"))["report"]
    assert report["counted"] == EVENTS
    return sum(row.get("delivered", 0) for row in report["targets"] if row["target"] == ROUTE)


def test_past_events_go_again_as_they_are_or_from_the_raw_event_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, events=20 * EVENTS) as site:
            # given
            await sold(site)
            erp, before = site.targets["erp"], await site.settled()
            effects = list(erp.effects)
            # when all go to one route again, with a kill in the middle
            repeats = erp.repeats
            plan = await again(site, routes=[ROUTE])
            _, tried = await site.ops("POST", f"/ops/v1/plans/{plan}/dry-run")
            assert (tried["passes"], tried["delivered_already"]["count"], tried["effects"]) == (
                EVENTS, EVENTS, {"same": EVENTS},
            )  # fmt: skip
            await killed(site, plan)
            await until(lambda: erp.repeats >= repeats + EVENTS, "all have come again")
            # and all through the process step, to every route that wants them
            anew = await again(site, from_stage="raw")
            await killed(site, anew)
            await until(lambda: erp.repeats >= repeats + 2 * EVENTS, "all have come again")
            # then the target knew each, and the sums say what they said
            assert list(erp.effects) == effects
            after = await site.settled()
            assert (after["sources"], after["routes"]) == (before["sources"], before["routes"])
            for one in (plan, anew):
                while await delivered(site, one) < EVENTS:  # noqa: ASYNC110  the journal is behind
                    await asyncio.sleep(0.2)
            await by_command(site)

    asyncio.run(scenario())
