"""What became of an event, in the words of the partner who sent it."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from crossdock.project import Project
from journal import entry
from journal.entry import Entry
from journal.store import Journeys, in_order

PATIENCE = 1.0  # seconds a look-up waits for the journal to catch up with an event accepted just now
_STEP = 0.1
_HIDDEN = {entry.SKIPPED, entry.MATCHED}
_ASIDE = {entry.DUPLICATE, entry.ACCEPTED, entry.MATCHED}
_FINAL = {entry.DELIVERED, entry.ROUTED, entry.SKIPPED}


async def look_up(project: Project, journal: Journeys, partner: str, event_id: str) -> dict[str, Any] | None:
    """Return the journey of a partner's own event, or None when it has none of that id."""
    lines: list[Entry] = []
    for _ in range(int(PATIENCE / _STEP)):
        found = await asyncio.to_thread(journal.find, event_id, partner)
        lines = [line for line in found if line.id == event_id]
        if lines:
            return describe(project, event_id, lines)
        await asyncio.sleep(_STEP)
    return None


def describe(project: Project, event_id: str, lines: Sequence[Entry]) -> dict[str, Any]:
    """Return status and hops; the status is that of the event as a whole."""
    hops = [_hop(line) for line in in_order(lines) if line.outcome not in _HIDDEN]
    return {"id": event_id, "status": _status(project, lines), "hops": hops}


def _status(project: Project, lines: Sequence[Entry]) -> str:
    """Delivered once every route is done with it; dead-lettered while one of them waits for a person."""
    last: dict[tuple[int, str], str] = {}
    for line in lines:
        place = line.raw, line.route
        if line.outcome not in _ASIDE and last.get(place) not in _FINAL:
            last[place] = line.outcome
    outcomes = set(last.values())
    for outcome in (entry.DEAD_LETTERED, entry.REPLAYED, entry.RETRIED):
        if outcome in outcomes:
            return "in_progress" if outcome != entry.DEAD_LETTERED else "dead_lettered"
    if _undecided(project, lines) or any(place not in last for place in _wanted(lines)):
        return "in_progress"
    if entry.DELIVERED in outcomes:
        return "delivered"
    return "routed" if entry.ROUTED in outcomes else "accepted"


def _wanted(lines: Sequence[Entry]) -> Iterator[tuple[int, str]]:
    """Return the routes that were to have the event, by raw event."""
    for line in lines:
        if line.outcome == entry.MATCHED:
            yield from ((line.raw, name) for name in f"{line.routes},{line.behind}".split(",") if name)


def _undecided(project: Project, lines: Sequence[Entry]) -> bool:
    """Tell whether nobody has looked yet which routes match an event that some route may want."""
    matched = {line.raw for line in lines if line.outcome == entry.MATCHED}
    routed = [line for line in lines if line.outcome == entry.ROUTED and line.revision == project.revision]
    return any(line.raw not in matched and project.routes_for(line.type) for line in routed)


def _hop(line: Entry) -> dict[str, Any]:
    at = datetime.fromtimestamp(line.at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    hop: dict[str, Any] = {"at": at, "stage": line.stage, "outcome": line.outcome}
    if line.route:
        hop["route"] = line.route
    if line.outcome == entry.DEAD_LETTERED:
        hop["reason"] = line.reason
    elif line.outcome == entry.DUPLICATE:
        hop["detail"] = line.detail
    return hop
