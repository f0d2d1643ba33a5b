"""Figures of processes: how often and how fast events go through each hop, by what they are about.

Hops with a duration are `process` (from RAW to EVENTS; its name is the source), `match` (from EVENTS until the feed
shows it to a route), `deliver` (from EVENTS to the target's yes) and `total` (from RAW to that); their name is the
route. What is replayed counts from when it was sent again. All others are only counted.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

from crossdock.kernel import jsontext
from journal import entry
from journal.entry import storable
from journal.spread import Spread, merged

_K = TypeVar("_K")

PROCESS, MATCH, DELIVER, TOTAL = "process", "match", "deliver", "total"
DURATIONS = (PROCESS, MATCH, DELIVER, TOTAL)
ACCEPTED, ID_CONFLICT, REFUSED = "accepted", "id_conflict", "refused"
REWORK = (
    entry.DUPLICATE, ID_CONFLICT, REFUSED, entry.QUARANTINED, entry.RETRIED, entry.REPLAYED, entry.DEAD_LETTERED,
    entry.DISCARDED,
)  # fmt: skip
LETTERED = (ID_CONFLICT, REFUSED, entry.QUARANTINED, entry.DEAD_LETTERED)  # what leaves a dead letter
HOPS = (*DURATIONS, ACCEPTED, *REWORK)

PARTNER, TYPE = "partner", "type"
KINDS = ("store", "device", "channel", "carrier")  # of keys, which say what an event is about
DIMENSIONS = (PARTNER, TYPE, *KINDS)  # `deliver` is kept by the first two, `accepted` by the first, `match` by none
OTHER = "other"
MOST_VALUES = 200  # of a dimension, for each hour and source; those that come later are `OTHER`
LONGEST = 100  # characters of a value

MINUTE, HOUR, DAY = 1, 60, 1440  # spans in minutes
MINUTES_KEPT = 2 * DAY
MS = 60_000  # of a minute

Dims = tuple[str, ...]  # a value for each of `DIMENSIONS`, empty where there is none
NO_DIMS: Dims = ("",) * len(DIMENSIONS)


class Place(NamedTuple):
    """What a figure is about: `span` minutes from `start` (minutes since 1970) on; no `dimension` is all events."""

    span: int
    start: int
    hop: str
    dimension: str
    name: str
    value: str


class Cell(NamedTuple):
    """A figure: from when on (Unix milliseconds), of which hop, source or route, value of a dimension, and the sums."""

    start: int
    hop: str
    name: str
    value: str
    spread: Spread


class Processes(Protocol):
    """Figures, up to date; a call blocks, so run it in a thread."""

    def cells(self, since: int, until: int, dimension: str = "", hops: Sequence[str] = (), span: int = 0) -> list[Cell]:
        """Return the figures of each hop and value of a dimension from a time to another (Unix milliseconds).

        Both are rounded outwards to multiples of `span` minutes; 0 stands for the fewest cells that hold whole hours.
        """


def spread_of(processes: Processes, hop: str, name: str, since: int, until: int) -> Spread:
    """Return how long a hop of a source or route took in the minutes from a time to another (Unix milliseconds)."""
    found = processes.cells(since, until, hops=(hop,), span=MINUTE)
    return merged(cell.spread for cell in found if cell.name == name)


_ABOUT = re.compile(rf'\["({"|".join(KINDS)})","((?:[^"\\]|\\.)*)"\]')


said = _ABOUT.findall  # the part of an entry's keys that `about` makes something of


def about(keys: str) -> Mapping[str, str]:
    """Return by kind what keys of an entry say, as `journal.keys` writes them: of several of a kind the first."""
    found: dict[str, str] = {}
    for kind, value in said(keys):
        read = storable(jsontext.own_loads(f'"{value}"'.encode())) if "\\" in value else value
        found.setdefault(kind, read[:LONGEST])
    return found


def spans(since: int, until: int, span: int, rolled: int) -> list[tuple[int, int, int]]:
    """Return which cells make up a time: their span, and from which start up to which, the second excluded.

    Days are summed up that begin before `rolled`.
    """
    if span:
        return [(span, floor(since, span), floor(until + span * MS - 1, span))]
    first, last = floor(since, HOUR), floor(until + HOUR * MS - 1, HOUR)
    begin, end = first + -first % DAY, min(last - last % DAY, rolled)
    if begin >= end:
        return [(HOUR, first, last)]
    parts = [(HOUR, first, begin), (DAY, begin, end), (HOUR, end, last)]
    return [part for part in parts if part[1] < part[2]]


def floor(at: int, span: int) -> int:
    """Return the start of the span that a time (Unix milliseconds) is in."""
    return at // MS // span * span


def grouped(cells: Iterable[Cell], by: Callable[[Cell], _K]) -> dict[_K, Spread]:
    """Return the sums by what is said of each cell."""
    groups: dict[_K, list[Spread]] = {}
    for cell in cells:
        groups.setdefault(by(cell), []).append(cell.spread)
    return {key: merged(spreads) for key, spreads in groups.items()}
