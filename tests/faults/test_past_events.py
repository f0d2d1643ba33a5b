"""`kill -9` in the middle of a backfill, and while a delivery waits for another event: nothing is lost or doubled."""

import asyncio
from pathlib import Path
from typing import Any

from tests.faults.installation import Site, running, until
from tests.faults.samples import sale

ROUTE = "stock-to-erp"
EVENTS = 150
LATE = """\
routes:
  - route: late
    from: [inventory.sold]
    when: $event.id = "sale-1"
    to: erp
    after: {key: '"0042/R-2"', type: inventory.sold}
"""


async def asked(site: Site, path: str, *wanted: Any) -> dict[str, Any]:
    """Ask until what is told of the path has one of these states."""
    while True:
        status, found = await site.ops("GET", path)
        if status == 200 and found["state"] in wanted:
            return dict(found)
        await asyncio.sleep(0.1)


async def waits(site: Site) -> None:
    """Wait until a worker tells that the delivery waits."""
    while True:
        _, overview = await site.ops("GET", "/ops/v1/overview")
        if any(one.get("waiting") == 1 for one in overview.get("routes", ()) if one["route"] == "late"):
            return
        await asyncio.sleep(0.1)


def test_what_waits_and_what_is_backfilled_outlive_kills(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, more={"routes/late.yaml": LATE}) as site:
            erp = site.targets["erp"]
            # given a delivery that waits for another event
            await site.post(sale(1))
            await waits(site)
            # when its worker is killed, and later the other event comes
            await site.replaced("worker-0", site.kill("worker-0"))
            await waits(site)
            assert [effect.id for effect in erp.effects.values()] == ["sale-1"]
            await asyncio.gather(*(site.post(sale(n)) for n in range(2, EVENTS + 1)))
            # then it comes behind that
            before = await site.settled()
            came = [effect.id for effect in erp.effects.values()]
            assert (came.count("sale-1"), len(came)) == (2, EVENTS + 1)
            assert came.index("sale-2") < len(came) - came[::-1].index("sale-1") - 1
            await sent_again(site)
            assert (await site.settled())["routes"] == before["routes"]
            await gives_up(site)

    asyncio.run(scenario())


async def gives_up(site: Site) -> None:
    """Discard a dead letter: it is never sent again, and every sum comes out."""
    unknown = sale(0, lines=[{"gtin": "9520123499999", "qty": 1, "price": "6.89"}])
    await site.post(unknown)
    await site.settled()
    await site.journal_caught_up()
    (letter,) = (await site.command("dlq", "list", "--state", "open"))["items"]
    done = await site.command("dlq", "discard", letter["id"], "--reason", "a test", "--yes")
    assert [item["outcome"] for item in done["items"]] == ["discarded"]
    await site.journal_caught_up()
    assert [one["state"] for one in (await site.command("dlq", "list"))["items"]] == ["discarded"]
    replayed = await site.command("dlq", "replay", letter["id"], "--yes")
    assert [item["outcome"] for item in replayed["items"]] == ["skipped"]
    await site.settled()


async def sent_again(site: Site) -> None:
    """Send all events through the first route again, by a process that is killed and by the command."""
    path, erp = f"/ops/v1/routes/{ROUTE}/backfill", site.targets["erp"]
    # when all events go through the first route again, and the process that sends them is killed
    status, planned = await site.ops("POST", path, {"from": "beginning", "dry_run": True})
    assert (status, planned["total"], planned["state"]) == (200, EVENTS, "planned")
    repeats = erp.repeats
    assert (await site.ops("POST", path, {"from": "beginning"}))[0] == 200
    await site.replaced("ops", site.kill("ops"))
    done = await asked(site, path, "done")
    # then the target has seen them all again, and knew every one
    assert (done["sent"], done["total"]) == (EVENTS, EVENTS)
    await until(lambda: erp.repeats >= repeats + EVENTS, "all events have come again")
    assert len(erp.effects) == EVENTS + 1
    await site.settled()
    await site.journal_caught_up()
    told = [hop["detail"] for hop in (await site.command("trace", "sale-1"))["hops"]]
    assert "waiting for inventory.sold 0042/R-2" in told
    assert f"backfill {done['id']}" in told
    # and the commands do the same
    again = await site.command("route", "backfill", ROUTE, "--from", "beginning", "--yes")
    assert (again["state"], again["sent"]) == ("done", EVENTS)
    assert (await site.command("route", "stop-backfill", ROUTE))["id"] == again["id"]
    listed = {one["route"]: one for one in (await site.command("route", "list"))["routes"]}
    assert (listed["late"]["parked"], 0 < listed["late"]["in_flight"] <= 64) == ([], True)  # fewer for a slow target
