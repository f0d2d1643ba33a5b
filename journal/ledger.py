"""The ledger: proves from the streams that every accepted event has an outcome, and names those that have none."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from journal import entry
from journal.entry import Entry

_FINAL = {entry.ROUTED, entry.DUPLICATE, entry.DELIVERED, entry.SKIPPED, entry.DISCARDED}


@dataclass(frozen=True, slots=True)
class RawEvent:
    """A first message in RAW, not a replay; `waiting` when the process step has not finished with it."""

    seq: int
    source: str
    id: str
    waiting: bool


@dataclass(frozen=True, slots=True)
class RoutedEvent:
    """A first message in EVENTS, and the routes that are not done with it though they want it."""

    seq: int
    id: str
    routes: tuple[str, ...]
    waiting: frozenset[str]


@dataclass(frozen=True, slots=True)
class Ledger:
    """The sums of design.md section 5, and what does not add up."""

    sources: list[dict[str, Any]] = field(default_factory=list)
    routes: list[dict[str, Any]] = field(default_factory=list)
    unexplained: list[dict[str, Any]] = field(default_factory=list)

    @property
    def balanced(self) -> bool:
        """Whether every event adds up."""
        return not self.unexplained

    def as_dict(self) -> dict[str, Any]:
        """Return the shape of `ledger --json`."""
        return {"balanced": self.balanced, **asdict(self)}


def balance(
    raw: Iterable[RawEvent],
    events: Iterable[RoutedEvent],
    entries: Iterable[Entry],
    letters: frozenset[int],
    kept_since: int = 0,
) -> Ledger:
    """Compare what was stored with what was recorded.

    What was accepted after `kept_since` (Unix milliseconds) must still be in RAW. `letters` holds the sequences
    present in DLQ: a dead letter that is recorded but not there is unexplained.
    """
    ledger = Ledger()
    entries, raw = list(entries), list(raw)
    _gone(ledger, raw, entries, kept_since)
    processed, delivered, repeats = _outcomes(entries)
    known = _sources(ledger, raw, processed, repeats, letters)
    _routes(ledger, events, delivered, known, letters)
    return ledger


def _gone(ledger: Ledger, raw: Iterable[RawEvent], entries: Iterable[Entry], kept_since: int) -> None:
    """Name what the gateway answered 2xx for and what is not in RAW, though its retention has not passed."""
    stored = {event.seq for event in raw}
    for line in entries:
        accepted = line.stage == entry.GATEWAY and line.outcome == entry.ACCEPTED
        if accepted and line.at > kept_since and line.raw not in stored:
            ledger.unexplained.append(_missing("RAW", line.raw, line.id, line.source, "accepted, but not stored"))


def _outcomes(
    entries: Iterable[Entry],
) -> tuple[dict[int, Entry], dict[tuple[str, int], Entry], Counter[str]]:
    """Return the last word on every raw event and delivery, and repeats the broker itself dropped, by source."""
    processed: dict[int, Entry] = {}
    delivered: dict[tuple[str, int], Entry] = {}
    repeats: Counter[str] = Counter()
    for line in entries:
        if line.stage == entry.GATEWAY and line.outcome == entry.DUPLICATE:
            repeats[line.source] += 1
        elif line.outcome == entry.MATCHED or (line.outcome == entry.DISCARDED and not line.route):
            continue  # an event that a person gave up before it had a route stays a dead letter of its source
        elif line.stage == entry.DELIVER or (line.stage == entry.REPLAY and line.route):
            _keep(delivered, (line.route, line.seq), line)
        elif line.stage in (entry.PROCESS, entry.REPLAY):
            _keep(processed, line.raw, line)
    return processed, delivered, repeats


def _keep(lines: dict[Any, Entry], key: Any, line: Entry) -> None:
    """Keep the better of two words: a final outcome stands, else the later one; what arrived was not given up."""
    present = lines.get(key)
    arrived = line.outcome == entry.DELIVERED and present is not None and present.outcome == entry.DISCARDED
    if line.outcome in entry.MEANWHILE or (present is not None and present.outcome in _FINAL and not arrived):
        return
    lines[key] = line


def _sources(
    ledger: Ledger,
    raw: Iterable[RawEvent],
    processed: Mapping[int, Entry],
    repeats: Counter[str],
    letters: frozenset[int],
) -> dict[int, Entry]:
    sums: dict[str, Counter[str]] = {source: Counter(accepted=n, duplicate=n) for source, n in repeats.items()}
    routed: dict[int, Entry] = {}
    for event in raw:
        row = sums.setdefault(event.source, Counter())
        row["accepted"] += 1
        line = processed.get(event.seq)
        if line is None and not event.waiting:
            ledger.unexplained.append(_missing("RAW", event.seq, event.id, event.source, "no outcome was recorded"))
        elif line is not None and _lost_letter(line, letters):
            ledger.unexplained.append(_missing("DLQ", line.ref, event.id, event.source, "the dead letter is gone"))
        row[_column(line)] += 1
        if line is not None and line.outcome == entry.ROUTED:
            routed[line.seq] = line
    for source, row in sorted(sums.items()):
        columns = ("accepted", "routed", "duplicate", "quarantined", "dead_lettered", "in_progress")
        ledger.sources.append({"source": source, **{column: row[column] for column in columns}})
    return routed


def _routes(
    ledger: Ledger,
    events: Iterable[RoutedEvent],
    delivered: Mapping[tuple[str, int], Entry],
    routed: dict[int, Entry],
    letters: frozenset[int],
) -> None:
    sums: dict[str, Counter[str]] = {}
    for event in events:
        routed.pop(event.seq, None)
        for route in event.routes:
            line = delivered.get((route, event.seq))
            row = sums.setdefault(route, Counter())
            if line is not None and line.outcome == entry.SKIPPED:
                continue
            if line is None and route not in event.waiting:
                ledger.unexplained.append(_missing("EVENTS", event.seq, event.id, route, "no outcome was recorded"))
            elif line is not None and _lost_letter(line, letters):
                ledger.unexplained.append(_missing("DLQ", line.ref, event.id, route, "the dead letter is gone"))
            row["matched"] += 1
            row[_column(line)] += 1
    for seq, line in routed.items():
        ledger.unexplained.append(_missing("EVENTS", seq, line.id, line.source, "recorded as routed, but not stored"))
    for route, row in sorted(sums.items()):
        columns = ("matched", "delivered", "dead_lettered", "discarded", "in_progress")
        ledger.routes.append({"route": route, **{column: row[column] for column in columns}})


def _column(line: Entry | None) -> str:
    return "in_progress" if line is None or line.outcome == entry.REPLAYED else line.outcome


def _lost_letter(line: Entry, letters: frozenset[int]) -> bool:
    return line.outcome in entry.LETTERED and line.ref not in letters


def _missing(stream: str, seq: int, event_id: str, name: str, why: str) -> dict[str, Any]:
    return {"stream": stream, "seq": seq, "event_id": event_id, "at": name, "why": why}
