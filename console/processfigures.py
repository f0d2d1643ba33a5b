"""Figures of processes as the operations API shows them: a table by what events are about, and a line over time."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from journal import entry, figures
from journal.figures import DAY, DELIVER, LETTERED, MATCH, MS, PROCESS, REWORK, TOTAL, Cell, Processes
from journal.spread import ERROR, Spread

WEEK = 7 * DAY * MS
EARLY = 10_000  # milliseconds of a step until its speed is told
EDGES = [base * 10**power for power in range(7) for base in (1, 2, 5)]  # milliseconds, up to 83 minutes
_PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_OF_ROUTES = (MATCH, DELIVER, TOTAL, entry.RETRIED, entry.DEAD_LETTERED, entry.DISCARDED)
_NONE = Spread()

Hops = Mapping[str, Spread]


class Line(NamedTuple):
    """A figure over time: of a hop, of a source or route, of a value of a dimension; empty for all."""

    hop: str
    name: str
    dimension: str
    value: str


def table(processes: Processes, since: int, until: int, by: str, limit: int, now: int | None = None) -> dict[str, Any]:
    """Return the figures of each value, those of most events first, and of all, beside those of the week before.

    At `now` (Unix milliseconds) the last hour is not over yet: counts are compared by what of it is.
    """
    over = _over(since, until, now)
    found = _by_value(_cells(processes, since, until, by), by)
    before = _by_value(_cells(processes, since - WEEK, until - WEEK, by), by)
    items = [_item(value, hops, before.get(value, {}), over) for value, hops in found.items()]
    items.sort(key=lambda one: (-max(one["events"] or 0, one["count"]), one["value"]))
    then = _hops_of_all(processes, since - WEEK, until - WEEK)
    whole = _item("", _hops_of_all(processes, since, until), then, over)
    return {"all": whole, "items": items[:limit], "left_out": max(0, len(items) - limit), "error": ERROR}


def series(processes: Processes, line: Line, since: int, until: int, span: int, now: int) -> dict[str, Any]:
    """Return a figure in steps of `span` minutes; the speed of the step under way at `now` is that of what has passed.

    Nobody knows the speed of one that has hardly begun.
    """
    found = processes.cells(since, until, line.dimension, (line.hop,), 0 if span == DAY else span)
    fitting = [
        cell for cell in found if line.name in ("", cell.name) and (not line.dimension or cell.value == line.value)
    ]
    width = span * MS
    points = figures.grouped(fitting, lambda cell: cell.start // width * width)
    return {
        "hop": line.hop,
        "step": span * 60,
        "edges": EDGES,
        "points": [_point(at, spread, min(width, now - at), line.hop) for at, spread in sorted(points.items())],
    }


def _point(at: int, spread: Spread, passed: int, hop: str) -> dict[str, Any]:
    speed = None if passed < EARLY else round(spread.n / passed * 1000, 4)
    told = {"at": at, "count": spread.n, "per_second": speed}
    return told | (_durations(spread) | {"heat": spread.heat(EDGES)} if hop in figures.DURATIONS else {})


def _cells(processes: Processes, since: int, until: int, by: str) -> list[Cell]:
    return processes.cells(since, until, "" if by == "route" else by)


def _hops_of_all(processes: Processes, since: int, until: int) -> Hops:
    return figures.grouped(processes.cells(since, until), lambda cell: cell.hop)


def _by_value(cells: Iterable[Cell], by: str) -> dict[str, dict[str, Spread]]:
    """Return the sums of each hop by value; a route is what a hop of routes is named after."""
    found: dict[str, dict[str, Spread]] = {}
    sums = figures.grouped(cells, lambda cell: (cell.name if by == "route" else cell.value, cell.hop))
    for (value, hop), spread in sums.items():
        found.setdefault(value, {})[hop] = spread
    if by != "route":
        return found
    kept = (*_OF_ROUTES, entry.REPLAYED)
    routes = {value: hops for value, hops in found.items() if not hops.keys().isdisjoint(_OF_ROUTES)}
    return {value: {hop: one for hop, one in hops.items() if hop in kept} for value, hops in routes.items()}


def _over(since: int, until: int, now: int | None) -> float:
    """Return which share of a time, rounded outwards to hours, is over."""
    hour = figures.HOUR * MS
    begin, end = since // hour * hour, -(-until // hour) * hour
    return 1.0 if now is None or now >= end else max(1, now - begin) / (end - begin)


def _item(value: str, hops: Hops, before: Hops, over: float) -> dict[str, Any]:
    now, then = _sums(hops), _sums(before)
    change = {key: _change(now[key], then[key] and then[key] * over) for key in ("count", "events")}
    change |= {key: _change(now[key], then[key]) for key in _PERCENTILES}
    return {"value": value} | now | {"hops": _hops(hops), "before": then, "change": change}


def _sums(hops: Hops) -> dict[str, Any]:
    total = hops.get(TOTAL, _NONE)
    rework = {hop: hops[hop].n if hop in hops else 0 for hop in REWORK}
    letters = sum(rework[hop] for hop in LETTERED)
    events = hops[PROCESS].n if PROCESS in hops else None
    return {"count": total.n, "events": events} | _durations(total) | {"rework": rework, "dead_letters": letters}


def _durations(spread: Spread) -> dict[str, Any]:
    """Return percentiles and mean in milliseconds; none of nothing."""
    if not spread.buckets:
        return dict.fromkeys((*_PERCENTILES, "mean"))
    told = {name: round(spread.percentile(share), 1) for name, share in _PERCENTILES.items()}
    return told | {"mean": round(spread.mean, 1)}


def _change(now: float | None, before: float | None) -> float | None:
    return round(now / before - 1, 4) if now is not None and before else None


def _hops(hops: Hops) -> list[dict[str, Any]]:
    """Return where the time goes: what is not kept of a hop follows from the others, but for its percentiles."""
    total = hops.get(TOTAL, _NONE).mean
    means = {hop: hops[hop].mean for hop in (PROCESS, MATCH, DELIVER) if hop in hops}
    if total and PROCESS not in means and DELIVER in means:
        means[PROCESS] = max(0.0, total - means[DELIVER])
    if total and DELIVER not in means and PROCESS in means:
        means[DELIVER] = max(0.0, total - means[PROCESS])
    parts = dict(means)
    if MATCH in parts and DELIVER in parts:
        parts[DELIVER] = max(0.0, parts[DELIVER] - parts[MATCH])  # of which it is the beginning
    whole = sum(parts.values())
    return [
        {"hop": hop, "count": hops.get(hop, _NONE).n}
        | _durations(hops.get(hop, _NONE))
        | {"mean": round(mean, 1), "share": round(parts[hop] / whole, 4) if whole else None}
        for hop, mean in means.items()
    ]
