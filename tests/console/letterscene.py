"""Two dead letters of one event with a customer in it, one of each stage, and people who work on them."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from fastapi import Depends, FastAPI, HTTPException, Request

from console.access import Role
from console.approvals import add_approvals
from console.desk import Desk
from console.edits import add_edits
from console.letters import add_letters
from console.replays import add_replays
from crossdock.adapters.memory import MemoryLog
from crossdock.adapters.memoryaudit import MemoryAudit
from crossdock.adapters.memoryrecords import MemoryRecords
from crossdock.adapters.sql import SqlJournal
from crossdock.kernel.event import STRUCTURED, Event, decode_structured, encode_structured
from crossdock.kernel.problems import Problem
from crossdock.kernel.stream import RAW_SEQ, SOURCE, VERSION, Message, Record
from dlq.approvals import Approvals
from dlq.audit import Audit, AuditEntry
from dlq.record import DeadLetter, letter_id, raw_letter
from journal import entry
from journal.entry import Entry, unpack
from tests import smallproject
from tests.asgi import Answer, call
from tests.console.office import Examined, replayer

PERSONAL = {"type": "string", "x-crossdock-personal": True}
NAME = "Ada Lovelace"
EXACT = 9007199254740993
SALE = {"store": "0042", "receipt": "7", "lines": [{"gtin": "99", "qty": 1}, {"gtin": "2", "qty": 1}], "customer": NAME}
SOLD = {"location": "STORE-0042", "lines": [{"item": "TEA"}, {"item": "TEA"}], "customer": NAME, "till": EXACT}
RAW_EVENT = Event("s-1", "/till/1", "pos.sale", SALE, "2026-11-21T09:30:00Z", dataschema="crossdock:/pos.sale/1.1")
MADE = Event("s-1", "/till/1", "inventory.sold", SOLD, dataschema="crossdock:/inventory.sold/1.1")
AT_PROCESS, AT_TARGET = letter_id("process", "tills", 1), letter_id("deliver", "stock", 2)
ROLES = {"vera": Role.VIEWER, "ann": Role.OPERATOR, "bob": Role.OPERATOR}
FROM_OUTSIDE = ("oidc:ann~1", "oidc:ann~2", "oidc:ann.berg~1")  # two people, of whom the first has two names
ROLES |= dict.fromkeys(FROM_OUTSIDE, Role.OPERATOR)


def changes() -> dict[str, str | None]:
    """Return version 1.1 of both types, with a customer, whom the map for the target renames."""
    files = smallproject.edited(smallproject.STOCK, "    to: erp\n", "    to: erp\n    map: erp_stock\n")
    files["transforms/targets/erp_stock.yaml"] = 'map: \'{"site": location, "who": "card of " & customer}\'\n'
    for type_, schema in (("pos.sale", smallproject.SALE), ("inventory.sold", smallproject.SOLD)):
        named = {"$id": f"crossdock:/{type_}/1.1", "title": type_, "description": "for a test"}
        fields: dict[str, Any] = {**schema["properties"], "customer": PERSONAL}  # type: ignore[dict-item]
        files[f"schemas/{type_}/1.1.json"] = json.dumps({**named, **schema, "properties": fields}, indent=2)
    return files


@dataclass
class Scene:
    """The paths of dead letters over memory; `second` says which acts take a second person."""

    root: Path
    second: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.streams, self.journal, self.log = MemoryLog(), SqlJournal("sqlite://"), MemoryAudit()
        self.letters: dict[int, DeadLetter] = {}
        self.app, audit = FastAPI(), Audit(self.log)
        project = smallproject.project(self.root, changes())
        self.desk = cast(Desk, SimpleNamespace(
            project=project, journal=self.journal, letters=self, streams=self.streams, stored=self.stored, audit=audit,
            examiner=Examined(lambda: self.desk.project), approvals=Approvals(MemoryRecords()),
            second_person=self.second, unpark=self.unpark,
            replayer=replayer(self.journal, self, self.streams, lambda: self.desk.project),
        ))  # fmt: skip
        for add in (add_letters, add_edits, add_approvals, add_replays):
            add(self.app, self.desk, _gate)

    async def get(self, seq: int) -> DeadLetter | None:
        return self.letters.get(seq)

    async def stored(self, _: str, seq: int) -> Message | None:
        return self.streams.message(seq) if 0 < seq <= len(self.streams.records) else None

    async def unpark(self, _: Any) -> None:
        """Nothing is parked."""

    async def fill(self) -> None:
        """Store the event, raw as 1 and canonical as 2, and a dead letter of each, in DLQ as 7 and 8."""
        kinds = {"content-type": STRUCTURED, VERSION: "1.1"}
        await self.streams.append(Record("raw.stores.tills", encode_structured(RAW_EVENT), "a", kinds))
        await self.streams.append(
            Record("event.inventory.sold", encode_structured(MADE), "b", {SOURCE: "tills", RAW_SEQ: "1"})
        )
        missing = Problem("lookup_missing", f"item has no 99 for {NAME}", pointer="/lines/0/gtin")
        self.letters[7] = raw_letter(
            self.streams.message(1), RAW_EVENT, (missing,), partner="stores", source="tills", at=5, revision="old"
        )
        raw, made = self.letters[7], self.streams.message(2)
        self.letters[8] = DeadLetter(
            AT_TARGET, "deliver", "stores", "tills", "stock", "s-1", "inventory.sold", "refused", "HTTP 422: no",
            ({"code": "refused", "message": f"HTTP 422: no card of {NAME}"},), 2, 3, 4, 2, 2, made.subject,
            dict(made.headers), made.payload, "0042/7", "old",
            sent={"method": "POST", "url": "http://erp/x", "headers": {}, "body": {"who": f"card of {NAME}"}},
            heard={"status": 422, "headers": {"x-request-id": "r-1"}, "body": f"no card of {NAME}"},
        )  # fmt: skip
        line = Entry(1, entry.GATEWAY, entry.ACCEPTED, "stores", "tills", "s-1", "/till/1", "pos.sale", raw=1)
        dead = line._replace(at=2, stage=entry.PROCESS, outcome=entry.DEAD_LETTERED, reason="lookup_missing")
        late = dead._replace(at=3, stage=entry.DELIVER, seq=2, route="stock", reason="refused", type="inventory.sold")
        self.journal.project(
            [
                line,
                dead._replace(dead_letter=AT_PROCESS, ref=7, detail=raw.detail),
                late._replace(dead_letter=AT_TARGET, ref=8, detail=f"HTTP 422: no card of {NAME}"),
            ],
            1,
        )

    async def call(self, who: str, method: str, path: str, body: Any = None) -> Answer:
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"x-person": who, "content-type": "application/json"}
        return await call(self.app, method, f"/ops/v1/{path}", headers, raw)

    async def patch(self, letter: str, patch: Any, who: str = "ann", **more: Any) -> Answer:
        wanted = {"patch": patch, "why": "wrong till", **more}
        return await self.call(who, "POST", f"dead-letters/{letter}/edit", wanted)

    async def acts(self) -> list[AuditEntry]:
        """Return what the audit log has, oldest first."""
        return (await Audit(self.log).newest(100))[0][::-1]

    def sent(self) -> list[Record]:
        """Return what was stored after the beginning, but for the journal."""
        return [record for record, _ in self.streams.records[2:] if record.subject != entry.SUBJECT]

    def noted(self) -> list[Entry]:
        """Return what was noted in the journal."""
        found = [record for record, _ in self.streams.records if record.subject == entry.SUBJECT]
        return [line for record in found for line in unpack(record.payload)]


def _gate(wanted: Role) -> Any:
    def allowed(request: Request) -> None:
        name = request.headers["x-person"]
        request.state.person, request.state.role = name, ROLES[name]
        if ROLES[name] < wanted:
            raise HTTPException(403, "no")

    return Depends(allowed)


def played(root: Path, act: Callable[[Scene], Awaitable[None]], second: Mapping[str, int] | None = None) -> None:
    """Run an act on a scene."""

    async def scenario() -> None:
        scene = Scene(root, second or {})
        await scene.fill()
        await act(scene)
        scene.journal.close()

    asyncio.run(scenario())


def event_of(record: Record) -> Event:
    """Return the event of a record that was sent."""
    return decode_structured(record.payload)
