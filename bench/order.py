"""Order per key whatever fails: `python -m bench.order [--keys 200] [--events 20000] [--workers 3]`; issue 7, lanes.

A target that answers well; the same while ten keys fail; then a bad day of failures, delays and lost answers, with a
worker killed every five seconds. Order means: of each key, the events have their first effect in the order of the
stream. A killed worker's events may come once more after newer ones, with the same key, which a target knows.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from bench import moody
from bench.measured import until
from bench.moody import Mood, Moody
from bench.sales import Load, Sale, make_sale
from bench.size import CROSSDOCK, Entry, Size
from bench.stage import PROJECT, Stage, running_stage

FAILING = 10
FIRST_KILL, KILL_EVERY = 0.5, 5.0  # seconds
KILLS = 20  # a killed worker of an ordered route costs it 8 s, so more would end nothing
WITHIN = 240.0
_POLL = 0.02
_ROUTES = """\
routes:
  - route: sales-to-erp
    from: [inventory.sold]
    to: erp
    order_by: location
    retry: {for: 1h, first: 100ms, most: 1s}
"""
_ERP = """\
connector: erp
kind: http
url: %s
networks: [127.0.0.0/8]
"""


def prepared(root: Path, target: Moody) -> Path:
    """Copy the bench project with one route, ordered by the location, to a target."""
    project = Path(shutil.copytree(PROJECT, root / "project"))
    (project / "routes/targets.yaml").write_text(_ROUTES)
    (project / "routes/targets.test.yaml").unlink()
    (project / "connectors/erp.yaml").write_text(_ERP % target.url)
    return project


def make(salt: int, events: int, keys: int) -> Load:
    """Return sales of so many stores, by turns in an order of their own."""
    dice = random.Random(salt)
    sales = [_at(make_sale(dice, salt, number), dice.randrange(keys)) for number in range(events)]
    return Load(sales, [(sale, False) for sale in sales])


def _at(sale: Sale, store: int) -> Sale:
    body = orjson.loads(sale.body)
    body["data"]["store"] = f"{store:04}"
    return replace(sale, body=orjson.dumps(body))


def fails(key: str) -> bool:
    """Tell whether a key is one of the ten."""
    return key < f"STORE-{FAILING:04}"


async def throughput(stage: Stage, target: Moody, load: Load) -> float:
    """Let a load go, and return how many events a second of the keys that never fail arrive."""
    wanted = {sale.id for sale in load.sales if not fails("STORE-" + orjson.loads(sale.body)["data"]["store"])}
    let_go, began = await stage.prepare(load), time.time_ns()
    await let_go()

    async def done() -> bool:
        return wanted <= target.arrived.keys()

    await until(done, WITHIN, _POLL)
    return len(wanted) / (max(target.arrived[name] for name in wanted) - began) * 1e9


class Killer:
    """Kills a worker at a time, in an order of its own, and counts."""

    def __init__(self, stage: Stage, dice: random.Random) -> None:
        self.kills = 0
        self._stage, self._dice = stage, dice

    async def run(self) -> None:
        """Kill until cancelled."""
        await asyncio.sleep(FIRST_KILL)
        while self.kills < KILLS:
            with contextlib.suppress(ProcessLookupError):  # it is being started again
                os.kill(self._dice.choice(self._stage.workers()), signal.SIGKILL)
                self.kills += 1
            await asyncio.sleep(KILL_EVERY)


async def bad_day(stage: Stage, target: Moody, load: Load, dice: random.Random) -> int:
    """Let a load go on a bad day; return how many workers were killed until everything had arrived."""
    target.mood = moody.capricious(dice)
    killer = Killer(stage, dice)
    killing = asyncio.create_task(killer.run())
    let_go = await stage.prepare(load)
    await let_go()

    async def done() -> bool:
        return all(sale.id in target.arrived for sale in load.sales)

    try:
        await until(done, WITHIN, _POLL)
    finally:
        killing.cancel()
        target.mood = moody.well
    return killer.kills


async def _parked(stage: Stage) -> int:
    """Return how many keys wait, once a worker has told of the route."""
    told: dict[str, Any] = {}

    async def shown() -> bool:
        told.update((await stage.routes())["sales-to-erp"])
        return "parked_keys" in told

    await until(shown, WITHIN, _POLL)
    parked: int = told["parked_keys"]
    return parked


async def measure(stage: Stage, target: Moody, keys: int, events: int) -> dict[str, Any]:
    """Measure all three, and compare what arrived with what was sent."""
    dice, loads = random.Random(7), [make(salt, part, keys) for salt, part in ((1, 500), (2, events // 4))]
    await throughput(stage, target, loads[0])
    healthy = await throughput(stage, target, loads[1])
    loads += [make(3, events // 4, keys), make(4, events // 2, keys)]
    target.mood = _ten_fail
    failing = await throughput(stage, target, loads[2])
    parked = await _parked(stage)
    target.mood = moody.well
    await until(stage.is_settled, WITHIN)
    kills = await bad_day(stage, target, loads[3], dice)
    await until(stage.is_settled, WITHIN)
    sent = {sale.id for load in loads for sale in load.sales}
    ledger = await stage.ledger()
    return {
        "events": len(sent),
        "healthy_per_s": round(healthy),
        "others_while_ten_fail_per_s": round(failing),
        "share": round(failing / healthy, 2),
        "parked_keys_shown": parked,
        "kills": kills,
        "requests": target.requests,
        "repeats": target.repeats,
        "missing": len(sent - target.arrived.keys()),
        "disordered": target.disordered(),
        "balanced": ledger["balanced"],
        "route": next(row for row in ledger["routes"] if row["route"] == "sales-to-erp"),
    }


def _ten_fail(key: str) -> Mood:
    return Mood(503 if fails(key) else 200)


async def run(keys: int, events: int, workers: int) -> dict[str, Any]:
    """Measure once on a fresh installation."""
    target = Moody()
    with tempfile.TemporaryDirectory(prefix="crossdock-order-") as name:
        async with moody.running(target):
            root = prepared(Path(name), target)
            async with running_stage(Entry(CROSSDOCK), Size(workers=workers), root) as stage:
                return await measure(stage, target, keys, events)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m bench.order")
    for name, default in (("keys", 200), ("events", 20_000), ("workers", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args(arguments)
    print(json.dumps(asyncio.run(run(given.keys, given.events, given.workers)), indent=1))


if __name__ == "__main__":
    main()
