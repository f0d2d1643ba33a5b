"""One partner floods the gateway at ten times its limit: what another, quiet one sees of that.

`python -m bench.flood [--batch 1000] [--sync always] [--pairs 5] [--seconds 20]` prints one JSON document. Quiet and
flood take turns in one run; the quiet partner sends on all the time.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from shutil import copytree
from typing import Any

from bench import machine, processes
from bench.figures import percentiles
from bench.pacer import Plan
from bench.size import CROSSDOCK, Entry, Size
from bench.stage import PROJECT, Stage, running_stage

QUIET, QUIET_CONNECTIONS = 50, 2  # events a second
LIMIT, TIMES, CONNECTIONS = 200, 10, 32  # events a second that the other may send, and how much more it does
MOST = 1.5  # how much higher the quiet partner's p99 may be
FLOODER = "flooder"
_BEGIN = 4.0  # seconds until both senders are up
_SETTLE = 1.5  # seconds after a flood in which its events are still delivered
_SOURCE = f"""source: {FLOODER}
partner: {FLOODER}
accept: cloudevents
types: [pos.sale]
verify: {{api_key: true}}
limits: {{rate: {LIMIT}/s, batch: 1000}}
"""

Window = tuple[float, float]


async def measure(sync: str, batch: int, pairs: int, seconds: float) -> dict[str, Any]:
    """Take the measure once."""
    with tempfile.TemporaryDirectory(prefix="crossdock-flood-") as name:
        root = copytree(PROJECT, Path(name) / "project")
        (root / "gateway" / f"{FLOODER}.yaml").write_text(_SOURCE)
        async with running_stage(Entry(CROSSDOCK, sync), Size(), root) as stage:
            return await _measure(stage, await stage.make_key(FLOODER), batch, pairs, seconds)


async def _measure(stage: Stage, key: str, batch: int, pairs: int, seconds: float) -> dict[str, Any]:
    begin = time.monotonic() + _BEGIN
    quiet = [(begin + 2 * number * seconds, begin + (2 * number + 1) * seconds) for number in range(pairs)]
    flood = [(ends, ends + seconds) for _, ends in quiet]
    url, whole = stage.events_url, [(begin, flood[-1][1])]
    one, other, cores = await asyncio.gather(
        _run(Plan(url, stage.key, QUIET, QUIET_CONNECTIONS, whole, 1)),
        _run(Plan(url, key, TIMES * LIMIT, CONNECTIONS, flood, 2, batch)),
        _cores(stage, [*quiet, *flood]),
    )
    told = [_milliseconds(one["times"], [(begins + _SETTLE, ends)]) for begins, ends in quiet]
    flooded = [_milliseconds(one["times"], [window]) for window in flood]
    p99s = [statistics.median(phase["p99_ms"] for phase in phases) for phases in (told, flooded)]
    return {
        "quiet": told,
        "flood": flooded,
        "p99_ms": {"quiet": p99s[0], "flood": p99s[1], "ratio": round(p99s[1] / p99s[0], 2), "most": MOST},
        "statuses": {"quiet": one["statuses"], "flood": other["statuses"]},
        "flood_accepted_per_s": round(other["accepted"] / (pairs * seconds), 1),
        "flood_answer": _milliseconds(other["times"], flood),
        "cores": {"quiet": _mean(cores[:pairs]), "flood": _mean(cores[pairs:])},
        "senders": [{name: round(seen[name], 3) for name in ("late", "cpu")} for seen in (one, other)],
        "wrong": one["wrong"] + other["wrong"] + _faults(one["statuses"], other, pairs * seconds),
        **stage.settings(),
    }


async def _run(plan: Plan) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *(processes.PYTHON, "-m", "bench.pacer"), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        output, _ = await process.communicate(json.dumps(asdict(plan)).encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    seen: dict[str, Any] = json.loads(output)
    return seen


async def _cores(stage: Stage, windows: Sequence[Window]) -> list[dict[str, float]]:
    """Return for each window how much of a core each process used."""

    async def look(window: Window) -> dict[str, float]:
        await asyncio.sleep(window[0] - time.monotonic())
        before = machine.usage(stage.pids())
        await asyncio.sleep(window[1] - time.monotonic())
        return machine.usage(stage.pids()).since(before, round(1000 * (window[1] - window[0])))

    return await asyncio.gather(*map(look, windows))


def _mean(cores: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: round(statistics.mean(one[name] for one in cores), 2) for name in cores[0]}


def _milliseconds(times: Sequence[tuple[float, float]], windows: Sequence[Window]) -> dict[str, float]:
    found = [took * 1000 for due, took in times if any(begins <= due < ends for begins, ends in windows)]
    return percentiles(found, 0.5, 0.99)


def _faults(quiet: dict[str, int], flood: dict[str, Any], seconds: float) -> list[str]:
    """Return what is wrong beside the times: the quiet one is never refused, the other gets its limit and 429."""
    found = []
    if set(quiet) != {"202"}:
        found.append(f"the quiet partner was answered {quiet}")
    if set(flood["statuses"]) != {"202", "429"}:
        found.append(f"the flooding partner was answered {flood['statuses']}")
    if not LIMIT * 0.8 <= flood["accepted"] / seconds <= LIMIT * 1.5:
        found.append(f"{flood['accepted'] / seconds:.0f} events a second were taken of the flood")
    return found


def main() -> None:
    """Measure by the options; exit 1 when a count is wrong or the quiet partner was slowed."""
    options = argparse.ArgumentParser()
    options.add_argument("--batch", type=int, default=0, help="events in each request of the flood, 0 for single ones")
    options.add_argument("--sync", default="always", help="nats.sync_interval")
    options.add_argument("--pairs", type=int, default=5, help="of a quiet and a flooded phase")
    options.add_argument("--seconds", type=float, default=20, help="of each phase")
    given = options.parse_args()
    found = asyncio.run(measure(given.sync, given.batch, given.pairs, given.seconds))
    print(json.dumps(found, indent=1))
    sys.exit(bool(found["wrong"]) or found["p99_ms"]["ratio"] > MOST)


if __name__ == "__main__":
    main()
