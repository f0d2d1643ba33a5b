"""Three bad targets and a healthy one: `python -m bench.targets [--seconds 60] [--rate 200]`; issue 7.

The OMS is dead, the ERP flaps, the WMS takes 2 s for an answer, all at once under a constant rate. The fourth target's
p99 is compared with that of a quiet time just before; then all are well again, and everything must arrive.
"""

import argparse
import asyncio
import itertools
import json
import resource
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import moody
from bench.figures import percentiles
from bench.loader import Poster, Sent, constant_rate
from bench.measured import until
from bench.moody import Mood, Moods, Moody
from bench.sales import Sale, make_load
from bench.size import CROSSDOCK, Entry, Size
from bench.stage import PROJECT, Stage, running_stage

NAMES = ("oms", "erp", "wms", "crm")
HEALTHY = "crm"
WITHIN = 300.0
DEAD_FOR = 1.0  # seconds of each two in which the flapping one is dead
_SHARES = (0.5, 0.9, 0.99)
_ROUTE = """\
  - route: sales-to-{0}
    from: [inventory.sold]
    to: {0}
    retry: {{for: 1h, first: 500ms, most: 5s}}
"""
_CONNECTOR = "connector: {}\nkind: http\nurl: {}\nnetworks: [127.0.0.0/8]\n"


def prepared(root: Path, targets: dict[str, Moody]) -> Path:
    """Copy the bench project with a route of every event to each target."""
    project = Path(shutil.copytree(PROJECT, root / "project"))
    (project / "routes/targets.yaml").write_text("routes:\n" + "".join(map(_ROUTE.format, targets)))
    (project / "routes/targets.test.yaml").unlink()
    for name, target in targets.items():
        (project / f"connectors/{name}.yaml").write_text(_CONNECTOR.format(name, target.url))
    return project


def flapping() -> Moods:
    """Return the moods of a target that is dead every other second."""
    return lambda _: Mood(503 if time.monotonic() % (2 * DEAD_FOR) < DEAD_FOR else 200)


def spoil(targets: dict[str, Moody]) -> None:
    """Let three of them be bad."""
    targets["oms"].mood = lambda _: Mood(503)
    targets["erp"].mood = flapping()
    targets["wms"].mood = lambda _: Mood(200, delay=2.0)


async def send(stage: Stage, targets: dict[str, Moody], salt: int, seconds: float, rate: float) -> Any:
    """Send at a constant rate; return the sales, and the times to the healthy target."""
    sales = make_load(salt, int(rate * seconds)).sales
    poster = Poster(stage.events_url, stage.key, 256)
    sent = await constant_rate(poster, sales, rate)
    await poster.close()
    await until(_have([targets[HEALTHY]], sales), WITHIN)
    return sales, percentiles(_delays(sent, targets[HEALTHY]), *_SHARES)


def _delays(sent: Sent, target: Moody) -> list[float]:
    return [(target.arrived[name] - sent.began[name]) / 1e6 for name in sent.accepted]


def _have(targets: Sequence[Moody], sales: Sequence[Sale]) -> Any:
    async def have() -> bool:
        return all(sale.id in target.arrived for target in targets for sale in sales)

    return have


async def memory(stage: Stage, seen: list[int]) -> None:
    """Note what the workers hold, every second until cancelled."""
    for _ in itertools.count():
        seen.append(sum(map(_resident, stage.workers())))
        await asyncio.sleep(1)


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


async def measure(stage: Stage, targets: dict[str, Moody], seconds: float, rate: float) -> dict[str, Any]:
    """Measure a quiet time, the bad one, and how it drains."""
    sales, _ = await send(stage, targets, 1, min(3, seconds), rate)
    more, quiet = await send(stage, targets, 2, seconds / 2, rate)
    before = {name: target.requests for name, target in targets.items()}
    spoil(targets)
    seen: list[int] = []
    watching = asyncio.create_task(memory(stage, seen))
    bad, busy = await send(stage, targets, 3, seconds, rate)
    watching.cancel()
    asked = {name: target.requests - before[name] for name, target in targets.items()}
    for target in targets.values():
        target.mood = moody.well
    began, all_ = time.monotonic(), [*sales, *more, *bad]
    await until(_have([*targets.values()], all_), WITHIN)
    drained = time.monotonic() - began
    await until(stage.is_settled, WITHIN)
    ledger = await stage.ledger()
    return {
        "quiet": quiet,
        "bad": busy,
        "ratio_p99": round(busy["p99_ms"] / quiet["p99_ms"], 2),
        "requests": asked,
        "workers_mib": [round(seen[place] / 2**20) for place in (0, len(seen) // 2, -1)],
        "drained_after_s": round(drained, 1),
        "balanced": ledger["balanced"],
        "routes": [{key: row[key] for key in ("route", "matched", "delivered")} for row in ledger["routes"]],
    }


async def run(seconds: float, rate: float, workers: int = 1) -> dict[str, Any]:
    """Measure once on a fresh installation."""
    targets = {name: Moody() for name in NAMES}
    with tempfile.TemporaryDirectory(prefix="crossdock-targets-") as name:
        async with moody.running(*targets.values()):
            root = prepared(Path(name), targets)
            async with running_stage(Entry(CROSSDOCK), Size(workers=workers), root) as stage:
                return await measure(stage, targets, seconds, rate)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m bench.targets")
    for name, default in (("seconds", 60.0), ("rate", 200.0)):
        parser.add_argument(f"--{name}", type=float, default=default)
    given = parser.parse_args(arguments)
    print(json.dumps(asyncio.run(run(given.seconds, given.rate)), indent=1))


if __name__ == "__main__":
    main()
