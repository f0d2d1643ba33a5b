"""The table of `crossdock bench scale`: cost at the base, cost of the stretched case, and the ratio."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from rich.table import Table

from bench import machine
from bench.figures import flat, number
from bench.scale import Point
from crossdock import VERSION

_COST = {"journal": "us_per_entry"}  # else this:
_OWN = "cpu_s_per_1000 own"
_EVENT_COLUMNS = {
    "own s/1000": _OWN,
    "worker": "cpu_s_per_1000 worker",
    "gateway": "cpu_s_per_1000 gateway",
    "ops": "cpu_s_per_1000 ops",
    "nats": "cpu_s_per_1000 nats",
    "valkey": "cpu_s_per_1000 valkey",
    "accept us": "accept_us",
    "own ms/MiB": "own_ms_per_mib",
    "events/s": "events_per_s",
    "own RSS MiB": "peak_rss_mib own",
    "nats RSS": "peak_rss_mib nats",
    "ledger s": "ledger_s",
    "ledger RSS": "ledger_rss_mib",
}


@dataclass(frozen=True, slots=True)
class Row:
    """The medians of one case, `ratio` of its cost to the base's; `holds` is None where nothing is demanded."""

    dimension: str
    name: str
    counted: int
    figures: Mapping[str, float]
    ratio: float | None = None
    holds: bool | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the shape of `summary` in the document."""
        return asdict(self)


def rows(points: Sequence[Point]) -> list[Row]:
    """Return a row for each case, in the order taken."""
    found: list[Row] = []
    for dimension in dict.fromkeys(point.dimension for point in points):
        of_dimension = [point for point in points if point.dimension == dimension]
        base: float | None = None
        for place, name in enumerate(dict.fromkeys(point.name for point in of_dimension)):
            row = _row([point for point in of_dimension if point.name == name], base, place == 0)
            base = _cost(row) if place == 0 else base
            found.append(row)
    return found


def _row(taken: Sequence[Point], base: float | None, is_base: bool) -> Row:
    counted = [_by_kind(flat(point.figures)) for point in taken if not point.void]
    first = taken[0]
    figures = _medians(counted)
    row = Row(first.dimension, first.name, len(counted), figures)
    cost = _cost(row)
    if is_base or not base or cost is None:
        return row
    ratio = cost / base
    holds = None if first.most is None else ratio <= first.most
    return Row(first.dimension, first.name, len(counted), figures, round(ratio, 3), holds)


def _cost(row: Row) -> float | None:
    return row.figures.get(_COST.get(row.dimension, _OWN))


def _by_kind(figures: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers, those of several workers added up."""
    found: dict[str, float] = {}
    for name, value in figures.items():
        head, dash, tail = name.rpartition("-")
        kind = head if dash and tail.isdigit() else name
        if isinstance(value, int | float):
            found[kind] = found.get(kind, 0) + value
    return found


def _medians(counted: Iterable[Mapping[str, float]]) -> dict[str, float]:
    columns: dict[str, list[float]] = {}
    for figures in counted:
        for name, value in figures.items():
            columns.setdefault(name, []).append(value)
    return {name: statistics.median(values) for name, values in columns.items()}


def document(points: Sequence[Point]) -> dict[str, Any]:
    """Return everything about these points."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": VERSION,
        "machine": machine.describe(),
        "valid": not any(point.void for point in points),
        "summary": [row.as_dict() for row in rows(points)],
        "points": [point.as_dict() for point in points],
    }


def tables(points: Sequence[Point]) -> list[Table]:
    """Return the table of what events cost, and that of the journal."""
    found = rows(points)
    events = [row for row in found if row.dimension != "journal"]
    journal = [row for row in found if row.dimension == "journal"]
    names = dict.fromkeys(name for row in journal for name in row.figures if name != "rows")
    return [
        *([_table("cost per event", events, _EVENT_COLUMNS)] if events else []),
        *([_table("cost of the journal", journal, {name: name for name in names})] if journal else []),
    ]


def _table(title: str, found: Sequence[Row], columns: Mapping[str, str]) -> Table:
    table = Table("dimension", "case", title=title, title_justify="left", header_style="bold")
    for name in ("x base", "holds", *columns):
        table.add_column(name, justify="right")
    for row in found:
        told = [number(row.figures[figure]) if figure in row.figures else "" for figure in columns.values()]
        ratio = "VOID" if not row.counted else "" if row.ratio is None else f"{row.ratio:.2f}"
        holds = {None: "", True: "yes", False: "NO"}[row.holds]
        table.add_row(row.dimension, row.name, ratio, holds, *told)
    return table
