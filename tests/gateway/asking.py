"""The gateway's application for those who only ask: callers by a header, a journal in memory, nothing behind POST."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request

from bench.partner import partner_itself
from crossdock.adapters.sql import SqlJournal
from crossdock.kernel.problems import refuse
from crossdock.project import Project
from gateway.app import create_app
from gateway.caller import Caller
from journal.entry import Entry
from tests.asgi import Answer, call
from tests.smallproject import TILLS, edited, project, source

CHANGES = {
    **edited(TILLS, "accept:", "match: /till/\naccept:"),
    "gateway/kiosks.yaml": source("kiosks", "stores", "match: /kiosk/"),
    "gateway/acme.yaml": source("acme", "acme"),
}


@dataclass
class Desk:
    """The application and what it reads."""

    app: FastAPI
    project: Project
    journal: SqlJournal
    callers: dict[str, Caller]

    def note(self, *lines: Entry) -> None:
        self.journal.project(lines, self.journal.position() + 1)

    async def get(self, path: str, who: str = "stores") -> Answer:
        return await call(self.app, "GET", path, {"authorization": f"Bearer {who}"})


def desk(root: Path, changes: Mapping[str, str | None] | None = None) -> Desk:
    """Open it for the partners `stores`, with two sources, and `acme`."""
    loaded = project(root, {**CHANGES, **(changes or {})})
    callers = {partner: partner_itself(loaded, partner) for partner in ("stores", "acme")}

    @asynccontextmanager
    async def who(request: Request) -> AsyncIterator[Caller]:
        caller = callers.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if caller is None:
            raise refuse("unauthorized", "no valid credential")
        yield caller

    nothing: Any = None
    journal = SqlJournal("sqlite://")
    return Desk(create_app(loaded, nothing, who, journal, lambda: True, lambda _: None), loaded, journal, callers)
