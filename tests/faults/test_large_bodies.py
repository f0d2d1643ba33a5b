"""Events of 5 MiB, which no broker takes as a message: to the target byte for byte, as dead letters, through kills."""

import asyncio
import hashlib
import io
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from aiohttp import ClientError, web

from crossdock.adapters import claims
from crossdock.kernel.stream import EVENTS
from crossdock.supervisor import datafolder
from tests.faults.installation import Changes, Site, running
from tests.realservers import connected

SIZE = 5 << 20
ROUTE = "scans-to-archive"
CHANGES: Changes = {"config.yaml": [("body: 1MiB ", "body: 8MiB ")]}
SCHEMA = """{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$id": "crossdock:/doc.scanned/1.0",
  "title": "Scanned document",
  "description": "A delivery note as the scanner saw it.",
  "type": "object"
}"""


class Archive:
    """A target that keeps what it gets: the digest of each body, by event id."""

    def __init__(self) -> None:
        self.status = 200
        self.asked = 0
        self.taken: dict[str, str] = {}

    async def take(self, request: web.Request) -> web.Response:
        """Take one event, or answer what the test wants."""
        body, self.asked = await request.read(), self.asked + 1
        if self.status == 200:
            self.taken[request.headers["ce-id"]] = hashlib.sha256(body).hexdigest()
        return web.Response(status=self.status)


def content(port: int) -> dict[str, str]:
    """Return the files of a source that takes scanned documents, and of the route to the archive."""
    return {
        "schemas/doc.scanned/1.0.json": SCHEMA,
        "gateway/scans.yaml": "source: scans\npartner: stores\naccept: cloudevents\ntypes: [doc.scanned]\n"
        "verify: {api_key: true}\nlimits: {body: 6MiB}\n",
        "routes/scans.yaml": f"routes:\n  - route: {ROUTE}\n    from: [doc.scanned]\n    to: archive\n",
        "connectors/archive.yaml": f"connector: archive\nkind: http\nurl: http://127.0.0.1:{port}/scans\n"
        "networks: [127.0.0.0/8]\n",
    }


@asynccontextmanager
async def archived(folder: Path) -> AsyncIterator[tuple[Site, Archive]]:
    """Run an installation with a source of large events and the target they go to."""
    archive, app = Archive(), web.Application(client_max_size=2 * SIZE)
    app.router.add_post("/scans", archive.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with running(folder, CHANGES, more=content(runner.addresses[0][1])) as site:
            yield site, archive
    finally:
        await runner.cleanup()


def scan(number: int) -> dict[str, Any]:
    """Return an event of 5 MiB; its data is other text each time."""
    text = random.Random(number).randbytes(SIZE // 2).hex()
    head = {"specversion": "1.0", "id": f"scan-{number}", "source": "urn:scanner:1", "type": "doc.scanned"}
    return {**head, "data": {"text": text}}


def digest(event: dict[str, Any]) -> str:
    """Return what the archive must have of it."""
    return hashlib.sha256(orjson.dumps(event["data"])).hexdigest()


async def post(site: Site, event: dict[str, Any]) -> tuple[int, Any]:
    """Post one event; return status and document of the answer."""
    headers = {"X-API-Key": site.keys["stores"], "Content-Type": "application/cloudevents+json"}
    body = io.BytesIO(orjson.dumps(event))
    async with site.session.post(site.ready.gateway + "/v1/events", data=body, headers=headers) as answer:
        return answer.status, orjson.loads(await answer.read())


async def send(site: Site, event: dict[str, Any]) -> str:
    """Send an event as a careful partner does, again until it is answered 202; return the word."""
    while True:
        try:
            status, answer = await post(site, event)
        except (ClientError, OSError):
            await asyncio.sleep(0.1)
            continue
        if status == 202:
            return str(answer["status"])
        assert status in (429, 502, 503), answer
        await asyncio.sleep(0.1)


async def dead(site: Site, event_id: str) -> dict[str, Any]:
    """Wait for the open dead letter of an event and return it."""
    while True:
        _, found = await site.ops("GET", "/ops/v1/dead-letters")
        for letter in found.get("items", ()):
            if letter["event_id"] == event_id:
                return dict(letter)
        await asyncio.sleep(0.1)


async def routed(site: Site, number: int) -> None:
    """Wait until so many scans are behind the process step."""
    while True:
        _, ledger = await site.ops("GET", "/ops/v1/ledger")
        if any((row["source"], row["routed"]) == ("scans", number) for row in ledger.get("sources", ())):
            return
        await asyncio.sleep(0.1)


async def purge(site: Site) -> None:
    """Take away all large bodies, as a disk does that is given back half empty."""
    data = Path(site.ready.data)
    secrets, port = datafolder.credentials(data), orjson.loads((data / "ports.json").read_bytes())["nats"]
    url = f"nats://{secrets.nats_user}:{secrets.nats_password}@127.0.0.1:{port}"
    async with connected(url) as client:
        stored = (await client.jetstream().stream_info(EVENTS)).state
        assert stored.bytes < SIZE
        await client.jetstream().purge_stream(claims.STREAM)


def test_large_events_outlive_kills_dead_letters_and_the_loss_of_one_of_them(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with archived(tmp_path) as (site, archive):
            await outlives_kills(site, archive)
            await is_replayed(site, archive)
            await loses_one(site, archive)

    asyncio.run(scenario())


async def outlives_kills(site: Site, archive: Archive) -> None:
    # given
    events = {f"scan-{number}": scan(number) for number in range(6)}
    # when
    sending = [asyncio.create_task(send(site, event)) for event in events.values()]
    for name in ("gateway", "worker-0"):
        await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED, timeout=0.1)
        await site.replaced(name, site.kill(name))
    await asyncio.gather(*sending)
    # then
    await site.settled(len(events))
    assert archive.taken == {name: digest(event) for name, event in events.items()}
    assert await send(site, scan(0)) == "duplicate"


async def is_replayed(site: Site, archive: Archive) -> None:
    # given
    archive.status = 422
    await send(site, scan(6))
    letter = await dead(site, "scan-6")
    assert (letter["reason"], letter["route"]) == ("refused", ROUTE)
    # when
    archive.status = 200
    await site.command("dlq", "replay", letter["id"], "--yes")
    # then
    assert sums(await site.settled()) == (7, 7, 0)
    assert archive.taken["scan-6"] == digest(scan(6))
    await site.journal_caught_up()
    assert (await site.command("trace", "scan-6"))["hops"][-1]["outcome"] == "delivered"


async def loses_one(site: Site, archive: Archive) -> None:
    # given an event that waits for its route, in no process any more, and its body is gone
    assert (await site.ops("POST", f"/ops/v1/routes/{ROUTE}/pause"))[0] == 200
    await send(site, scan(7))
    await routed(site, 8)
    await purge(site)
    await site.replaced("worker-0", site.kill("worker-0"))
    # when
    assert (await site.ops("POST", f"/ops/v1/routes/{ROUTE}/resume"))[0] == 200
    # then it is a dead letter that says so, and others go their way
    letter = await dead(site, "")
    assert letter["reason"] == "body_lost" and "of the bucket BODIES" in letter["detail"]
    await send(site, scan(8))
    assert sums(await site.settled()) == (9, 8, 1)
    assert archive.taken["scan-8"] == digest(scan(8))


def sums(ledger: dict[str, Any]) -> tuple[int, int, int]:
    """Return what the route matched, delivered and gave up."""
    (row,) = [row for row in ledger["routes"] if row["route"] == ROUTE]
    return row["matched"], row["delivered"], row["dead_lettered"]
