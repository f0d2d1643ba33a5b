"""Measure `route`: from RAW to three targets, the workers let go on a full stream; called by `bench.suite`."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench import machine
from bench.entries import running
from bench.figures import Run
from bench.machine import Usage
from bench.measured import Measured, begin, costs, restarts, until
from bench.processes import stopped
from bench.sales import Load, make_load, wanted
from bench.sinks import Counts, faults, wrong_samples
from bench.size import Entry, Size, conditions


@dataclass(frozen=True, slots=True)
class Start:
    """What was let go, when in Unix nanoseconds, and what had been used until then."""

    load: Load
    warm: int
    began: int
    before: Usage
    condition: Mapping[str, Any]

    def seconds(self, counts: Counts, *targets: str) -> float:
        """Return the time until the last delivery at any of these targets."""
        return (max(counts[name]["last_ns"] for name in targets) - self.began) / 1e9


async def measure(entry: Entry, rep: int, size: Size) -> Run:
    """Take the measure once."""
    async with running(entry, size, "route") as stage:
        start = await let_go(stage, "route", entry, rep, size)
        await until(stage.is_settled, size.within)
        spent = costs(stage, start.before, len(start.load.messages))
        arrivals, counts = await stage.sinks.arrivals(), await stage.sinks.counts()
        figures = {
            **rate(start, start.seconds(counts, *counts)),
            "delivered": {name: len(got) for name, got in arrivals.items()},
            "redelivered": await stage.redelivered(),
            **spent,
            **conditions(size),
            **stage.settings(),
            **start.condition,
        }
        wrong = [
            *faults(wanted(start.load.sales), arrivals, counts),
            *wrong_samples(start.load.sales, await stage.sinks.samples()),
            *await dead_letter_faults(stage, start.load),
            *ledger_faults(await stage.ledger(), start.load, start.warm),
            *restarts(stage, start.before),
        ]
        return Run("route", entry, rep, figures, tuple(wrong))


async def let_go(stage: Measured, measure: str, entry: Entry, rep: int, size: Size, down: str = "") -> Start:
    """Warm up, fill RAW while the workers are held still, and let them go; `down` names a target that is."""
    events = size.messages(measure, entry)
    warm = make_load(2 * rep, min(size.warm_events, events))
    load = make_load(2 * rep + 1, events, size.repeats, round(events * size.broken))
    await (await stage.prepare(warm))()
    await until(stage.is_settled, size.within / 2)
    await stage.sinks.reset()
    if down:
        await stage.sinks.answer(down, 503)
    fill = await stage.prepare(load)
    condition = await machine.condition(size.quiet)  # not later: the broker's patience with what is held still ends
    with stopped(stage.workers()):
        await fill()
        before, began = begin(stage), time.time_ns()
    return Start(load, len(warm.messages), began, before, condition)


def rate(start: Start, seconds: float) -> dict[str, Any]:
    """Return the figures of a load that took so long."""
    load = start.load
    return {
        "events_per_s": round(len(load.messages) / seconds),
        "seconds": round(seconds, 2),
        "events": len(load.messages),
        "repeats": load.repeats,
        "broken": len(load.broken),
    }


async def dead_letter_faults(stage: Measured, load: Load, refused: frozenset[str] = frozenset()) -> list[str]:
    """Return what is wrong with the dead letters: they are the broken events, and those that a target refused."""
    letters, wanted_letters = await stage.dead_letters(), load.broken | refused
    if sorted(letters) == sorted(wanted_letters):
        return []
    return [f"{len(letters)} dead letters, which are not the {len(wanted_letters)} that must be"]


def ledger_faults(ledger: Mapping[str, Any] | None, load: Load, warm: int) -> list[str]:
    """Return what is wrong with the ledger: it is balanced, nothing is under way, and the sums are the load's."""
    if ledger is None:
        return []
    found = [] if ledger["balanced"] else [f"{len(ledger['unexplained'])} events do not add up in the ledger"]
    (source,) = ledger["sources"]
    sums = {
        "accepted": warm + len(load.messages),
        "routed": warm + len(load.sales) - len(load.broken),
        "duplicate": load.repeats,
        "dead_lettered": len(load.broken),
        "in_progress": 0,
    }
    found += [f"{source[name]} {name} in the ledger, not {sum_}" for name, sum_ in sums.items() if source[name] != sum_]
    for route in ledger["routes"]:
        if route["matched"] != route["delivered"]:
            found.append(f"{route['route']}: {route['matched']} matched, {route['delivered']} delivered")
    return found
