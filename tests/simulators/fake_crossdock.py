"""Stands in for `python -m crossdock` in test_day.py: hands every event on to a target as soon as it is accepted.

FAKE says how it misbehaves: `unbalanced`, `broken` (ends at the start), `deaf` (ignores SIGTERM), `silent` (no events).
"""

import asyncio
import json
import os
import signal
import sys

import aiohttp
from aiohttp import web

FAKE = os.environ.get("FAKE", "")
TRACKED = json.dumps({"shipment": "S-1", "carrier": "UPS", "status": "delivered"})
LEDGER = {"balanced": True, "sources": [{"source": "tills", "in_progress": 0}], "routes": [], "unexplained": []}


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def up() -> None:
    stop = asyncio.Event()
    ignored = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, (ignored if FAKE == "deaf" else stop).set)
    async with aiohttp.ClientSession() as session:

        async def accept(request: web.Request) -> web.Response:
            document = await request.json()
            events = document if isinstance(document, list) else [document]
            items = [{"id": event["id"], "status": "accepted"} for event in events]
            for item in [] if FAKE == "silent" else items:
                await deliver(session, item["id"])
            return web.json_response({"items": items} if isinstance(document, list) else items[0], status=202)

        app = web.Application()
        app.router.add_post("/v1/events", accept)
        app.router.add_get("/ops/v1/overview", overview)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        say(json.dumps({"event": "ready", "gateway": url, "console": url, "ops_token": "t", "data": "d"}))
        await stop.wait()
        await runner.cleanup()


async def overview(request: web.Request) -> web.Response:
    assert request.headers["Authorization"] == "Bearer t"
    return web.json_response(
        {"routes": [{"route": "r", "lag": 0}], "waiting": 0, "sources": [], "dead_letters": 0, "recent": []}
    )


async def deliver(session: aiohttp.ClientSession, event_id: str) -> None:
    headers = {"Content-Type": "application/json", "ce-specversion": "1.0", "ce-source": "s", "ce-id": event_id}
    for name in ("ERP", "WMS", "OMS"):
        more = {**headers, "ce-type": "shipment.tracked", "Idempotency-Key": event_id}
        async with session.post(os.environ[f"{name}_URL"], data=TRACKED, headers=more) as response:
            await response.read()


def main() -> int:
    if FAKE == "broken":
        say("the disk is full")
        return 1
    if sys.argv[1] == "up":
        asyncio.run(up())
    elif sys.argv[1] == "key":
        say(json.dumps({"id": "1", "key": "secret", "partner": sys.argv[4]}))
    elif "--json" in sys.argv:
        say(json.dumps(LEDGER))
    else:
        say("the ledger as a table")
        return int(FAKE == "unbalanced")
    return 0


if __name__ == "__main__":
    sys.exit(main())
