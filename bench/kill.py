"""Measure `kill`: `route`, with the first worker killed in the middle; called by `bench.suite`."""

import os
import signal
import time

from bench.entries import running
from bench.figures import Run
from bench.measured import restarts, until
from bench.route import dead_letter_faults, ledger_faults, let_go, rate
from bench.sales import wanted
from bench.sinks import losses, repeats
from bench.size import Entry, Size, conditions

_SHARE = 0.4  # of the ERP's events that are delivered when the worker is killed
_POLL = 0.01


async def measure(entry: Entry, rep: int, size: Size) -> Run:
    """Take the measure once: nothing is lost and the ledger is balanced, however often an event came."""
    async with running(entry, size, "kill") as stage:
        start = await let_go(stage, "kill", entry, rep, size)
        want = wanted(start.load.sales)

        async def far_enough() -> bool:
            return (await stage.sinks.counts())["erp"]["unique"] >= _SHARE * len(want["erp"])

        await until(far_enough, size.within, _POLL)
        pids = stage.workers()
        names = [name for name, child in stage.pids().items() if child in pids]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        killed = time.monotonic()
        at = (await stage.sinks.counts())["erp"]["unique"]
        await until(stage.is_settled, size.within)
        settled = time.monotonic() - killed
        arrivals, counts = await stage.sinks.arrivals(), await stage.sinks.counts()
        figures = {
            **rate(start, start.seconds(counts, *counts)),
            "killed_at": at,
            "settled_after_s": round(settled, 1),
            "lost": {name: len(ids - arrivals[name].keys()) for name, ids in want.items()},
            "duplicated": repeats(counts),
            "redelivered": await stage.redelivered(),
            **conditions(size),
            **stage.settings(),
            **start.condition,
        }
        wrong = [
            *losses(want, arrivals, counts),
            *await dead_letter_faults(stage, start.load),
            *ledger_faults(await stage.ledger(), start.load, start.warm),
            *restarts(stage, start.before, names),
        ]
        return Run("kill", entry, rep, figures, tuple(wrong))
