"""Raw events that went through before and go through the process step again, for routes and not for the feed.

What comes of them is sent to each route as a replay of the first canonical event, so that the ledger, and whoever keeps
events by their place in the stream, count it once. The header `AGAIN` says which plan, `failed` or `all`, the sequence
in EVENTS, and the routes, none for all that want it by the content in force.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from crossdock.kernel.event import Event
from crossdock.kernel.problems import Refused
from crossdock.kernel.stream import ACT, AGAIN, BACKFILL, DEAD_LETTER, ORIGIN, RAW_SEQ, SOURCE, Log, Message, Record
from crossdock.pipeline.recorder import append_entries, append_patiently, now_ms
from crossdock.pipeline.work import Work
from crossdock.project import Project
from dlq.record import DELIVER, Place, letter_id
from journal import entry
from journal.entry import Entry


class Again(NamedTuple):
    """What the header says."""

    plan: str
    to: str
    seq: int
    routes: tuple[str, ...]

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Again":
        """Read the header where it is one of these."""
        plan, to, seq, *routes = headers[AGAIN].split(" ")
        return cls(plan, to, int(seq), tuple(routes))

    def text(self) -> str:
        """Write the header."""
        return " ".join([self.plan, self.to, str(self.seq), *self.routes])


Routed = tuple[tuple[Work, Event], int]  # a raw event, what was made of it, and its sequence in EVENTS


async def routed_again(streams: Log, project: Project, made: Sequence[tuple[Work, Event]]) -> list[Routed]:
    """Store what was made of those of a batch that went through again; return them."""
    again = [one for one in made if AGAIN in one[0].message.headers]
    if records := [record for work, canonical in again for record in _copies(project, work, canonical)]:
        await append_patiently(streams, records)
    if lines := [line for work, canonical in again for line in _unwanted(project, work, canonical)]:
        await append_entries(streams, lines)
    return [(one, Again.of(one[0].message.headers).seq) for one in again]


def _wanted(project: Project, again: Again, work: Work, canonical: Event) -> list[str]:
    names = again.routes or [route.name for route in project.routes_for(canonical.type)]
    return [name for name in names if name in project.routes and _wants(project, name, canonical, work.source)]


def _unwanted(project: Project, work: Work, canonical: Event) -> list[Entry]:
    """Return the lines that end the deliveries which failed and which their routes do not want any more."""
    again = Again.of(work.message.headers)
    if again.to != "failed":
        return []
    wanted = _wanted(project, again, work, canonical)
    return [
        Entry(
            now_ms(), entry.DELIVER, entry.SKIPPED, work.partner, work.source, canonical.id, canonical.source,
            canonical.type, work.origin, again.seq, name, dead_letter=letter_id(DELIVER, name, again.seq),
            revision=project.revision,
        )
        for name in again.routes
        if name not in wanted
    ]  # fmt: skip


def _copies(project: Project, work: Work, canonical: Event) -> list[Record]:
    again = Again.of(work.message.headers)
    wanted = _wanted(project, again, work, canonical)
    headers = {SOURCE: work.source, RAW_SEQ: str(work.origin), ORIGIN: str(again.seq), ACT: again.plan, **work.traced()}
    if again.to == "all":
        headers[BACKFILL] = again.plan
    return [
        Record(
            f"replay.{name}",
            work.body,
            f"{again.plan}/{name}/{again.seq}",
            headers | {DEAD_LETTER: letter_id(DELIVER, name, again.seq)},
        )
        for name in wanted
    ]


def places(message: Message) -> list[Place]:
    """Return what a message stands for that is a replay, nothing for any other."""
    if ORIGIN not in message.headers:
        return []
    kind, _, name = message.subject.partition(".")
    if kind == "replay":
        return [(name, message.origin)]
    found: list[Place] = [("", message.origin)]
    if AGAIN in message.headers:
        again = Again.of(message.headers)
        found += [(route, again.seq) for route in again.routes]
    return found


def named(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the routes that a raw event is for, none for all of them."""
    return Again.of(headers).routes if AGAIN in headers else ()


def still_failing(message: Message, line: Entry) -> list[Entry]:
    """Return the lines of the deliveries that fail again with a raw event that is given up, `line` being its own."""
    if AGAIN not in message.headers or (again := Again.of(message.headers)).to != "failed":
        return []
    of_delivery = line._replace(stage=entry.DELIVER, outcome=entry.DEAD_LETTERED, seq=again.seq)
    return [of_delivery._replace(route=name, dead_letter=letter_id(DELIVER, name, again.seq)) for name in again.routes]


def _wants(project: Project, name: str, event: Event, source: str) -> bool:
    route = project.routes[name]
    try:
        return event.type in route.types and project.wants(route, event, source)
    except Refused:
        return True  # it becomes a dead letter of the route
