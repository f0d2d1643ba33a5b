"""`kill -9` in the middle of traffic: a partner hears of every outcome of its events, whatever was killed."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks import Webhook

from crossdock.kernel.event import decode_structured
from crossdock.kernel.problems import Refused
from tests.faults.installation import Site, running, until
from tests.faults.traffic import Traffic

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NAME = "callback-tills"
BROKEN_EVERY = 7  # messages, of which the receiver takes the first attempt badly
Told = tuple[str, str, str]  # id, status and route


class Hook:
    """A partner's receiver that fails now and then; what it believed, with the ids that were used for it."""

    def __init__(self) -> None:
        self.told: dict[Told, set[str]] = {}
        self._tries = Counter[str]()

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        data = Webhook(SECRET).verify(body, dict(request.headers))["data"]
        self._tries[message := request.headers["webhook-id"]] += 1
        if self._tries[message] == 1 and len(self._tries) % BROKEN_EVERY == 0:
            return web.Response(status=500)
        told = data["id"], data["status"], data.get("route", "")
        self.told.setdefault(told, set()).add(message)
        return web.Response(status=204)


@asynccontextmanager
async def receiving() -> AsyncIterator[tuple[Hook, int]]:
    hook, app = Hook(), web.Application()
    app.router.add_post("/hooks", hook.take)
    async with TestServer(app) as server:
        assert server.port is not None
        yield hook, server.port


def promised(site: Site, traffic: Traffic) -> set[Told]:
    """Return what must be told of everything that the tills were answered 2xx for."""
    wanted: set[Told] = set()
    for device, envelope in traffic.accepted():
        if device.kind == "tills":
            wanted |= set(_outcomes(site, envelope))
    return wanted


def _outcomes(site: Site, envelope: Any) -> list[Told]:
    event = decode_structured(orjson.dumps(envelope)).extended(partner="stores")
    try:
        made = site.project.canonical(event, site.project.check(event))
    except Refused:
        return [(event.id, "dead_lettered", "")]
    return [(event.id, "delivered", route.name) for route in site.project.matching(made)]


@pytest.mark.parametrize("name", ["worker-0", "nats"])
def test_a_killed_process_leaves_no_outcome_untold(name: str, tmp_path: Path, events: int) -> None:
    async def scenario() -> None:
        async with receiving() as (hook, port):
            told = f"{{url: http://127.0.0.1:{port}/hooks, secret: {SECRET}, networks: [127.0.0.0/8]}}"
            change = {"gateway/tills.yaml": [("dedupe: ", f"callback: {told}\ndedupe: ")]}
            async with running(tmp_path, change, events=events) as site:
                # given
                traffic = Traffic(site, events)
                # when
                async with traffic.flowing():
                    await traffic.part(0.5)
                    await site.replaced(name, site.kill(name))
                # then
                wanted = promised(site, traffic)
                await until(lambda: hook.told.keys() >= wanted, "everything is told", 60)
                ledger = await site.settled(events)
                assert hook.told.keys() == wanted
                assert [ids for ids in hook.told.values() if len(ids) != 1] == []
                (row,) = [row for row in ledger["routes"] if row["route"] == NAME]
                assert (row["matched"], row["delivered"]) == (len(wanted), len(wanted))
                trace = await site.command("trace", next(iter(wanted))[0])
                assert (NAME, "delivered") in {(hop.get("route"), hop["outcome"]) for hop in trace["hops"]}

    asyncio.run(scenario())
