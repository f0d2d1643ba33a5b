"""The operations application with all its ports in memory, and one dead letter in it."""

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from console.api import create_app
from console.desk import Desk
from console.identity import Access
from crossdock.adapters.memory import MemoryKeys, MemoryUses
from crossdock.adapters.memoryaudit import MemoryAudit
from crossdock.adapters.memorybackfills import MemoryBackfills
from crossdock.adapters.memoryrecords import MemoryRecords
from crossdock.adapters.memorysample import MemorySample
from crossdock.adapters.sql import SqlJournal
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Lag, Message
from crossdock.pipeline.backfiller import Backfiller
from crossdock.pipeline.drifting import Drifts
from crossdock.pipeline.driftstore import Known
from crossdock.pipeline.unreadable import Unreadable
from dlq.approvals import Approvals
from dlq.audit import Audit
from dlq.problems import Marks
from dlq.record import DeadLetter
from journal import entry
from journal.entry import Entry
from journal.ledger import Ledger
from tests.asgi import Answer, call
from tests.console.accessmade import open_access
from tests.console.office import Examined, OpenOffice, alarm, nothing_tried, replayer
from tests.pipeline.scene import FlakyLog
from tests.smallproject import project

TOKEN = "token-of-the-operator"
ACCEPTED = Entry(1, entry.GATEWAY, entry.ACCEPTED, "stores", "tills", "s-1", "/till/1", "pos.sale", raw=1)
ROUTED = Entry(
    2, entry.PROCESS, entry.ROUTED, "stores", "tills", "s-1", "/till/1", "inventory.sold", 1, 5, key="0042/7"
)
DEAD = Entry(
    3, entry.DELIVER, entry.DEAD_LETTERED, "stores", "tills", "s-1", "/till/1", "inventory.sold", 1, 5, "stock",
    "0042/7",
    "refused", "HTTP 400", 7, "dl-1",
)  # fmt: skip
CANONICAL = (
    b'{"specversion":"1.0","id":"s-1","source":"/till/1","type":"inventory.sold","dataschema":"x:/inventory.sold/1.0",'
    b'"data":{"location":"STORE-0042","lines":[],"n":9007199254740993}}'
)
LETTER = DeadLetter(
    "dl-1", "deliver", "stores", "tills", "stock", "s-1", "inventory.sold", "refused", "HTTP 400", (), 2, 1, 2, 5, 5,
    "event.inventory.sold", {"Crossdock-Raw": "1"}, CANONICAL, "0042/7",
)  # fmt: skip


@dataclass
class Office:
    """The application with all its ports in memory, and what was done."""

    app: Any
    keys: MemoryKeys
    streams: FlakyLog
    journal: SqlJournal
    drifts: Drifts
    unreadable: Unreadable
    pauses: list[tuple[str, bool]] = field(default_factory=list)
    unparked: list[str] = field(default_factory=list)

    async def call(self, method: str, path: str, body: Any = None, token: str = TOKEN) -> Answer:
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        return await call(self.app, method, path, headers, b"" if body is None else json.dumps(body).encode())


class Letters:
    """One dead letter."""

    async def get(self, seq: int) -> DeadLetter | None:
        return LETTER if seq == 7 else None


@dataclass
class Held:
    """What the streams hold."""

    streams: FlakyLog

    async def past(self, since: int, after: int, limit: int) -> list[Message]:
        found = [self.streams.message(seq) for seq in range(1, len(self.streams.records) + 1)]
        if not (since or after):
            return found[-limit:]
        return [m for m in found if m.seq > after and m.time * 1000 >= since][:limit]

    async def stored(self, _: str, seq: int) -> Message | None:
        return self.streams.message(seq) if 0 < seq <= len(self.streams.records) else None


def office(root: Path, away: bool = False, access: Access | None = None) -> Office:
    keys, streams, journal, pauses = MemoryKeys(), FlakyLog(), SqlJournal("sqlite://"), list[tuple[str, bool]]()
    unparked: list[str] = []

    async def ledger() -> Ledger:
        if away:
            raise Unavailable("nats: away")
        return Ledger([{"source": "tills"}], [], [])

    async def lags() -> dict[str, Lag]:
        return {"stock": Lag("route-stock", 3), "process": Lag("process", 2)}

    async def pause(name: str, paused: bool) -> None:
        pauses.append((name, paused))

    async def unpark(letters: Collection[str]) -> None:
        unparked.extend(letters)

    backfills, held = MemoryBackfills(streams), Held(streams)
    desk = Desk(
        project=project(root), journal=journal, keys=keys, last_uses=MemoryUses().last, letters=Letters(),
        streams=streams, stored=held.stored, past=held.past, ledger=ledger, prove=lambda _: ledger(),
        last_ledger=lambda: None, unreadable=Unreadable(MemoryRecords(), Metrics().unreadable), lags=lags,
        states=lambda: {"stock": {"breaker": "open", "behind": True}}, polls=dict, pause=pause,
        metrics=lambda: b"crossdock_x 1\n", asyncapi=lambda: {"asyncapi": "3.0.0"},
        office=OpenOffice(), backfiller=Backfiller(backfills, backfills, streams, lambda: desk.project),
        audit=Audit(MemoryAudit()), marks=Marks(MemoryRecords()), alerts=alarm(lambda: desk.project),
        rehearse=nothing_tried, unpark=unpark,
        examiner=Examined(lambda: desk.project), approvals=Approvals(MemoryRecords()), second_person={},
        replayer=replayer(journal, Letters(), streams, lambda: desk.project),
        drifts=Drifts(MemorySample(streams), Known(MemoryRecords()), lambda: desk.project), processes=journal.processes,
        conformance=journal.processes.pairs,
    )  # fmt: skip
    journal.project([ACCEPTED, ROUTED, DEAD], 1)
    app = create_app(desk, access or open_access(TOKEN))
    return Office(app, keys, streams, journal, desk.drifts, desk.unreadable, pauses, unparked)
