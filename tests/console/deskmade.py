"""The operations application on memory and SQLite, with a hostile dead letter in it, served on a real port."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from console.api import create_app
from console.desk import Desk
from console.identity import Access
from crossdock.adapters.memory import MemoryKeys, MemoryLog, MemoryUses
from crossdock.adapters.memoryaudit import MemoryAudit
from crossdock.adapters.memorybackfills import MemoryBackfills
from crossdock.adapters.memoryrecords import MemoryRecords
from crossdock.adapters.memorysample import MemorySample
from crossdock.adapters.sql import SqlJournal
from crossdock.kernel.event import STRUCTURED
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.stream import RAW_SEQ, VERSION, Lag, Message
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
from tests import smallproject
from tests.console.accessmade import open_access
from tests.console.office import Examined, OpenOffice, alarm, nothing_tried, replayer

TOKEN = "t0ken"
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
BIG = "9007199254740993"
_DATA = f'{{"location":"x","lines":[],"note":"{BIG}","n":{BIG},"text":"\\u003cb>"}}'
_HEAD = '"specversion":"1.0","id":"s","source":"/till/1","type":"inventory.sold"'
PAYLOAD = f'{{{_HEAD},"dataschema":"crossdock:/inventory.sold/1.0","data":{_DATA}}}'.encode()
AT = 1_790_000_000_000


@dataclass
class Office:
    """The desk and what a person did at it."""

    url: str = ""
    access: Access | None = None
    paused: dict[str, bool] = field(default_factory=dict)
    streams: MemoryLog = field(default_factory=MemoryLog)
    keys: MemoryKeys = field(default_factory=MemoryKeys)
    uses: MemoryUses = field(default_factory=MemoryUses)
    office: OpenOffice = field(default_factory=OpenOffice)
    desk: Desk = field(init=False)
    states: dict[str, dict[str, Any]] = field(default_factory=lambda: {"stock": {"breaker": "open", "behind": True}})

    async def get(self, seq: int) -> DeadLetter | None:
        """Be the store of dead letters: there is one."""
        return DeadLetter(
            "dl-1", "deliver", "stores", "tills", "stock", HOSTILE, "inventory.sold", "refused", HOSTILE, (), 1, AT, AT,
            1, 1, "event.inventory.sold", {RAW_SEQ: "1"}, PAYLOAD,
        ) if seq == 7 else None  # fmt: skip

    async def stored(self, _: str, seq: int) -> Message | None:
        """Be a stream that holds all, and in the place of the first the event of the dead letter where that is none."""
        if seq == 1 and not self.streams.records:
            return Message(1, "raw.stores.tills", PAYLOAD, {"content-type": STRUCTURED, VERSION: "1.0"}, 1, AT / 1000)
        return self.streams.message(seq) if 0 < seq <= len(self.streams.records) else None

    async def past(self, since: int, after: int, limit: int) -> list[Message]:
        """Be the stream of raw events, of which the newest are asked for by no more than their number."""
        messages = [self.streams.message(seq) for seq in range(1, len(self.streams.records) + 1)]
        return [message for message in messages if message.seq > after and message.time * 1000 >= since][-limit:]

    async def unpark(self, letters: Collection[str]) -> None:
        """Be what is parked: nothing."""

    async def pause(self, route: str, paused: bool) -> None:
        self.paused[route] = paused
        self.states[route] = {"breaker": "paused" if paused else "closed", "behind": paused}


def lines() -> list[Entry]:
    """Return the journey of one event with a hostile id, up to its dead letter and a repeat."""
    first = Entry(
        AT, entry.GATEWAY, entry.ACCEPTED, "stores", "tills", id=HOSTILE, origin="/till/1", type="pos.sale", raw=1
    )
    made = first._replace(
        at=AT + 5, stage=entry.PROCESS, outcome=entry.ROUTED, type="inventory.sold", key="0042/7", seq=1
    )
    dead = made._replace(at=AT + 9, stage=entry.DELIVER, outcome=entry.DEAD_LETTERED, route="stock", ref=7)
    dead = dead._replace(reason="refused", detail=HOSTILE, dead_letter="dl-1", attempts=1)
    seen = Entry(AT + 7, entry.DELIVER, entry.MATCHED, source="stores.tills", id=HOSTILE, raw=1, seq=1)
    seen = seen._replace(detail="feed-0-of-1", routes="stock", behind="orders")
    return [first, made, seen, dead, first._replace(at=AT + 10, outcome=entry.DUPLICATE, detail="repeats raw event 1")]


@asynccontextmanager
async def office(
    folder: Path, changes: Mapping[str, str | None] | None = None, dress: Callable[[FastAPI], None] = lambda _: None
) -> AsyncIterator[Office]:
    """Serve the desk on a free port; `dress` adds to the application what the operations API has not."""
    made, journal = Office(), SqlJournal("sqlite://")
    journal.project(lines(), 1)

    async def ledger() -> Ledger:
        lost = {"stream": "RAW", "seq": 3, "event_id": HOSTILE, "at": "tills", "why": "no outcome was recorded"}
        return Ledger([{"source": "tills", "accepted": 1}], [{"route": "stock", "matched": 1}], [lost], missing=1)

    async def lags() -> dict[str, Lag]:
        return {"stock": Lag("route-stock", 3)}

    backfills = MemoryBackfills(made.streams)
    desk = Desk(
        project=smallproject.project(folder, changes), journal=journal, keys=made.keys,
        last_uses=made.uses.last, letters=made, streams=made.streams, stored=made.stored, past=made.past,
        ledger=ledger, prove=lambda _: ledger(), last_ledger=lambda: None,
        unreadable=Unreadable(MemoryRecords(), Metrics().unreadable), lags=lags, states=lambda: made.states, polls=dict,
        pause=made.pause, metrics=lambda: b"", asyncapi=dict, office=made.office,
        backfiller=Backfiller(backfills, backfills, made.streams, lambda: desk.project),
        audit=Audit(MemoryAudit()), marks=Marks(MemoryRecords()), alerts=alarm(lambda: desk.project),
        drifts=Drifts(MemorySample(made.streams), Known(MemoryRecords()), lambda: desk.project),
        processes=journal.processes, conformance=journal.processes.pairs, rehearse=nothing_tried, unpark=made.unpark,
        examiner=Examined(lambda: desk.project), approvals=Approvals(MemoryRecords()), second_person={},
        replayer=replayer(journal, made, made.streams, lambda: desk.project),
    )  # fmt: skip
    listening = socket.create_server(("127.0.0.1", 0))
    made.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    made.access, made.desk = open_access(TOKEN), desk
    dress(app := create_app(desk, made.access))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve([listening]))
    try:
        yield made
    finally:
        server.should_exit = True
        await serving
        journal.close()
