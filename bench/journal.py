"""What the journal's projection costs beside the pipeline, whether it keeps up, and what operators wait for.

`python -m bench.journal keepup [EVENTS]`: a backlog as in the measure `route`; then JOURNAL is projected once more,
alone, which says the projection's `share` of the pipeline's CPU; `ops_share` is that of the process of operations, with
ledger and console. `pages|console [ENTRIES] [URL]`: see `bench.journal_pages` and `_console`. 1: slower than may be.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any

from bench import journal_console, journal_pages
from bench.measured import costs, until
from bench.route import let_go
from bench.size import CROSSDOCK, Entry, Size
from bench.stage import Stage, running_stage
from crossdock.adapters.letters import lags
from crossdock.adapters.memoryrecords import MemoryRecords
from crossdock.adapters.projector import Projector
from crossdock.adapters.sql import SqlJournal
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.stream import JOURNAL
from crossdock.pipeline.unreadable import Unreadable
from crossdock.supervisor.base import collect_seldom

EVENTS = 20_000
ENTRIES = 1_000_000
_KEEP = 86_400.0  # seconds; nothing here is older
_HOLDS: Mapping[str, Callable[[float], bool]] = {
    "ratio": lambda got: got >= 1,
    "share": lambda got: got < 0.15,
    "ops_share": lambda got: got < 0.25,
}
_EVERY = 0.05


async def measure(events: int) -> dict[str, Any]:
    """Return the best rates of pipeline and projection, and the CPU that the process with the projection takes."""
    size = Size(events=events, quiet=False)
    async with running_stage(Entry(CROSSDOCK, "always"), size) as stage:
        start = await let_go(stage, "route", Entry(CROSSDOCK, "always"), 1, size)
        began = time.monotonic()
        await until(lambda: _delivered(stage), size.within, _EVERY)
        delivered = time.monotonic()
        await until(stage.is_settled, size.within, _EVERY)
        behind = time.monotonic() - delivered
        spent = costs(stage, start.before, events)["cpu_s_per_1000"]
        alone, taken = await _project(stage)
    pipeline = sum(seconds for name, seconds in spent.items() if name not in ("ops", "sink", "own"))
    warm = min(size.warm_events, events)
    return {
        "events": events,
        "events_per_s": round(events / (delivered - began)),
        "projected_per_s": round((events + warm) / alone),
        "ratio": round((events + warm) / alone / (events / (delivered - began)), 2),
        "behind_s": round(behind, 2),
        "projection_us_an_event": round(taken / (events + warm) * 1e6),
        "ops_us_an_event": round(spent["ops"] * 1000),
        "pipeline_us_an_event": round(pipeline * 1000),
        "share": round(taken / (events + warm) * 1000 / pipeline, 3),
        "ops_share": round(spent["ops"] / pipeline, 3),
    }


async def _delivered(stage: Stage) -> bool:
    return not any(lag.waiting for lag in (await lags(stage.client, stage.project)).values())


async def _project(stage: Stage) -> tuple[float, float]:
    """Return the seconds that it takes to project all of JOURNAL from its beginning, and those of CPU."""
    with tempfile.TemporaryDirectory(prefix="crossdock-bench-") as folder:
        store, last = SqlJournal(f"sqlite:///{folder}/journal.db"), await stage.last(JOURNAL)
        collect_seldom()  # as the process of operations does
        began, used = time.monotonic(), time.process_time()
        unreadable = Unreadable(MemoryRecords(), Metrics().unreadable)
        work = asyncio.create_task(Projector(stage.client, store, _KEEP, unreadable).run())
        while await asyncio.to_thread(store.position) < last:  # noqa: ASYNC110  a position announces nothing
            await asyncio.sleep(_EVERY)
        work.cancel()
        took = time.monotonic() - began
        store.processes.catch_up()
        store.close()
        return took, time.process_time() - used


def main(mode: str = "keepup", number: str = "", url: str = "") -> int:
    """Take a measure, print it as JSON, and say on standard error what is wrong with it."""
    if mode == "pages":
        figures = journal_pages.measure(int(number or ENTRIES), url)
        wrong = journal_pages.faults(figures)
    elif mode == "console":
        figures = journal_console.measure(int(number or ENTRIES), url)
        wrong = journal_console.faults(figures)
    else:
        figures = asyncio.run(measure(int(number or EVENTS)))
        wrong = [f"{name}: {figures[name]}" for name, holds in _HOLDS.items() if not holds(figures[name])]
    print(json.dumps(figures))
    print("\n".join(wrong), file=sys.stderr, end="")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
