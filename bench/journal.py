"""What the journal's projection costs beside the pipeline, and whether it keeps up, in one run.

`python -m bench.journal [EVENTS]`: a backlog as in the measure `route`, with a whole installation.
"""

import asyncio
import json
import sys
import time
from typing import Any

from bench.measured import costs, until
from bench.route import let_go
from bench.size import CROSSDOCK, Entry, Size
from bench.stage import Stage, running_stage
from crossdock.adapters.letters import lags

EVENTS = 20_000
_EVERY = 0.05


async def measure(events: int) -> dict[str, Any]:
    """Return the share of the CPU that the process with the projection takes, and how far it was behind at the end."""
    size = Size(events=events, quiet=False)
    async with running_stage(Entry(CROSSDOCK, "always"), size) as stage:
        start = await let_go(stage, "route", Entry(CROSSDOCK, "always"), 1, size)
        began = time.monotonic()
        await until(lambda: _delivered(stage), size.within, _EVERY)
        delivered = time.monotonic()
        await until(stage.is_settled, size.within, _EVERY)
        behind = time.monotonic() - delivered
        spent = costs(stage, start.before, events)["cpu_s_per_1000"]
    pipeline = sum(seconds for name, seconds in spent.items() if name not in ("ops", "sink", "own"))
    return {
        "events": events,
        "events_per_s": round(events / (delivered - began)),
        "behind_s": round(behind, 2),
        "ops_us_an_event": round(spent["ops"] * 1000),
        "pipeline_us_an_event": round(pipeline * 1000),
        "share": round(spent["ops"] / pipeline, 3),
    }


async def _delivered(stage: Stage) -> bool:
    return not any(lag.waiting for lag in (await lags(stage.client, stage.project)).values())


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(int(sys.argv[1]) if sys.argv[1:] else EVENTS))))
