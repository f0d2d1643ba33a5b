"""Events out of RAW, mapped and posted to their targets: `python -m bench.handwritten.router`."""

import asyncio
from typing import Any

import httpx
from faststream import AckPolicy, FastStream
from faststream.nats import JStream, NatsBroker, NatsMessage, PullSub
from redis.asyncio import Redis

from bench.handwritten.contract import NATS_URL, REDIS_URL, TARGETS, fault

DURABLE = "router"
_PAUSES = (0.2, 0.4)  # seconds between three attempts
_REMEMBERED = 86_400  # seconds

broker = NatsBroker(NATS_URL, logger=None)
seen = Redis.from_url(REDIS_URL)
client = httpx.AsyncClient(timeout=5)


def canonical(event: dict[str, Any]) -> dict[str, Any]:
    """Return the stock movement of a sale."""
    sale = event["data"]
    lines = [
        {
            "item": line["sku"],
            "gtin": line["gtin"],
            "quantity": line["qty"],
            "unit": line["uom"],
            "amount": line["price"],
        }
        for line in sale["lines"]
    ]
    return {
        "event_id": event["id"],
        "event_type": "inventory.sold",
        "occurred_at": event["time"],
        "location": f"STORE-{sale['store']}",
        "lines": lines,
        "line_count": len(lines),
        "total": sale["total"],
        "business_key": f"{sale['store']}/{sale['receipt']}",
    }


def targets(sale: dict[str, Any]) -> list[str]:
    """Return who gets a sale."""
    big = any(line["qty"] >= 5 for line in sale["lines"])
    return ["erp", *(["wms"] if big else []), *(["oms"] if sale["customer"] is not None else [])]


async def deliver(target: str, event: dict[str, Any], body: dict[str, Any]) -> None:
    """Post to a target in three attempts, then make a dead letter."""
    for pause in (*_PAUSES, None):
        try:
            (await client.post(f"{TARGETS[target]}/{target}", json=body)).raise_for_status()
            return
        except httpx.HTTPError as error:
            if pause is None:
                await bury(event, target, repr(error))
            else:
                await asyncio.sleep(pause)


async def bury(event: dict[str, Any], where: str, why: str) -> None:
    """Store a dead letter."""
    await broker.publish(event, "dlq.sales", stream="DLQ", headers={"where": where, "why": why[:200]})


@broker.subscriber(
    "raw.sales",
    stream=JStream("RAW", declare=False),
    durable=DURABLE,
    pull_sub=PullSub(batch_size=8, timeout=1),
    ack_policy=AckPolicy.MANUAL,
)
async def route(event: dict[str, Any], message: NatsMessage) -> None:
    """Take one event from RAW to its targets."""
    if wrong := fault(event):
        await bury(event, "schema", wrong)
    elif await seen.set(f"seen:{event['id']}", 1, nx=True, ex=_REMEMBERED):
        body = canonical(event)
        await asyncio.gather(*(deliver(target, event, body) for target in targets(event["data"])))
    await message.ack()


if __name__ == "__main__":
    asyncio.run(FastStream(broker).run())
