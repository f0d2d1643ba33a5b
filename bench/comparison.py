"""Medians, ranges and ratios over the runs of all entries; called by `crossdock bench`."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

from bench.figures import Run, flat, number
from bench.size import CROSSDOCK, HANDWRITTEN

CEILING = "ceiling"
BY_HAND = (HANDWRITTEN, "python")  # the same job, ours and the peers'
_KEYS = {"latency": "p99_ms"}  # the figure of a measure that is compared; events_per_s for the others
_COLUMNS = {
    "events/s": "events_per_s",
    "p50 ms": "p50_ms",
    "p99 ms": "p99_ms",
    "CPU s/1,000 own": "cpu_s_per_1000 own",
    "nats": "cpu_s_per_1000 nats",
    "MiB own": "peak_rss_mib own",
}
_RATIOS = ("best peer", CEILING, "by hand")


@dataclass(frozen=True, slots=True)
class Range:
    """A figure over the runs that count."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        if self.low == self.high:
            return number(self.median)
        return f"{number(self.median)} ({number(self.low)}-{number(self.high)})"


@dataclass(frozen=True, slots=True)
class Summary:
    """One entry in one measure: how many of its runs count, its figures, and its ratios to others."""

    measure: str
    label: str
    who: str
    counted: int
    taken: int
    figures: Mapping[str, Range]
    ratios: Mapping[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Return the shape of `bench --json`."""
        return asdict(self)


def summaries(runs: Sequence[Run]) -> list[Summary]:
    """Return a summary of each entry in each measure, with the ratios of Crossdock's to those of the others."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.measure, run.entry.label), []).append(run)
    plain = [_summary(group, {}) for group in groups.values()]
    return [_with_ratios(one, [other for other in plain if other.measure == one.measure]) for one in plain]


def _summary(runs: Sequence[Run], ratios: Mapping[str, float]) -> Summary:
    first, counted = runs[0], [flat(run.figures) for run in runs if not run.void]
    names = [name for name in (counted[0] if counted else {}) if all(_is_number(found.get(name)) for found in counted)]
    figures = {name: _range([found[name] for found in counted]) for name in names}
    return Summary(first.measure, first.entry.label, first.entry.who, len(counted), len(runs), figures, ratios)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _range(values: Sequence[float]) -> Range:
    return Range(statistics.median(values), min(values), max(values))


def _with_ratios(one: Summary, others: Sequence[Summary]) -> Summary:
    key = _KEYS.get(one.measure, "events_per_s")
    if one.who != CROSSDOCK or key not in one.figures:
        return one
    rivals = [other for other in others if key in other.figures and other.who != CROSSDOCK]
    known = {other.who: other.figures[key].median for other in rivals}
    best = min if key in _KEYS.values() else max
    peers = [figure for who, figure in known.items() if who != CEILING]
    against = {"best peer": best(peers)} if peers else {}
    against |= {CEILING: known[CEILING]} if CEILING in known else {}
    by_hand = [known[who] for who in BY_HAND if who in known]
    against |= {"by hand": best(by_hand)} if by_hand else {}
    mine = one.figures[key].median
    ratios = {name: round(mine / figure, 3) for name, figure in against.items() if figure}
    return Summary(one.measure, one.label, one.who, one.counted, one.taken, one.figures, ratios)


def table(found: Sequence[Summary]) -> Table:
    """Return everything side by side: a row for each entry of each measure."""
    made = Table("measure", "entry", title="Medians (lowest-highest)", title_justify="left", header_style="bold")
    for head in (*_COLUMNS, *(f"x {name}" for name in _RATIOS), "runs"):
        made.add_column(head, justify="right")
    for place, one in enumerate(found):
        figures = [str(one.figures[name]) if name in one.figures else "" for name in _COLUMNS.values()]
        ratios = [f"{one.ratios[name]:.2f}" if name in one.ratios else "" for name in _RATIOS]
        counted = f"{one.counted} of {one.taken}" if one.counted < one.taken else str(one.taken)
        last = place + 1 == len(found) or found[place + 1].measure != one.measure
        made.add_row(one.measure, one.label, *figures, *ratios, counted, end_section=last)
    return made


def kept_while_down(found: Sequence[Summary]) -> dict[str, float]:
    """Return for each entry which share of its rate of `route` it keeps while one target is down."""
    speeds = {
        (one.measure, one.label): one.figures["events_per_s"].median for one in found if "events_per_s" in one.figures
    }
    labels = [label for measure, label in speeds if measure == "down" and ("route", label) in speeds]
    return {label: round(speeds["down", label] / speeds["route", label], 3) for label in labels}
