"""Where the figures of alerts come from: what the operations side knows anyway; see `alerts.ports.Observer`."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from alerts.ports import Figures
from alerts.spec import PERCENTILES, Condition
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Lag
from crossdock.pipeline.rhythm import Silence
from crossdock.project import Project
from journal import entry, figures
from journal.figures import HOUR, MINUTE, MS, Processes
from journal.spread import Spread, merged

_FEW_MINUTES = 86_400.0  # seconds up to which figures of minutes are read, and hours beyond
_OWN = "route-"  # how the name of a consumer begins that one route has for itself, as it is behind
_OF_SOURCE = (figures.REFUSED, figures.ID_CONFLICT, entry.QUARANTINED)  # what leaves a dead letter of a source


@dataclass(frozen=True)
class Facts:
    """What alerts are judged by; `clock` gives Unix seconds.

    `ages` are those of the oldest that waits, in seconds, by route or `process`; `gaps` is what does not add up, None
    while nobody knows. `drift` names the source of each open finding.
    """

    project: Callable[[], Project]
    lags: Callable[[], Awaitable[Mapping[str, Lag]]]
    states: Callable[[], Mapping[str, Mapping[str, object]]]
    processes: Processes
    ages: Callable[[], Awaitable[Mapping[str, float]]]
    gaps: Callable[[], Iterable[Mapping[str, Any]] | None]
    silences: Callable[[int], Iterable[Silence]]
    drift: Callable[[], Awaitable[Iterable[str]]]
    clock: Callable[[], float] = time.time

    async def figures(self, when: Condition) -> Figures:
        """See `Observer.figures`."""
        return await _KINDS[when.kind](self, when)


async def _dead_letters(facts: Facts, when: Condition) -> Figures:
    routes = await _counted(facts, (entry.DEAD_LETTERED,), when.over)
    sources = await _counted(facts, _OF_SOURCE, when.over)
    minutes = when.over / 60
    found = {f"route {name}": routes.get(name, Spread()).n / minutes for name in _routes(facts, when)}
    return found | {f"source {name}": sources.get(name, Spread()).n / minutes for name in _sources(facts, when)}


async def _lag(facts: Facts, when: Condition) -> Figures:
    lags = await facts.lags()
    return _waiting(facts, when, lags, {name: float(lag.waiting) for name, lag in lags.items()})


async def _oldest(facts: Facts, when: Condition) -> Figures:
    return _waiting(facts, when, await facts.lags(), await facts.ages())


async def _gap(facts: Facts, when: Condition) -> Figures:
    gaps = facts.gaps()
    if gaps is None:
        raise Unavailable("the ledger has not read the streams to their end yet")
    found = Counter[str]()
    for gap in gaps:
        found[f"route {gap['route']}" if gap["route"] else f"source {gap['source']}"] += gap["events"]
    routes, sources = _routes(facts, when), _sources(facts, when)
    subjects = [*(f"route {name}" for name in routes), *(f"source {name}" for name in sources)]
    return {subject: float(found[subject]) for subject in subjects}


async def _breaker(facts: Facts, when: Condition) -> Figures:
    states = facts.states()
    found: dict[str, float | None] = {}
    for name in _routes(facts, when):
        state = states.get(name, {}).get("breaker", "unknown")
        found[f"route {name}"] = None if state == "unknown" else float(state in ("open", "half_open"))
    return found


async def _silent(facts: Facts, when: Condition) -> Figures:
    found = dict[str, float | None]()
    silences = {one.source: one for one in facts.silences(int(facts.clock() * 1000))}
    for name in _sources(facts, when):
        known = silences.get(name)
        if known is None or not known.last:  # one that never sent anything is not silent, but new
            found[f"source {name}"] = None
        else:
            silent = known.quiet > when.over if when.over else known.silent
            found[f"source {name}"] = known.quiet if silent else 0.0
    return found


async def _drift(facts: Facts, when: Condition) -> Figures:
    findings = list(await facts.drift())
    return {f"source {name}": float(findings.count(name)) for name in _sources(facts, when)}


async def _slow(facts: Facts, when: Condition) -> Figures:
    spreads = await _counted(facts, (when.hop,), when.over)
    sort = "source" if when.hop == figures.PROCESS else "route"
    names = _sources(facts, when) if sort == "source" else _routes(facts, when)
    share = PERCENTILES[when.percentile]
    return {f"{sort} {name}": spreads.get(name, Spread()).percentile(share) / 1000 for name in names}


async def _counted(facts: Facts, hops: Collection[str], over: float) -> dict[str, Spread]:
    """Return what the figures say of some hops over the last whole minutes and the one that is under way, by name."""
    now = int(facts.clock() * 1000)
    span = MINUTE if over <= _FEW_MINUTES else HOUR
    since = now // MS * MS - (int(over) // 60 - 1) * MS
    cells = await asyncio.to_thread(facts.processes.cells, since, now, "", tuple(hops), span)
    names = {cell.name for cell in cells}
    return {name: merged(cell.spread for cell in cells if cell.name == name) for name in names}


def _waiting(facts: Facts, when: Condition, lags: Mapping[str, Lag], known: Mapping[str, float]) -> Figures:
    """Return figures of what waits: of the process step, and of routes; those that share a feed are one subject."""
    found: dict[str, float | None] = {} if when.sort == "route" else {"step process": known.get("process")}
    for name in _routes(facts, when):
        shared = not when.names and name in lags and not lags[name].consumer.startswith(_OWN)
        subject = "step deliver" if shared else f"route {name}"
        figure = known.get(name)
        before = found.get(subject)
        found[subject] = figure if figure is None or before is None else max(figure, before)
    return found


def _routes(facts: Facts, when: Condition) -> list[str]:
    """Return the routes that a condition is about, without those that callbacks stand for."""
    routes = facts.project().routes
    if when.sort == "connector":
        return [name for name, route in routes.items() if route.connector in when.names]
    if when.sort in ("source", "step"):
        return []
    names = when.names or [name for name in routes if not name.startswith(entry.CALLBACK)]
    return [name for name in names if name in routes]


def _sources(facts: Facts, when: Condition) -> list[str]:
    if when.sort in ("route", "connector", "step"):
        return []
    sources = facts.project().sources
    return [name for name in when.names or sources if name in sources]


_KINDS: dict[str, Callable[[Facts, Condition], Awaitable[Figures]]] = {
    "dead_letter_rate": _dead_letters,
    "lag": _lag,
    "oldest_age": _oldest,
    "ledger_gap": _gap,
    "breaker_open": _breaker,
    "silent_source": _silent,
    "drift": _drift,
    "hop_sla": _slow,
}
