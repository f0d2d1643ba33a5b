"""A desk to which partners sent what they should not have, with hostile names and texts in it."""

import json
import time
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Locator

from crossdock.kernel.apikeys import make_key
from crossdock.kernel.stream import DIGEST, VERSION, Record
from journal import entry
from journal.entry import Entry
from tests.console.chromium import Seen
from tests.console.deskmade import HOSTILE, Office
from tests.smallproject import SALE, SOLD, TILLS, source, write_schema

BUTTON: Final = "button"
NAME = "<img src=x onerror=alert(1)>"  # longer names are not kept
LINE = {"gtin": "1", "qty": 2}
FILES: dict[str, str | None] = {
    TILLS: f"description: {json.dumps(HOSTILE)}\n" + source("tills", "stores", "limits: {rate: 50/s, quota: 100000/d}"),
    "gateway/far.yaml": source("far", "quiet"),
    "schemas/pos.sale/schema.yaml": f"owner: {json.dumps(HOSTILE)}\ndeprecated: {{'1.0': {json.dumps(HOSTILE)}}}\n",
}


def prepare(root: Path) -> None:
    """Write a second version of a sale, which has the till too, and one of a movement that breaks what it promised."""
    buyer = {"type": "string", "description": HOSTILE, "x-crossdock-personal": True}
    sale: dict[str, Any] = dict(SALE)
    store = {**sale["properties"]["store"], "x-crossdock-key": "store"}
    named = {**sale["properties"], "store": store, "buyer": buyer}
    write_schema(root, "pos.sale", "1.1", {**SALE, "properties": named, "title": HOSTILE})
    write_schema(root, "spare.type", "1.0", SOLD)
    write_schema(root, "spare.type", "1.1", {**SOLD, "required": ["location", "lines", "count"]})


async def happen(made: Office) -> None:
    """Let sales come with more than their schema names, some that are refused, and requests that prove nothing."""
    colours: tuple[dict[str, Any], ...] = ({}, {NAME: 1, "colour": "red"}, {"colour": None})
    for number, more in enumerate(colours):
        data = {"store": "0042", "receipt": "7", "lines": [LINE | more]}
        await _came(made, f"{HOSTILE} {number}" if number else "e0", data)
    drifts, now = made.desk.drifts, int(time.time() * 1000)
    await drifts.look()
    refused: dict[str, Any] = {"store": "0042", "receipt": None, "lines": [], NAME: 1}
    for one in (refused, refused, {"receipt": "7", "lines": []}):
        drifts.refused({"source": "tills", "type": "pos.sale", "version": "1.0", "id": HOSTILE, "data": one})
    for count in (0, 40):
        told = {("stores", HOSTILE[:40]): count, ("stores", "invalid_json"): count // 2}
        drifts.known.refused({"gateway": told}, now)
    made.desk.journal.project([one for number in range(90) for one in _sold(number, now)], 50)
    _, record = make_key("stores", now)
    await made.keys.put(record)


async def _came(made: Office, name: str, data: dict[str, Any]) -> None:
    event = {"specversion": "1.0", "id": name, "source": "/till/1", "type": "pos.sale", "data": data}
    kept = {"content-type": "application/cloudevents+json", VERSION: "1.0", DIGEST: "x"}
    await made.streams.append(Record("raw.stores.tills", json.dumps(event).encode(), name, kept))


def _sold(number: int, now: int) -> tuple[Entry, Entry]:
    """Return the entries of an event that was accepted and, but for every tenth, processed."""
    first = Entry(now, entry.GATEWAY, entry.ACCEPTED, "stores", "tills", id=f"s{number}", raw=1000 + number)
    if number % 10:
        return first, first._replace(stage=entry.PROCESS, outcome=entry.ROUTED, type="inventory.sold", seq=number)
    return first, first._replace(stage=entry.PROCESS, outcome=entry.QUARANTINED, dead_letter=f"dl-{number}")


def finding(seen: Seen, name: str) -> str:
    """Return the address of the page of a finding."""
    found = seen.page.request.get(f"{seen.desk.url}/ops/v1/drift?kind={name}").json()["items"]
    return f"/drift/{found[0]['id']}"


def make(seen: Seen, **texts: str) -> Locator:
    """Fill in the dialog for a new key and send it."""
    seen.page.get_by_role(BUTTON, name="Make a key …").click()
    dialog = seen.page.get_by_role("dialog")
    for label, text in texts.items():
        dialog.get_by_label(label).fill(text)
    dialog.get_by_role(BUTTON, name="Make it").click()
    return dialog
