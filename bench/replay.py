"""Dead letters brought home by plans: `python -m bench.replay [--letters 10000] [--rate 500] [--keys 200]`; issue 8.

A target refuses everything until all are dead letters, and is mended. A first plan is cancelled at a random point; a
second one of the rest loses the operations process at another, and a worker at a third. Then the same again: it must
send nothing. Order means: of each key, the events have their first effect in the order of the stream.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from bench import moody
from bench.measured import until
from bench.moody import Mood, Moody
from bench.order import make, prepared
from bench.size import CROSSDOCK, Entry, Size
from bench.stage import Stage, running_stage

ROUTE = "sales-to-erp"
WITHIN = 600.0
_POLL = 0.05


class Operator:
    """Speaks to the operations API; asks again while it does not answer."""

    def __init__(self, stage: Stage, session: aiohttp.ClientSession) -> None:
        self._url = f"{stage.console}/ops/v1"
        self._session = session
        self._headers = {"authorization": f"Bearer {stage.token}"}

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Return status and document of an answer."""
        while True:
            try:
                async with self._session.request(method, self._url + path, headers=self._headers, json=body) as answer:
                    if answer.status != 503:
                        return answer.status, await answer.json()
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(_POLL)

    async def begin(self, rate: int, **selected: Any) -> dict[str, Any]:
        """Make a plan and run it."""
        _, plan = await self.ask("POST", "/plans", {**selected, "why": "the ERP is back", "rate": rate})
        _, begun = await self.ask("POST", f"/plans/{plan['id']}/run")
        return dict(begun)

    async def reached(self, plan: str, done: int, *states: str) -> dict[str, Any]:
        """Wait until a plan has come so far, or is in one of these states."""
        while True:
            _, found = await self.ask("GET", f"/plans/{plan}?report=false")
            if found["state"] in states or (not states and found["done"] >= done):
                return dict(found)
            await asyncio.sleep(_POLL)

    async def opened(self) -> int:
        """Return how many dead letters are open."""
        _, overview = await self.ask("GET", "/overview")
        return int(overview["dead_letters"])


async def fail_all(stage: Stage, operator: Operator, target: Moody, letters: int, keys: int) -> float:
    """Let the target refuse everything until so many are dead letters, and mend it; return the seconds."""
    target.mood = lambda _: Mood(400)
    let_go, began = await stage.prepare(make(1, letters, keys)), time.monotonic()
    await let_go()
    await until(_true(operator.opened, letters), WITHIN, _POLL)
    target.mood = moody.well
    return time.monotonic() - began


def _true(number: Callable[[], Awaitable[int]], wanted: int) -> Callable[[], Awaitable[bool]]:
    async def true() -> bool:
        return await number() == wanted

    return true


async def cancelled(stage: Stage, operator: Operator, rate: int, at: int) -> dict[str, Any]:
    """Run a plan of everything and cancel it at a point; return it when what it sent has arrived."""
    plan = await operator.begin(rate, route=ROUTE)
    await operator.reached(plan["id"], at)
    await operator.ask("POST", f"/plans/{plan['id']}/cancel")
    await until(stage.is_settled, WITHIN)
    return await operator.reached(plan["id"], 0, "cancelled")


async def killed(stage: Stage, operator: Operator, rate: int, points: Sequence[int]) -> dict[str, Any]:
    """Run a plan of what is left and kill a process at each point: operations, then a worker."""
    plan = await operator.begin(rate, route=ROUTE)
    for name, point in zip(("ops", "worker-0"), points, strict=True):
        await operator.reached(plan["id"], point)
        os.kill(stage.pids()[name], signal.SIGKILL)
    done = await operator.reached(plan["id"], 0, "done")
    await until(stage.is_settled, WITHIN)
    return done


async def measure(stage: Stage, operator: Operator, target: Moody, given: argparse.Namespace) -> dict[str, Any]:
    """Measure all, and compare what arrived with what was sent."""
    dice, letters = random.Random(given.seed), given.letters
    failing = await fail_all(stage, operator, target, letters, given.keys)
    refused = target.requests
    first = await cancelled(stage, operator, given.rate, dice.randrange(letters // 10, letters // 3))
    left, began = await operator.opened(), time.monotonic()
    points = sorted(dice.randrange(left) for _ in range(2))
    second = await killed(stage, operator, given.rate, points)
    took, requests = time.monotonic() - began, target.requests
    status, _ = await operator.ask("POST", f"/plans/{second['id']}/run")
    _, again = await operator.ask("POST", "/plans", {"route": ROUTE})
    _, shown = await operator.ask("GET", f"/plans/{second['id']}")
    _, audit = await operator.ask("GET", "/audit/verify")
    ledger = await stage.ledger()
    arrived = sum(len(ids) for ids in target.effects.values())
    return {
        "letters": letters,
        "failing_s": round(failing, 1),
        "cancelled_at": first["sent"],
        "left": left,
        "killed_at": points,
        "plan": {name: second[name] for name in ("total", "sent", "skipped", "gone")},
        "plan_s": round(took, 1),
        "plan_per_s": round(left / took),
        "report": shown["report"],
        "again": {"same_plan": status, "open": again["total"], "requests": target.requests - requests},
        "missing": letters - arrived,
        "requests": requests - refused,
        "repeats": target.repeats,
        "disordered": target.disordered(),
        "balanced": ledger["balanced"],
        "route": next(row for row in ledger["routes"] if row["route"] == ROUTE),
        "audit": audit["valid"],
    }


async def run(given: argparse.Namespace) -> dict[str, Any]:
    """Measure once on a fresh installation."""
    target = Moody()
    with tempfile.TemporaryDirectory(prefix="crossdock-replay-") as name:
        async with moody.running(target), aiohttp.ClientSession() as session:
            root = prepared(Path(name), target)
            async with running_stage(Entry(CROSSDOCK), Size(workers=1), root) as stage:
                return await measure(stage, Operator(stage, session), target, given)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m bench.replay")
    for name, default in (("letters", 10_000), ("rate", 500), ("keys", 200), ("seed", 7)):
        parser.add_argument(f"--{name}", type=int, default=default)
    print(json.dumps(asyncio.run(run(parser.parse_args(arguments))), indent=1))


if __name__ == "__main__":
    main()
