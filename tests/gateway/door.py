"""The gateway's application on memory ports with two partners, and how they send."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from crossdock.adapters.memory import MemoryKeys, MemoryUses
from crossdock.adapters.memorygateway import MemoryAnswers, MemoryBuckets
from crossdock.adapters.sql import SqlJournal
from crossdock.kernel.apikeys import make_key
from crossdock.kernel.event import Event
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.stream import Record
from crossdock.pipeline.commit import GroupCommit
from crossdock.pipeline.recorder import Recorder
from crossdock.project import Project, load
from gateway.assembly import Gateway, Ground
from gateway.ingest import Ingest
from tests.asgi import Answer, call
from tests.pipeline.scene import FlakyLog
from tests.smallproject import ENV, TILLS, edited, source, write

BODY_LIMIT = 20_000
SOURCE_LIMIT = 2048
CHANGES = {
    **edited(TILLS, "[pos.sale]\n", "[pos.sale]\nlimits: {body: 2KiB, batch: 5}\n"),
    "gateway/acme.yaml": source("acme", "acme-supplies"),
}
STRUCTURED, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
SALE = {"store": "0042", "receipt": "7", "lines": [{"gtin": "1", "qty": 2}]}


def document(id_: str = "s-1", **members: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": id_, "source": "/till/1", "type": "pos.sale", "data": SALE, **members}


@dataclass
class Door:
    """The application and what stands behind it."""

    app: ASGIApp
    ingest: Ingest
    project: Project
    raw: FlakyLog
    recorder: Recorder
    journal: SqlJournal
    metrics: Metrics
    keys: MemoryKeys
    key: str
    other_key: str
    unfit: list[tuple[str, str, Event]]

    def stored(self) -> list[Record]:
        return [record for record, _ in self.raw.records if record.subject.startswith("raw.")]

    async def post(
        self, body: Any, media: str = STRUCTURED, headers: Mapping[str, str] | None = None, key: str | None = None
    ) -> Answer:
        raw = body if isinstance(body, bytes | list) and not isinstance(body, dict) else json.dumps(body).encode()
        if isinstance(raw, list) and not all(isinstance(piece, bytes) for piece in raw):
            raw = json.dumps(body).encode()
        given = {"authorization": f"Bearer {key or self.key}", "content-type": media, **(headers or {})}
        return await call(self.app, "POST", "/v1/events", {k: v for k, v in given.items() if v}, raw)

    async def get(self, path: str, key: str | None = None) -> Answer:
        return await call(self.app, "GET", path, {"x-api-key": key or self.key})


async def door(
    root: Path,
    log: FlakyLog | None = None,
    changes: Mapping[str, str | None] | None = None,
    env: Mapping[str, str] | None = None,
) -> Door:
    """Open it: `stores` and `acme-supplies` have a key each."""
    loaded = load(write(root, {**CHANGES, **(changes or {})}), {**ENV, **(env or {})})
    raw, keys, metrics = log or FlakyLog(), MemoryKeys(), Metrics()
    made = []
    for partner in ("stores", "acme-supplies"):
        key, record = make_key(partner, 1)
        await keys.put(record)
        made.append(key)
    recorder, journal = Recorder(raw), SqlJournal("sqlite://")
    commit, answers = GroupCommit(raw), MemoryAnswers()
    unfit: list[tuple[str, str, Event]] = []
    ground = Ground(
        keys, commit, recorder, journal, MemoryUses(), MemoryBuckets(), answers, metrics, lambda: raw.away == 0,
        lambda *one: unfit.append(one),
    )  # fmt: skip
    gateway = Gateway(loaded, ground, BODY_LIMIT)
    return Door(gateway.app, gateway.ingest, loaded, raw, recorder, journal, metrics, keys, made[0], made[1], unfit)
