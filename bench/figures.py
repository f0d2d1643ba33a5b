"""Results of the measures, as data, as a table and as a file; called by `crossdock bench`."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from rich.table import Table

from bench import machine
from bench.size import Entry
from crossdock import VERSION

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Run:
    """One measure taken once. `wrong` says why it does not count; figures of a void run are shown all the same."""

    measure: str
    entry: Entry
    rep: int
    figures: Mapping[str, Any] = field(default_factory=dict)
    wrong: tuple[str, ...] = ()

    @property
    def void(self) -> bool:
        """Whether the counts were wrong."""
        return bool(self.wrong)

    def brief(self) -> str:
        """Return its most telling figures in a line."""
        names = ("events_per_s", "p50_ms", "p99_ms", "lost", "back_events_per_s")
        told = ", ".join(f"{name} {self.figures[name]}" for name in names if name in self.figures)
        return f"VOID {'; '.join(self.wrong)} {told}" if self.void else told

    def as_dict(self) -> dict[str, Any]:
        """Return the shape of `bench --json`."""
        return {**asdict(self), "label": self.entry.label, "void": self.void}


def percentiles(values: Iterable[float], *shares: float) -> dict[str, float]:
    """Return `p50_ms` and so on, and `max_ms`, of times in milliseconds."""
    ordered = sorted(values)
    if not ordered:
        return {}
    found = {f"p{share * 100:g}_ms": ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in shares}
    return {name: round(value, 2) for name, value in {**found, "max_ms": ordered[-1]}.items()}


def document(runs: Sequence[Run], summary: Sequence[Mapping[str, Any]], kept: Mapping[str, float]) -> dict[str, Any]:
    """Return everything about these runs."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": VERSION,
        "machine": machine.describe(),
        "valid": not any(run.void for run in runs),
        "summary": list(summary),
        "kept_while_down": dict(kept),
        "runs": [run.as_dict() for run in runs],
    }


def save(found: Mapping[str, Any], folder: Path) -> Path:
    """Write the document to a file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.json"
    path.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    return path


def details(runs: Sequence[Run]) -> list[Table]:
    """Return a table a measure: a row a figure, a column an entry, in it the median of the runs that count."""
    return [_details(measure, [run for run in runs if run.measure == measure]) for measure in _measures(runs)]


def _measures(runs: Sequence[Run]) -> list[str]:
    return list(dict.fromkeys(run.measure for run in runs))


def _details(measure: str, runs: Sequence[Run]) -> Table:
    table = Table("figure", title=measure, title_justify="left", header_style="bold")
    columns: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        columns.setdefault(run.entry.label, []).extend([] if run.void else [flat(run.figures)])
    for label, found in columns.items():
        table.add_column(label if found else f"{label} VOID", justify="right")
    for name in dict.fromkeys(name for found in columns.values() for figures in found for name in figures):
        table.add_row(
            name, *(_median([figures[name] for figures in found if name in figures]) for found in columns.values())
        )
    return table


def flat(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures with those of a mapping beside the others: `cpu_s_per_1000 gateway`."""
    found: dict[str, Any] = {}
    for name, value in figures.items():
        inner = value.items() if isinstance(value, Mapping) else [("", value)]
        found |= {f"{name} {part}".strip(): number for part, number in inner}
    return found


def _median(values: Sequence[Any]) -> str:
    numbers = [value for value in values if isinstance(value, int | float)]
    if not numbers or len(numbers) < len(values):
        return str(values[0]) if values and len(set(values)) == 1 else ""
    return number(statistics.median(numbers))


def number(value: float) -> str:
    """Return a figure as tables show it."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
