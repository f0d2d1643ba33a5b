"""Measure `route`: from RAW to three targets, the workers let go on a full stream; called by `bench.suite`."""

import time
from dataclasses import replace
from typing import Any

from bench import machine
from bench.figures import Run
from bench.ingest import stopped
from bench.sales import PARTNER, Load, make_load, wanted
from bench.sinks import faults
from bench.size import Size
from bench.stage import Stage, running_stage
from crossdock.kernel.event import STRUCTURED
from crossdock.kernel.stream import Record
from crossdock.project import Project
from gateway.intake import accept

_HEADERS = {"content-type": STRUCTURED}


async def measure(rep: int, size: Size) -> Run:
    """Take the measure once."""
    async with running_stage() as stage:
        warm = make_load(2 * rep, size.warm_events)
        load = make_load(2 * rep + 1, size.events, size.repeats, round(size.events * size.broken))
        await stage.preload(records(stage.project, warm))
        await stage.settled(size.within / 2)
        await stage.sinks.reset()
        waiting = records(stage.project, load)
        with stopped(stage.workers()):
            await stage.preload(waiting)
            condition = machine.condition()
            before = stage.usage()
            machine.reset_peaks(before.pids)
            began = time.time_ns()
        await stage.settled(size.within)
        costs = stage.costs(before, size.events)
        arrivals = await stage.sinks.arrivals()
        seconds = (max(last for got in arrivals.values() for last in got.values()) - began) / 1e9
        figures = {
            "events_per_s": round(size.events / seconds),
            "seconds": round(seconds, 2),
            "events": size.events,
            "repeats": load.repeats,
            "broken": len(load.broken),
            "delivered": {name: len(got) for name, got in arrivals.items()},
            "redelivered": await stage.redelivered(),
            **costs,
            **stage.settings(),
            **condition,
        }
        wrong = await _faults(stage, load, size, arrivals)
        return Run("route", rep, figures, (*wrong, *stage.restarts(before)))


def records(project: Project, load: Load) -> list[Record]:
    """Return the load as the gateway writes it; a repeat gets a key of its own, as if the broker's window were over."""
    made = []
    for sale, repeat in load.messages:
        record = accept(project, PARTNER, _HEADERS, sale.body).record
        made.append(replace(record, key=f"{record.key}-again") if repeat else record)
    return made


async def _faults(stage: Stage, load: Load, size: Size, arrivals: dict[str, dict[str, int]]) -> list[str]:
    expected = wanted(load.sales)
    found = faults(expected, arrivals, await stage.sinks.counts())
    letters = await stage.dead_letters()
    if sorted(letters) != sorted(load.broken):
        found.append(f"{len(letters)} dead letters, which are not the {len(load.broken)} broken events")
    return found + ledger_faults(await stage.ledger(), load, size.warm_events)


def ledger_faults(ledger: dict[str, Any], load: Load, warm: int) -> list[str]:
    """Return what is wrong with the ledger: it is balanced, nothing is under way, and the sums are the load's."""
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
