"""How fast one http route delivers to a target that answers after 1 ms: `python -m bench.deliver [--events N]`.

The events are in EVENTS before the route is resumed, so nothing but its delivery is under way. Prints deliveries a
second and the CPU seconds that 1,000 of them cost, by process; exits 1 when the ledger is not even.
"""

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.machine import Usage, demand_linux
from bench.measured import begin, costs, until
from bench.sales import make_load
from bench.sink import DELAY
from bench.size import CROSSDOCK, Entry, Size
from bench.stage import PROJECT, Stage, running_stage

ROUTE, TARGET = "sales-to-erp", "erp"
ANSWER_MS = "1"


async def measure(events: int, size: Size) -> dict[str, Any]:
    """Deliver so many events on one route, and return the figures."""
    with tempfile.TemporaryDirectory(prefix="crossdock-deliver-") as folder:
        root = one_route(Path(folder) / "content")
        async with running_stage(Entry(CROSSDOCK), size, root) as stage:
            await _let_through(stage, 500, size)
            before = await _let_through(stage, events, size)
            counts = (await stage.sinks.counts())[TARGET]
            seconds = (counts["last_ns"] - counts["first_ns"]) / 1e9
            ledger = await stage.prove()
            return {
                "deliveries_per_s": round(counts["unique"] / seconds),
                "seconds": round(seconds, 2),
                "delivered": counts["unique"],
                "requests": counts["requests"],
                "answer_ms": int(ANSWER_MS),
                "balanced": ledger["balanced"],
                **costs(stage, before, events),
            }


async def _let_through(stage: Stage, events: int, size: Size) -> Usage:
    """Fill EVENTS while the route is paused, resume it and wait for the last one; return what was used before."""
    load = make_load(events, events)
    await stage.operate("route", "pause", ROUTE)
    await (await stage.prepare(load))()
    await until(lambda: _processed(stage), size.within)
    await stage.sinks.reset()
    before = begin(stage)
    await stage.operate("route", "resume", ROUTE)
    await until(stage.is_settled, size.within)
    return before


async def _processed(stage: Stage) -> bool:
    return await stage.backlog() == 0


def one_route(root: Path) -> Path:
    """Return a copy of the bench project with one route."""
    shutil.copytree(PROJECT, root)
    routes = root / "routes"
    for path in routes.glob("*.yaml"):
        path.unlink()
    (routes / "sales.yaml").write_text(f"routes:\n  - {{route: {ROUTE}, from: [inventory.sold], to: {TARGET}}}\n")
    return root


def main(arguments: list[str]) -> int:
    """Measure and print."""
    demand_linux()
    parser = argparse.ArgumentParser(prog="bench.deliver", description=__doc__)
    parser.add_argument("--events", type=int, default=50_000)
    asked = parser.parse_args(arguments)
    os.environ[DELAY] = ANSWER_MS
    found = asyncio.run(measure(asked.events, Size(quiet=False)))
    print(json.dumps(found, indent=2))
    return 0 if found["balanced"] and found["delivered"] == asked.events else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
