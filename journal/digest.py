"""Counts entries into figures; called by the store of the journal with each lot, in the order they were stored.

A delivery is counted by what its event is about, which the entry of the process step says. That may stand later in the
journal, as two processes write there: such deliveries wait for it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from typing import Any

from journal import entry, figures, spread
from journal.entry import Entry, of_callback
from journal.figures import HOUR, KINDS, LONGEST, MINUTE, MOST_VALUES, MS, NO_DIMS, OTHER, TYPE, Dims, Place

KNOWN = 50_000  # events whose process step is remembered; of others the journal is asked
ADMITTED = 1_000  # sets of values
WAIT = 120_000  # milliseconds that an entry waits for the process step of its event
MOST_WAITING = 5_000

_LATER = {entry.DELIVERED, entry.RETRIED, entry.DEAD_LETTERED, entry.DISCARDED, entry.DUPLICATE, entry.REPLAYED}
_KEPT = {figures.MATCH: (), figures.ACCEPTED: (figures.PARTNER,), figures.DELIVER: (figures.PARTNER, TYPE)}
_Group = tuple[int, str, str]  # minute or hour, hop, name
_Known = tuple[int, Dims, bool]  # how long the process step took, what the event is about, whether it was routed

Processed = Callable[[Collection[int]], Iterable[Entry]]  # the entries of the process step of events, oldest first
Values = Callable[[int, str, str], Collection[str]]  # of an hour (in minutes), source and dimension that are counted


class Digest:
    """Makes figures of entries; what it remembers is taken from the journal after a restart."""

    def __init__(self, processed: Processed, values: Values, waiting: Iterable[Entry]) -> None:
        self._processed = processed
        self._values = values
        self._known: dict[int, _Known] = {}
        self._admitted: dict[tuple[int, str, str], set[str]] = {}
        self._waiting = list(waiting)
        self._groups = defaultdict[_Group, tuple[list[Dims], list[int]]](lambda: ([], []))
        self._sent = defaultdict[tuple[int, str], tuple[list[Dims], list[int], list[int]]](lambda: ([], [], []))
        self._dims_of: dict[Any, Dims] = {}

    def count(self, lines: Sequence[Entry]) -> dict[Place, dict[int, int]]:
        """Return what entries add to the figures of minutes and hours: counts by bucket."""
        self._groups.clear()
        self._sent.clear()
        later = list[Entry]()
        known = self._known
        for line in lines:
            outcome = line.outcome
            if outcome == entry.DELIVERED:  # first, as most are
                of_event = known.get(line.raw)
                if of_event is None or not of_event[2] or line.route.startswith(entry.CALLBACK):
                    later.append(line)
                else:
                    self._delivered(line, of_event)
            elif outcome == entry.MATCHED:
                self._add(line, figures.MATCH, line.routes, NO_DIMS, line.ms)
            elif line.stage == entry.PROCESS and outcome != entry.DUPLICATE:
                self._process(line)
            elif outcome == entry.ACCEPTED:
                self._add(line, figures.ACCEPTED, line.source, _own(line.partner, ""))
            elif outcome in _LATER:
                later.append(line)
        later = [line for line in later if not of_callback(line)]
        self._look_up(later)
        self._count_later([*self._waiting, *later], (lines[-1].at if lines else 0) - WAIT)
        self._trim()
        return self._cells()

    def _process(self, line: Entry) -> None:
        """Count an outcome of the process step, and remember what its event is about."""
        _, dims, _ = self._remember(line)
        if line.outcome == entry.ROUTED:
            self._add(line, figures.PROCESS, line.source, dims, line.ms)
        elif line.outcome == entry.QUARANTINED:
            self._add(line, entry.QUARANTINED, line.source, dims)
        elif line.outcome == entry.DEAD_LETTERED:
            conflict = line.reason == figures.ID_CONFLICT
            self._add(line, figures.ID_CONFLICT if conflict else figures.REFUSED, line.source, dims)

    def _remember(self, line: Entry) -> _Known:
        """Keep the first outcome of an event, or the first with which it went on; return this one."""
        made = (line.ms, self._dims(line), line.outcome == entry.ROUTED)
        before = self._known.get(line.raw)
        if before is None or (made[2] and not before[2]):
            self._known[line.raw] = made
        return made

    def _dims(self, line: Entry) -> Dims:
        hour = line.at // MS // HOUR * HOUR
        told = (hour, line.source, line.partner, line.type, tuple(figures.said(line.keys)))
        if (dims := self._dims_of.get(told)) is None:
            about = {TYPE: line.type[:LONGEST], **figures.about(line.keys)}
            values = (self._admit(hour, line.source, kind, about.get(kind, "")) for kind in (TYPE, *KINDS))
            dims = self._dims_of[told] = (line.partner, *values)
        return dims

    def _admit(self, hour: int, source: str, dimension: str, value: str) -> str:
        """Return the value as it is counted."""
        if not value:
            return ""
        place = (hour, source, dimension)
        admitted = self._admitted.get(place)
        if admitted is None:
            admitted = self._admitted[place] = set(self._values(*place))
        if value not in admitted:
            if len(admitted) >= MOST_VALUES:
                return OTHER
            admitted.add(value)
        return value

    def _look_up(self, lines: Iterable[Entry]) -> None:
        """Ask the journal what is not remembered."""
        missing = {raw for line in lines if (raw := _event(line)) and raw not in self._known}
        for line in self._processed(missing) if missing else ():
            self._remember(line)

    def _count_later(self, lines: Iterable[Entry], before: int) -> None:
        """Count what depends on the event that it is about; what is older than a time waits no more for that."""
        self._waiting = []
        for line in lines:
            known = self._known.get(_event(line))
            if known and (known[2] or line.outcome != entry.DELIVERED):
                self._count_known(line, known)
            elif line.at >= before:
                self._waiting.append(line)
            else:
                self._count_unknown(line)

    def _count_known(self, line: Entry, known: _Known) -> None:
        if line.outcome == entry.DELIVERED:
            self._delivered(line, known)
        else:
            self._add(line, line.outcome, line.route or line.source, known[1])

    def _delivered(self, line: Entry, known: _Known) -> None:
        before, dims, _ = known
        ms = line.ms
        about, durations, totals = self._sent[line.at // MS, line.route]
        about.append(dims)
        durations.append(ms)
        totals.append(before + ms)

    def _count_unknown(self, line: Entry) -> None:
        hop = figures.DELIVER if line.outcome == entry.DELIVERED else line.outcome
        type_ = line.type if line.stage == entry.DELIVER else ""  # else it may be one of the partner's own
        self._add(line, hop, line.route or line.source, _own(line.partner, type_), line.ms)

    def _add(self, line: Entry, hop: str, name: str, dims: Dims, ms: int = 0) -> None:
        about, durations = self._groups[line.at // MS, hop, name]
        about.append(dims)
        durations.append(ms)

    def _trim(self) -> None:
        for _ in range(len(self._known) - KNOWN):
            del self._known[next(iter(self._known))]
        if len(self._admitted) > ADMITTED or len(self._dims_of) > KNOWN:
            self._admitted.clear()
            self._dims_of.clear()
        for line in self._waiting[:-MOST_WAITING]:
            self._count_unknown(line)
        del self._waiting[:-MOST_WAITING]

    def _cells(self) -> dict[Place, dict[int, int]]:
        for (minute, route), (dims, durations, totals) in self._sent.items():
            for hop, took in ((figures.DELIVER, durations), (figures.TOTAL, totals)):
                group = self._groups[minute, hop, route]
                group[0].extend(dims)
                group[1].extend(took)
        cells: dict[Place, dict[int, int]] = {}
        hours: dict[_Group, tuple[list[Dims], list[int]]] = {}
        for (minute, hop, name), (dims, durations) in self._groups.items():
            buckets = spread.buckets_of(durations) if hop in figures.DURATIONS else durations
            for one in _names(hop, name):
                cells[Place(MINUTE, minute, hop, "", one, "")] = Counter(buckets)
                of_hour = hours.setdefault((minute - minute % HOUR, hop, one), ([], []))
                of_hour[0].extend(dims)
                of_hour[1].extend(buckets)
        for (hour, hop, name), (about, buckets) in hours.items():
            cells[Place(HOUR, hour, hop, "", name, "")] = Counter(buckets)
            for dimension, column in zip(_KEPT.get(hop, figures.DIMENSIONS), zip(*about, strict=True), strict=False):
                for value, counts in _by_value(column, buckets).items():
                    cells[Place(HOUR, hour, hop, dimension, name, value)] = counts
        return cells


def _names(hop: str, name: str) -> list[str]:
    """Return the routes that a match names, or else the name."""
    if hop != figures.MATCH:
        return [name]
    return [route for route in name.split(",") if route and not route.startswith(entry.CALLBACK)]


def _by_value(column: Sequence[str], buckets: Sequence[int]) -> dict[str, dict[int, int]]:
    """Return counts by value and bucket; what has no value is left out."""
    found: dict[str, dict[int, int]] = defaultdict(dict)
    if any(column):
        for (value, bucket), count in Counter(zip(column, buckets, strict=True)).items():
            found[value][bucket] = count
        found.pop("", None)
    return found


def _event(line: Entry) -> int:
    """Return the event (its sequence in RAW) that an entry is about; a repeat is about the first."""
    return line.ref if line.outcome == entry.DUPLICATE else line.raw


@cache
def _own(partner: str, type_: str) -> Dims:
    return (partner, type_, *NO_DIMS[2:])
