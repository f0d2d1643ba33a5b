"""A replay plan that is cancelled at a random point, and another that is killed at random points: nothing is lost."""

import asyncio
import random
from collections import defaultdict
from pathlib import Path
from typing import Any

from simulators.targets import Control
from tests.faults.installation import Site, running
from tests.faults.samples import sale

ROUTE = "stock-to-erp"
STORES = ("0017", "0042", "0058", "0103", "0121")


async def fail_all(site: Site, number: int) -> None:
    """Let the ERP refuse sales of some stores, those of each store in order, until all are dead letters."""
    site.targets["erp"].control = Control("status", status=400)

    async def day(first: int) -> None:
        for n in range(first, number, len(STORES)):
            status, _, answer = await site.post(sale(n, store=STORES[first]))
            assert status == 202, answer

    await asyncio.gather(*map(day, range(len(STORES))))
    await site.settled(number)
    while len(await opened(site)) < number:  # noqa: ASYNC110  the journal is behind
        await asyncio.sleep(0.2)
    site.targets["erp"].control = Control()


async def opened(site: Site) -> list[dict[str, Any]]:
    _, found = await site.ops("GET", f"/ops/v1/dead-letters?state=open&route={ROUTE}&limit=10000")
    items: list[dict[str, Any]] = found.get("items", [])
    return items


async def looked(site: Site, plan: str, done: int, *states: str) -> dict[str, Any]:
    """Wait until a plan has come so far, or has one of these states."""
    while True:
        status, found = await site.ops("GET", f"/ops/v1/plans/{plan}")
        if status == 200 and (found["state"] in states or (not states and found["done"] >= done)):
            return dict(found)
        await asyncio.sleep(0.05)


async def begun(site: Site, total: int, rate: int) -> str:
    """Begin a plan of all that is open, at most so many a second."""
    status, plan = await site.ops("POST", "/ops/v1/plans", {"route": ROUTE, "why": "the ERP is back", "rate": rate})
    assert (status, plan["total"], plan["past_retention"]) == (201, total, 0)
    assert (await site.ops("POST", f"/ops/v1/plans/{plan['id']}/run"))[0] == 200
    return str(plan["id"])


async def all_home(site: Site, number: int) -> None:
    """Each sale was booked once, those of each store in their order."""
    ledger = await site.settled()
    assert [row["dead_lettered"] for row in ledger["routes"] if row["route"] == ROUTE] == [0]
    of_store = defaultdict[str, list[int]](list)
    for effect in site.targets["erp"].effects.values():
        of_store[effect.order_key].append(int(effect.id.removeprefix("sale-")))
    assert sorted(n for sales in of_store.values() for n in sales) == list(range(number))
    assert all(sales == sorted(sales) for sales in of_store.values())


def test_a_plan_that_is_cancelled_and_one_that_is_killed_bring_each_dead_letter_home_once_and_in_order(
    tmp_path: Path, events: int
) -> None:
    number = max(1000, events // 2)

    async def scenario() -> None:
        async with running(tmp_path, events=2 * number) as site:
            # given
            await fail_all(site, number)
            # when one plan is cancelled somewhere
            first = await begun(site, number, 200)
            await looked(site, first, random.randrange(1, number // 3))
            await site.ops("POST", f"/ops/v1/plans/{first}/cancel")
            await looked(site, first, 0, "cancelled")
            await site.settled()
            await site.journal_caught_up()
            left = len(await opened(site))
            cut = await looked(site, first, 0, "cancelled")
            assert (cut["done"], cut["sent"]) == (number - left, number - left)
            assert 0 < left < number
            # and another one loses the process that sends, and the worker that delivers
            second = await begun(site, left, 500)
            await looked(site, second, random.randrange(left // 2))
            old = site.kill("ops"), site.kill("worker-0")
            await site.replaced("ops", old[0])
            await site.replaced("worker-0", old[1])
            done = await looked(site, second, 0, "done")
            # then
            assert (done["sent"], done["skipped"], done["gone"]) == (left, 0, 0)
            await all_home(site, number)
            while await opened(site):  # noqa: ASYNC110  the journal is behind
                await asyncio.sleep(0.2)
            # and the same again sends nothing
            assert (await site.ops("POST", f"/ops/v1/plans/{second}/run"))[0] == 409
            verdict = await site.command("audit", "verify")
            assert (verdict["valid"], verdict["entries"] >= 3) == (True, True)

    asyncio.run(scenario())
