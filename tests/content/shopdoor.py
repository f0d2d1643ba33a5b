"""The shipped webhook sources on memory ports, and senders who sign as the vendors do."""

import asyncio
import base64
import hmac
import json
import os
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from crossdock.adapters.memory import MemoryKeys, MemoryUses
from crossdock.adapters.memorygateway import MemoryAnswers, MemoryBuckets
from crossdock.adapters.sql import SqlJournal
from crossdock.kernel import event as events
from crossdock.kernel.event import Event
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.stream import VERSION, Record
from crossdock.pipeline.commit import GroupCommit
from crossdock.pipeline.recorder import Recorder
from crossdock.project import Project
from gateway.assembly import Gateway, Ground
from tests.asgi import Answer, call
from tests.gateway.vectors import ADYEN_KEY
from tests.pipeline.scene import FlakyLog

ROOT = Path(__file__).parents[2]
CORPORA = Path(os.environ.get("CROSSDOCK_SHARED", ROOT.parent / "shared")) / "corpora"
URL = "https://gateway.example.com/v1/sources/square"
ENV = {
    "SHOPIFY_SECRET": "hush",
    "SHOPIFY_OLD_SECRET": "hush of last year",
    "WOOCOMMERCE_SECRET": "outlet secret",
    "SQUARE_SECRET": "signature key",
    "SQUARE_WEBHOOK_URL": URL,
    "ADYEN_HMAC_KEY": ADYEN_KEY,
    "EASYPOST_SECRET": "sécret",
}
JSON = {"content-type": "application/json"}
_OWN = ("content-length", "connection", "accept-encoding")
_SIGNED = {
    "shopify": ("x-shopify-hmac-sha256", "hush", ""),
    "woocommerce": ("x-wc-webhook-signature", "outlet secret", ""),
    "square": ("x-square-hmacsha256-signature", "signature key", URL),
}
_GID = re.compile(r"gid://shopify/\w+/([0-9]+)\Z")

Post = Callable[[str, Mapping[str, str], bytes], Awaitable[Answer]]


class Delivery(NamedTuple):
    """One request of a sender, before it is signed."""

    name: str
    source: str
    headers: Mapping[str, str]
    body: bytes

    def signed(self, secret: str = "") -> dict[str, str]:
        """Return the headers with the signature of a shop."""
        kept = {name: value for name, value in self.headers.items() if name not in _OWN}
        header, own, before = _SIGNED[self.source]
        mac = hmac.digest((secret or own).encode(), before.encode() + self.body, "sha256")
        return {**kept, header: base64.b64encode(mac).decode()}


def captured(source: str) -> Iterator[Delivery]:
    """Return what the corpora have of a source, with the ids that the captures rounded made exact again."""
    for path in sorted((CORPORA / source).glob("*.json")):
        read = json.loads(path.read_bytes())
        if source == "square":
            for one in read:
                yield Delivery(one["event"], source, JSON, json.dumps(one["example"]).encode())
        else:
            body = json.dumps(_exact(read["body"]))
            order = read["headers"].get("x-shopify-order-id", "0")
            rounded = int(Decimal(repr(float(order))))  # the shortest digits of the double, as JavaScript writes it
            body = body.replace(f": {rounded},", f": {order},")
            yield Delivery(path.stem, source, read["headers"], body.encode())


def _exact(value: Any) -> Any:
    if isinstance(value, list):
        return [_exact(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {key: _exact(item) for key, item in value.items()}
    gid = str(value.get("admin_graphql_api_id"))
    if isinstance(value.get("id"), int) and (found := _GID.match(gid)):
        made["id"] = int(found[1])
    if "inventory_item_id=" in gid:
        made["inventory_item_id"] = int(gid.rpartition("=")[2])
    return made


def through(loaded: Project, act: Callable[[Post, FlakyLog], Awaitable[None]]) -> None:
    """Run `act` with a gateway on memory ports."""

    async def scenario() -> None:
        log = FlakyLog()
        ground = Ground(
            MemoryKeys(), GroupCommit(log), Recorder(log), SqlJournal("sqlite://"), MemoryUses(), MemoryBuckets(),
            MemoryAnswers(), Metrics(), lambda: True,
        )  # fmt: skip
        gateway = Gateway(loaded, ground, 512 << 10)

        async def post(source: str, headers: Mapping[str, str], body: bytes) -> Answer:
            return await call(gateway.app, "POST", f"/v1/sources/{source}", headers, body)

        await act(post, log)
        await gateway.close()

    asyncio.run(scenario())


def stored(log: FlakyLog) -> list[Record]:
    """Return what is in RAW."""
    return [record for record, _ in log.records if record.subject.startswith("raw.")]


def canonical(loaded: Project, record: Record) -> Event:
    """Return what processing makes of a raw event."""
    event = events.decode(record.headers, record.payload).extended(partner=record.subject.split(".")[1])
    return loaded.canonical(event, record.headers[VERSION])
