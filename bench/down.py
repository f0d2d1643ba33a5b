"""Measure `down`: `route` while the OMS answers 503 to everything, then its events; called by `bench.suite`."""

import time
from collections.abc import Mapping
from typing import Any

from bench.entries import running
from bench.figures import Run
from bench.measured import POLL, Measured, costs, restarts, until
from bench.route import Start, dead_letter_faults, ledger_faults, let_go, rate
from bench.sales import wanted
from bench.sinks import faults, wrong_samples
from bench.size import Entry, Size, conditions

DOWN = "oms"
_HEALTHY = ("erp", "wms")

Wanted = Mapping[str, frozenset[str]]


async def measure(entry: Entry, rep: int, size: Size) -> Run:
    """Take the measure once: ERP and WMS get everything meanwhile, and the OMS when it is back."""
    async with running(entry, size, "down") as stage:
        start = await let_go(stage, "down", entry, rep, size, down=DOWN)
        want = wanted(start.load.sales)
        await _healthy_served(stage, want, size)
        counts = await stage.sinks.counts()
        spent = costs(stage, start.before, len(start.load.messages))
        aside = await stage.set_aside(DOWN)
        figures = {
            **rate(start, start.seconds(counts, *_HEALTHY)),
            "refused_by_oms": counts[DOWN]["requests"],
            "safe": aside,
            **spent,
            **(await _back(stage, want, size) if stage.delivers_later else {}),
            **conditions(size),
            **stage.settings(),
            **start.condition,
        }
        # It may be more: a route that has fallen behind has not looked at all of its events yet.
        wrong = [] if aside >= len(want[DOWN]) else [f"{aside} of {len(want[DOWN])} events of the OMS are safe"]
        return Run("down", entry, rep, figures, (*wrong, *await _faults(stage, start, want)))


async def _healthy_served(stage: Measured, want: Wanted, size: Size) -> None:
    async def served() -> bool:
        counts = await stage.sinks.counts()
        if any(counts[name]["unique"] < len(want[name]) for name in _HEALTHY):
            return False
        return stage.delivers_later or await stage.is_settled()

    await until(served, size.within, POLL / 2)


async def _back(stage: Measured, want: Wanted, size: Size) -> dict[str, Any]:
    """Let the OMS answer again, and return how soon and how fast it got its events."""
    back = time.time_ns()
    await stage.sinks.answer(DOWN, 200)
    await until(stage.is_settled, size.within)
    got = (await stage.sinks.counts())[DOWN]
    seconds = max(1, got["last_ns"] - got["first_ns"]) / 1e9
    return {
        "back_after_s": round((got["first_ns"] - back) / 1e9, 2),
        "back_events_per_s": round(got["unique"] / seconds),
    }


async def _faults(stage: Measured, start: Start, want: Wanted) -> list[str]:
    served = want if stage.delivers_later else {name: want[name] for name in _HEALTHY}
    refused = frozenset[str]() if stage.delivers_later else want[DOWN]
    return [
        *faults(served, await stage.sinks.arrivals(), await stage.sinks.counts()),
        *wrong_samples(start.load.sales, await stage.sinks.samples()),
        *await dead_letter_faults(stage, start.load, refused),
        *ledger_faults(await stage.ledger(), start.load, start.warm),
        *restarts(stage, start.before),
    ]
