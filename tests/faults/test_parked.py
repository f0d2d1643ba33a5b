"""`kill -9` while events wait for a row: when it appears they are all delivered, each once, and every sum comes out."""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

from tests.faults.installation import Site, running, until
from tests.faults.samples import sale

EVENTS = 40
KNOWN, LATE = "9520123400019", "9520123499999"
ITEM = {
    "$id": "crossdock:/item.updated/1.0",
    "title": "Item updated",
    "description": "An item of the assortment is new or changed.",
    "type": "object",
    "properties": {"gtin": {"type": "string"}, "sku": {"type": "string"}},
    "required": ["gtin", "sku"],
}
MASTER = """\
source: master
partner: stores
accept: cloudevents
types: [item.updated]
verify: {api_key: true}
"""
FED = ("item: lookups/items.csv", "item: {events: item.updated, key: gtin, unresolved: park}")
MORE = {"gateway/master.yaml": MASTER, "schemas/item.updated/1.0.json": json.dumps(ITEM, indent=2)}


def item(gtin: str, number: int = 1) -> dict[str, Any]:
    data = {"gtin": gtin, "sku": f"SKU-{gtin}"}
    return {"specversion": "1.0", "id": f"i-{gtin}-{number}", "source": "/erp", "type": "item.updated", "data": data}


def of(gtin: str, number: int) -> dict[str, Any]:
    return sale(number, lines=[{"gtin": gtin, "qty": 1, "price": "6.89"}])


async def post_all(site: Site, events: list[dict[str, Any]]) -> None:
    for event in events:
        status, _, answer = await site.post(event)
        assert status == 202, answer


async def waiting(site: Site) -> int:
    _, found = await site.ops("GET", "/ops/v1/dead-letters?state=open&reason=lookup_waiting&limit=1000")
    return len(found.get("items", ()))


async def are_parked(site: Site, number: int) -> None:
    while await waiting(site) != number:  # noqa: ASYNC110  only the operations API tells
        await asyncio.sleep(0.1)


def test_a_worker_that_is_killed_before_and_after_the_row_appears_strands_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, {"transforms/pos_sale.yaml": [FED]}, more=MORE) as site:
            # given
            await post_all(site, [item(KNOWN), *(of(LATE, n) for n in range(EVENTS))])
            await are_parked(site, EVENTS)
            # when
            first = site.kill("worker-0")
            await post_all(site, [item(LATE)])
            await site.replaced("worker-0", first)
            await until(lambda: site.targets["erp"].effects, "the first of them are delivered")
            second = site.kill("worker-0")
            await post_all(site, [of(KNOWN, n) for n in range(EVENTS, EVENTS + 5)])
            await site.replaced("worker-0", second)
            # then
            ledger = await site.settled()
            for name in ("erp", "oms"):
                arrived = Counter(effect.id for effect in site.targets[name].effects.values())
                assert arrived == {f"sale-{n}": 1 for n in range(EVENTS + 5)}
            (row,) = [row for row in ledger["sources"] if row["source"] == "tills"]
            assert (row["routed"], row["dead_lettered"]) == (EVENTS + 5, 0)
            await site.journal_caught_up()
            assert await waiting(site) == 0

    asyncio.run(scenario())
