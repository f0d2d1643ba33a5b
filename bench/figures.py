"""Results of the measures, as data, as tables and as a file; called by `crossdock bench`."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from rich.table import Table

from bench import machine
from crossdock import VERSION

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Run:
    """One measure taken once. `wrong` says why it does not count; figures of a void run are shown all the same."""

    measure: str
    rep: int
    figures: Mapping[str, Any] = field(default_factory=dict)
    wrong: tuple[str, ...] = ()

    @property
    def void(self) -> bool:
        """Whether the counts were wrong."""
        return bool(self.wrong)

    def as_dict(self) -> dict[str, Any]:
        """Return the shape of `bench --json`."""
        return {**asdict(self), "void": self.void}


def percentiles(values: Iterable[float], *shares: float) -> dict[str, float]:
    """Return `p50_ms` and so on, and `max_ms`, of times in milliseconds."""
    ordered = sorted(values)
    if not ordered:
        return {}
    found = {f"p{share * 100:g}_ms": ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in shares}
    return {name: round(value, 2) for name, value in {**found, "max_ms": ordered[-1]}.items()}


def document(runs: Sequence[Run]) -> dict[str, Any]:
    """Return everything about these runs."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": VERSION,
        "machine": machine.describe(),
        "valid": not any(run.void for run in runs),
        "runs": [run.as_dict() for run in runs],
    }


def save(found: Mapping[str, Any], folder: Path) -> Path:
    """Write the document to a file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.json"
    path.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    return path


def tables(runs: Sequence[Run]) -> list[Table]:
    """Return a table a measure: a row a figure, a column a run, and the median of the runs that count."""
    measures = dict.fromkeys(run.measure for run in runs)
    return [_table(measure, [run for run in runs if run.measure == measure]) for measure in measures]


def _table(measure: str, runs: Sequence[Run]) -> Table:
    heads = [f"{run.rep} VOID" if run.void else str(run.rep) for run in runs]
    table = Table("figure", title=measure, title_justify="left", header_style="bold")
    for head in (*heads, "median"):
        table.add_column(head, justify="right")
    flat = [_flat(run.figures) for run in runs]
    for name in dict.fromkeys(name for figures in flat for name in figures):
        values = [figures.get(name, "") for figures in flat]
        counted = [figures[name] for figures, run in zip(flat, runs, strict=True) if name in figures and not run.void]
        table.add_row(name, *map(str, values), _median(counted))
    return table


def _flat(figures: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in figures.items():
        inner = value.items() if isinstance(value, Mapping) else [("", value)]
        flat |= {f"{name} {part}".strip(): number for part, number in inner}
    return flat


def _median(values: Sequence[Any]) -> str:
    numbers = [value for value in values if isinstance(value, int | float)]
    if not numbers or len(numbers) < len(values):
        return str(values[0]) if values and len(set(values)) == 1 else ""
    return f"{statistics.median(numbers):g}" if max(numbers) < 1e5 else f"{statistics.median(numbers):.0f}"
