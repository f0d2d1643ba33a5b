"""The paths of API keys in the operations API, with a key book in memory."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from fastapi import FastAPI

from console.access import gate
from console.desk import Desk
from console.door import Door
from console.keys import add_keys
from crossdock.adapters.memory import MemoryKeys, MemoryUses
from crossdock.adapters.memoryaudit import MemoryAudit
from crossdock.kernel.apikeys import KeyRecord, record_of
from crossdock.pipeline.recorder import now_ms
from dlq.audit import Audit
from tests import smallproject
from tests.asgi import Answer, call
from tests.console.accessmade import open_access

HOOK = smallproject.source("shop", "stores").replace("{api_key: true}", "{shopify: {secret: s}}")
HOOK = HOOK.replace("accept: cloudevents", "accept: webhook\nevent: {id: body.id, type: '\"pos.sale\"'}")
FILES = {
    "gateway/handhelds.yaml": smallproject.source("handhelds", "stores", "match: /handheld").replace(
        "[pos.sale]", "[inventory.sold]"
    ),
    "gateway/acme.yaml": smallproject.source("acme", "acme-supplies"),
    "gateway/shop.yaml": HOOK,
}


@dataclass
class Office:
    """The paths of keys, with a key book in memory."""

    root: Path
    keys: MemoryKeys = field(default_factory=MemoryKeys)
    uses: MemoryUses = field(default_factory=MemoryUses)

    def __post_init__(self) -> None:
        known = smallproject.project(self.root, FILES)
        self.app = FastAPI()
        audit = Audit(MemoryAudit())
        desk = SimpleNamespace(project=known, keys=self.keys, last_uses=self.uses.last, audit=audit)
        add_keys(self.app, cast(Desk, desk), gate)
        self.app.add_middleware(Door, access=open_access("t"))

    async def call(self, method: str, path: str = "", body: Any = None) -> Answer:
        sent = b"" if body is None else json.dumps(body).encode()
        return await call(
            self.app,
            method,
            f"/ops/v1/keys{path}",
            {"authorization": "Bearer t", "content-type": "application/json"},
            sent,
        )

    async def make(self, **wanted: Any) -> dict[str, Any]:
        answer = await self.call("POST", "", {"partner": "stores", **wanted})
        assert answer.status == 201, answer.body
        return cast(dict[str, Any], answer.json())

    async def listed(self) -> list[dict[str, Any]]:
        return cast(list[dict[str, Any]], (await self.call("GET")).json()["items"])

    def holder(self, key: str, later: int = 0) -> KeyRecord | None:
        return record_of(self.keys, key, now_ms() + later)
