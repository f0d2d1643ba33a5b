"""The ledger: the sums of design.md section 5, and every event that has no outcome and is not on its way."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from journal.book import (
    AGAIN,
    BEHIND,
    DAY,
    DEAD,
    DELIVERED,
    DISCARDED,
    DUPLICATE,
    GUESSED,
    OPEN,
    QUARANTINED,
    ROUTED,
    STATES,
    Book,
    Sums,
)  # fmt: skip

_IN_PROGRESS = (OPEN, BEHIND, GUESSED, AGAIN)
_SOURCE_COLUMNS = {
    "routed": (ROUTED,),
    "duplicate": (DUPLICATE,),
    "quarantined": (QUARANTINED,),
    "dead_lettered": (DEAD,),
    "in_progress": _IN_PROGRESS,
}
_ROUTE_COLUMNS = {
    "delivered": (DELIVERED,),
    "dead_lettered": (DEAD,),
    "discarded": (DISCARDED,),
    "in_progress": _IN_PROGRESS,
}


class Missing(NamedTuple):
    """An event that does not add up: of which source or route, where it should be, since which day it should."""

    stream: str
    seq: int
    source: str
    route: str
    why: str
    day: int
    event_id: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the shape of an item of `unexplained`."""
        return {
            "stream": self.stream,
            "seq": self.seq,
            "event_id": self.event_id,
            "at": self.route or self.source,
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class Ledger:
    """The sums, and what does not add up: at most `MOST_NAMED` of `missing` by name, `gap` of it for longer than grace.

    `as_of` is in Unix milliseconds. Of `unread` messages nobody has looked yet whether a route wants them. A
    `young` one is of a process that has not watched for long enough to tell since when something is missing.
    """

    sources: list[dict[str, Any]] = field(default_factory=list)
    routes: list[dict[str, Any]] = field(default_factory=list)
    unexplained: list[dict[str, Any]] = field(default_factory=list)
    missing: int = 0
    by_day: list[dict[str, Any]] = field(default_factory=list)
    gap: int = 0
    gaps: list[dict[str, Any]] = field(default_factory=list)
    unread: int = 0
    as_of: int = 0
    young: bool = False

    @property
    def balanced(self) -> bool:
        """Whether every event adds up."""
        return not self.missing

    def as_dict(self) -> dict[str, Any]:
        """Return the shape of `ledger --json`."""
        names = ("sources", "routes", "unexplained", "missing", "by_day", "gap", "gaps", "unread", "as_of")
        return {"balanced": self.balanced, **{name: getattr(self, name) for name in names}}


def ledger_of(book: Book, named: Sequence[Missing], missing: int, old: Iterable[Missing], unread: int) -> Ledger:
    """Return the ledger of a book; `missing` is what does not add up, `named` is of it, `old` is past the grace."""
    sources, repeats = _added(book.source_sums), Counter[str]()
    for (name, _), count in book.repeats.items():
        repeats[name] += count
    for name in repeats:
        sources.setdefault(name, [0] * STATES)
    gaps = Counter((item.day, item.source, item.route) for item in old)
    return Ledger(
        [_source(name, row, repeats[name]) for name, row in sorted(sources.items()) if any(row) or repeats[name]],
        [_row("route", name, row, "matched", _ROUTE_COLUMNS) for name, row in sorted(_added(book.route_sums).items())],
        [item.as_dict() for item in named],
        missing,
        list(_by_day(book)),
        gaps.total(),
        [
            {"day": _day(day), "source": source, "route": route, "events": count}
            for (day, source, route), count in sorted(gaps.items())
        ],
        unread,
        int(datetime.now(UTC).timestamp() * 1000),
    )


def _by_day(book: Book) -> Iterator[dict[str, Any]]:
    days = {day for sums in (book.source_sums, book.route_sums, book.repeats) for _, day in sums}
    for day in sorted(days):
        sources = {name for sums in (book.source_sums, book.repeats) for name, at in sums if at == day}
        rows = (
            (name, book.source_sums.get((name, day), [0] * STATES), book.repeats.get((name, day), 0))
            for name in sorted(sources)
        )
        routes = sorted(name for name, at in book.route_sums if at == day)
        yield {
            "day": _day(day),
            "sources": [_source(*row) for row in rows],
            "routes": [_row("route", name, book.route_sums[name, day], "matched", _ROUTE_COLUMNS) for name in routes],
        }


def _added(sums: Sums) -> dict[str, list[int]]:
    added: dict[str, list[int]] = {}
    for (name, _), row in sums.items():
        added[name] = [a + b for a, b in zip(added.get(name, [0] * STATES), row, strict=True)]
    return added


def _source(name: str, row: Sequence[int], repeats: int) -> dict[str, Any]:
    """Return the line of a source; a repeat that the broker dropped was accepted and is a duplicate."""
    found = _row("source", name, row, "accepted", _SOURCE_COLUMNS)
    return found | {"accepted": found["accepted"] + repeats, "duplicate": found["duplicate"] + repeats}


def _row(kind: str, name: str, row: Sequence[int], whole: str, parts: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    counts = {column: sum(row[state] for state in states) for column, states in parts.items()}
    return {kind: name, whole: sum(counts.values()), **counts}


def _day(day: int) -> str:
    return datetime.fromtimestamp(day * DAY / 1000, UTC).date().isoformat()
