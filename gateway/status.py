"""`GET /v1/events/{id}` and `GET /v1/events`: what became of the caller's own events."""

import asyncio
import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request, Response

from crossdock.kernel import attribute_rules
from crossdock.kernel.problems import Refused, refuse
from crossdock.project import Project
from gateway.caller import Caller
from gateway.journey import STATUSES, Journey, describe, item, journeys
from gateway.pages import NOT_FOUND, Who, json_answer, parameters
from journal import entry
from journal.entry import Entry
from journal.store import Journeys

PATIENCE = 1.0  # seconds a look-up waits for the journal to catch up with an event accepted just now
_STEP = 0.1
PARAMETERS = ("since", "until", "status", "source", "limit", "cursor")
LIMIT, MOST = 100, 1000
SCAN = 5000  # events looked through for one page that a filter makes thin
_SLICE = 200
_SOURCES = 20  # named where an id is ambiguous
_END = 1 << 53
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_PLACE = re.compile(r"(0|[1-9]\d{0,15})\.(0|[1-9]\d{0,15})", re.ASCII)


def add(app: FastAPI, project: Project, who: Who, journal: Journeys) -> None:
    """Add the two look-ups."""

    @app.get("/v1/events/{event_id:path}")
    async def event_status(event_id: str, request: Request) -> Response:
        async with who(request) as caller:
            _may_ask(caller)
            origin = _source(parameters(request, ("source",)))
            found = await look_up(project, journal, caller, event_id, origin)
        if found is None:
            raise Refused([NOT_FOUND])
        return json_answer(found)

    @app.get("/v1/events")
    async def event_list(request: Request) -> Response:
        async with who(request) as caller:
            _may_ask(caller)
            return json_answer(await list_page(project, journal, caller, read_query(request)))


def _may_ask(caller: Caller) -> None:
    if not caller.status:
        raise refuse("not_allowed", "this key may send events but not ask for them", "use a key with the scope status")


async def look_up(
    project: Project, journal: Journeys, caller: Caller, event_id: str, origin: str
) -> dict[str, Any] | None:
    """Return the journey of an event of the caller's, or None when it has none of that id.

    Raises:
        Refused: `ambiguous_id`, several sources used that id.
    """
    if any(attribute_rules.problems({"id": event_id, "source": "-", "type": "-"})):
        return None  # nor could an event of that name be accepted; a database might choke on it
    for _ in range(int(PATIENCE / _STEP)):
        found = await asyncio.to_thread(journal.journey, caller.partner, event_id, origin)
        own = [journey for journey in journeys(found) if journey.belongs_to(caller)]
        if own:
            _only_one_source(own)
            repeated = await _firsts(journal, own)
            return describe(project, event_id, own, repeated)
        await asyncio.sleep(_STEP)
    return None


def _only_one_source(own: list[Journey]) -> None:
    sources = sorted({journey.origin for journey in own if journey.origin})
    if len(sources) > 1:
        hint = f"add ?source= with one of: {', '.join(sources[:_SOURCES])}"
        raise refuse("ambiguous_id", f"{len(sources)} sources used this id", hint)


async def _firsts(journal: Journeys, own: list[Journey]) -> dict[int, Journey]:
    """Return the events that the caller's own ones repeat, by their sequence in RAW."""
    known = {journey.raw: journey for journey in own}
    repeats = {step.ref for journey in own for step in journey.steps if step.outcome == entry.DUPLICATE}
    missing = sorted(repeats - known.keys())
    return known | {
        one.raw: one for one in journeys(await asyncio.to_thread(journal.steps, missing) if missing else [])
    }


@dataclass(frozen=True, slots=True)
class Query:
    """What a list shall hold; `after` is time (Unix milliseconds) and sequence in RAW, `until` is a time."""

    after: tuple[int, int] = (0, -1)
    until: int = _END
    status: str = ""
    source: str = ""
    limit: int = LIMIT


def read_query(request: Request) -> Query:
    """Read the parameters of a list.

    Raises:
        Refused: `invalid_request`.
    """
    given = parameters(request, PARAMETERS)
    status = given.get("status", "")
    if "status" in given and status not in STATUSES:
        raise refuse("invalid_request", f"no status is called {status[:80]}", f"known: {', '.join(STATUSES)}")
    since = (_time("since", given["since"]), -1) if "since" in given else (0, -1)
    after = _read_cursor(given["cursor"]) if "cursor" in given else (0, -1)
    until = _time("until", given["until"]) if "until" in given else _END
    limit = given.get("limit", str(LIMIT))
    if not (limit.isascii() and limit.isdigit() and len(limit) <= len(str(MOST)) and 1 <= int(limit) <= MOST):
        raise refuse("invalid_request", f"limit is from 1 to {MOST}")
    return Query(max(since, after), until, status, _source(given), int(limit))


async def list_page(project: Project, journal: Journeys, caller: Caller, query: Query) -> dict[str, Any]:
    """Return one page of the caller's events; it may be thin while there is a `next`."""
    thin = bool(query.status or query.source)
    items: list[dict[str, Any]] = []
    after, scanned = query.after, 0
    while len(items) < query.limit and scanned < SCAN:
        size = max(_SLICE, query.limit) if thin else query.limit - len(items)
        rows, found = await asyncio.to_thread(_slice, journal, caller.partner, after, query.until, size)
        for row in rows:
            after = row.at, row.raw
            journey = found[row.raw]
            if journey.belongs_to(caller) and query.source in ("", journey.origin):
                line = item(project, journey)
                if query.status in ("", line["status"]):
                    items.append(line)
            if len(items) == query.limit:
                return {"items": items, "next": _cursor(after)}
        if len(rows) < size:
            return {"items": items, "next": None}
        scanned += len(rows)
    return {"items": items, "next": _cursor(after)}


def _slice(
    journal: Journeys, partner: str, after: tuple[int, int], until: int, size: int
) -> tuple[list[Entry], dict[int, Journey]]:
    rows = journal.accepted(partner, after, until, size)
    return rows, {one.raw: one for one in journeys(journal.steps([row.raw for row in rows]) if rows else [])}


def _source(given: Mapping[str, str]) -> str:
    origin = given.get("source", "")
    if "source" in given and any(attribute_rules.problems({"id": "-", "source": origin, "type": "-"})):
        raise refuse("invalid_request", "source is nothing that an event's source can be")
    return origin


def _time(name: str, text: str) -> int:
    """Return Unix milliseconds of an RFC 3339 timestamp."""
    try:
        if not _TIME.fullmatch(text):
            raise ValueError
        return max(0, int(datetime.fromisoformat(text.upper()).astimezone(UTC).timestamp() * 1000))
    except (ValueError, OverflowError):
        hint = "such as 2026-11-21T09:30:00Z; write a + as %2B"
        raise refuse("invalid_request", f"{name} must be an RFC 3339 timestamp with offset", hint) from None


def _cursor(after: tuple[int, int]) -> str:
    """Return where a page ended; it names a place and no partner, so another's cursor shows nothing of theirs."""
    return base64.urlsafe_b64encode(b"%d.%d" % after).decode().rstrip("=")


def _read_cursor(text: str) -> tuple[int, int]:
    try:
        place = _PLACE.fullmatch(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode())
    except (ValueError, binascii.Error):
        place = None
    if place is None or text != _cursor(after := (int(place[1]), int(place[2]))):
        raise _bad_cursor()
    return after


def _bad_cursor() -> Refused:
    return refuse("invalid_request", "not a cursor of ours", "give `next` of the page before, as it is")
