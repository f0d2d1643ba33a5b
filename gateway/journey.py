"""What became of an event, in the words of the partner who sent it; nothing here tells of a target's insides."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from crossdock.kernel.retry import delay
from crossdock.project import Project
from gateway.caller import Caller
from journal import entry
from journal.entry import Entry
from journal.store import in_order
from journal.words import moment, words

STATUSES = ("accepted", "in_progress", "routed", "delivered", "duplicate", "quarantined", "dead_lettered", "discarded")
_HIDDEN = {entry.SKIPPED, entry.MATCHED}
_ASIDE = {entry.DUPLICATE, entry.ACCEPTED, entry.MATCHED}
_FINAL = {entry.DELIVERED, entry.ROUTED, entry.SKIPPED}


@dataclass(frozen=True)
class Journey:
    """The steps of one event; `raw` is its sequence in RAW."""

    raw: int
    steps: tuple[Entry, ...]

    @cached_property
    def origin(self) -> str:
        """The event's `source`."""
        return next((step.origin for step in self.steps if step.origin), "")

    @cached_property
    def type(self) -> str:
        """The event's type as it was sent; that of the canonical event when only this is left."""
        told = [step for step in self.steps if step.type and step.stage in (entry.GATEWAY, entry.PROCESS)]
        sent = [step for step in told if step.outcome != entry.ROUTED]
        return next((step.type for step in (*sent, *told)), "")

    @cached_property
    def at(self) -> int:
        """When it was accepted, in Unix milliseconds."""
        accepted = [step.at for step in self.steps if step.outcome == entry.ACCEPTED]
        return min(accepted or [step.at for step in self.steps])

    def belongs_to(self, caller: Caller) -> bool:
        """Tell whether a caller may know of it, an event of its partner's."""
        sources = {step.source for step in self.steps if step.source}
        seen = caller.sees is None or sources <= caller.sees
        return seen and (not caller.types or self.type in caller.types)


def journeys(steps: Sequence[Entry]) -> list[Journey]:
    """Return the events that steps are of, in the order they were accepted."""
    found: dict[int, list[Entry]] = {}
    for step in steps:
        if not entry.of_callback(step):
            found.setdefault(step.raw, []).append(step)
    return [Journey(raw, tuple(found[raw])) for raw in sorted(found)]


def describe(project: Project, event_id: str, same: Sequence[Journey], first: Mapping[int, Journey]) -> dict[str, Any]:
    """Return what became of an event that may have been sent several times; `first` are those that others repeat."""
    steps = _told(project, (step for journey in same for step in journey.steps))
    tries = {step.route: step.attempts for step in steps if step.outcome == entry.RETRIED}
    hops = [_hop(project, step, tries, first) for step in in_order(steps) if step.outcome not in _HIDDEN]
    return {
        "id": event_id,
        "source": same[0].origin,
        "type": same[0].type,
        "accepted": moment(same[0].at),
        "status": status(project, steps),
        "hops": hops,
    }


def item(project: Project, journey: Journey) -> dict[str, Any]:
    """Return the line of an event in a list."""
    return {
        "id": next((step.id for step in journey.steps if step.id), ""),
        "source": journey.origin,
        "type": journey.type,
        "accepted": moment(journey.at),
        "status": status(project, journey.steps),
    }


def status(project: Project, steps: Sequence[Entry]) -> str:
    """Delivered once every route is done with it; dead-lettered while one of them waits for a person."""
    steps = _told(project, steps)
    last: dict[tuple[int, str], str] = {}
    for step in steps:
        place = step.raw, step.route
        if step.outcome not in _ASIDE and last.get(place) not in _FINAL:
            last[place] = entry.DEAD_LETTERED if entry.takes_back(step) else step.outcome
    outcomes = set(last.values())
    for outcome in (entry.DEAD_LETTERED, entry.QUARANTINED):
        if outcome in outcomes:
            return outcome
    if outcomes & {entry.REPLAYED, *entry.MEANWHILE}:
        return "in_progress"
    if not last and any(step.outcome == entry.DUPLICATE and step.stage == entry.PROCESS for step in steps):
        return "duplicate"
    if _undecided(project, steps) or any(place not in last for place in _wanted(steps)):
        return "in_progress"
    for outcome in (entry.DISCARDED, entry.DELIVERED, entry.ROUTED):
        if outcome in outcomes:
            return outcome
    return "accepted"


def _told(project: Project, steps: Iterable[Entry]) -> list[Entry]:
    """Return the steps without those of taps, with which nobody but the operator has to do."""
    taps = {name for name, route in project.routes.items() if route.tap}
    if not taps:
        return list(steps)
    return [_untapped(step, taps) for step in steps if step.route not in taps]


def _untapped(step: Entry, taps: Collection[str]) -> Entry:
    routes, behind = (",".join(n for n in names.split(",") if n not in taps) for names in (step.routes, step.behind))
    return step._replace(routes=routes, behind=behind)


def _wanted(steps: Sequence[Entry]) -> Iterator[tuple[int, str]]:
    """Return the routes that were to have the event, by raw event."""
    for step in steps:
        if step.outcome == entry.MATCHED:
            yield from ((step.raw, name) for name in f"{step.routes},{step.behind}".split(",") if name)


def _undecided(project: Project, steps: Sequence[Entry]) -> bool:
    """Tell whether nobody has looked yet which routes match an event that some route may want."""
    matched = {step.raw for step in steps if step.outcome == entry.MATCHED}
    routed = [step for step in steps if step.outcome == entry.ROUTED and step.revision == project.revision]
    return any(step.raw not in matched and project.routes_for(step.type) for step in routed)


def _hop(project: Project, step: Entry, tries: Mapping[str, int], first: Mapping[int, Journey]) -> dict[str, Any]:
    hop: dict[str, Any] = {"at": moment(step.at), "stage": step.stage, "outcome": step.outcome}
    if step.route:
        hop["route"] = step.route
    if step.outcome == entry.ROUTED:
        hop["type"] = step.type
    elif step.outcome in entry.LETTERED:
        hop |= {"reason": step.reason, "detail": words(step.reason, step.detail)}
        if step.route:
            hop["attempts"] = step.attempts
    elif step.outcome == entry.DUPLICATE:
        hop |= {"detail": step.detail, "of": _repeated(first.get(step.ref))}
    elif step.outcome == entry.DELIVERED:
        hop["attempts"] = tries.get(step.route, 0) + 1
    elif step.outcome == entry.RETRIED:
        hop |= {"attempts": step.attempts, "next": _next(project, step)}
    return hop


def _repeated(first: Journey | None) -> dict[str, Any] | None:
    if first is None:
        return None
    known = next((step.id for step in first.steps if step.id), "")
    return {"id": known, "source": first.origin, "accepted": moment(first.at)}


def _next(project: Project, step: Entry) -> str | None:
    """Return by when the next attempt is due, if the target does not ask for more time."""
    route = project.routes.get(step.route)
    return moment(step.at + int(delay(route.retry, step.attempts, 1) * 1000)) if route else None
