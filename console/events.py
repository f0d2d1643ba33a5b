"""`/ops/v1/events`: events looked for, and what became of one; called by `console.api`."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Query, Response
from pydantic import BaseModel, Field

from console.access import Gate, Role
from console.answers import json_answer
from console.backfills import moment
from console.desk import Desk
from console.traces import with_traces
from console.views import show_journey
from journal import keys
from journal.entry import Entry
from journal.search import MOST, Page, Search

Outcome = Literal[
    "", "accepted", "routed", "matched", "delivered", "duplicate", "skipped", "retried", "waiting", "dead_lettered",
    "quarantined", "discarded", "replayed",
]  # fmt: skip
Word = Annotated[str, Field(max_length=1000)]


class Sought(BaseModel, extra="forbid"):
    """What events are looked for; see `journal.search.Search`. All that is named must fit."""

    key: Word = ""
    kind: Word = ""
    partner: Word = ""
    source: Word = ""
    route: Word = ""
    outcome: Outcome = ""
    reason: Word = ""
    since: Annotated[str, Field(alias="from")] = ""
    to: str = ""


class Wanted(Sought):
    """A page of what is looked for, as the address says it."""

    after: Annotated[str, Field(pattern=r"^([0-9]{1,18}(\.[0-9]{1,18})?)?$")] = ""
    limit: Annotated[int, Field(ge=1, le=MOST)] = 100


def add_events(app: FastAPI, desk: Desk, gate: Gate) -> None:
    """Add the paths."""

    @app.get("/ops/v1/events", dependencies=[gate(Role.VIEWER)])
    async def events(wanted: Annotated[Wanted, Query()]) -> Response:
        return json_answer(_shown(await asyncio.to_thread(desk.journal.search, _search(wanted))))

    @app.get("/ops/v1/events/{key:path}", dependencies=[gate(Role.VIEWER)])
    async def journey(key: str) -> Response:
        return json_answer(await with_traces(desk, await show_journey(desk, key)))


def _search(wanted: Wanted) -> Search:
    if "." in wanted.after and wanted.key:
        raise HTTPException(422, "after: it is the end of a page of another search")
    named = wanted.model_dump(exclude={"since", "to"})
    return Search(**named, since=milliseconds("from", wanted.since), until=milliseconds("to", wanted.to))


def milliseconds(name: str, text: str) -> int:
    """Read a date and time that a person gave as Unix milliseconds, 0 for none; 422 when it is no time."""
    return int(moment(name, text).timestamp() * 1000) if text else 0


def _shown(page: Page) -> dict[str, Any]:
    return {"items": [_item(line) for line in page.items], "next": page.next}


def _item(line: Entry) -> dict[str, Any]:
    found = {name: value for name, value in line._asdict().items() if value and name != "keys"}
    return found | {"keys": [{"kind": kind, "value": value} for kind, value in keys.read(line.keys)]}
