"""Measure `ingest`: events a second through the gateway, stored and acknowledged; called by `bench.suite`."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from bench import machine, wrk
from bench.figures import Run
from bench.loader import BROKEN_EVERY, Answers, closed_loop
from bench.size import Size
from bench.stage import Stage, running_stage

CONNECTIONS = 32


async def measure(rep: int, size: Size) -> Run:
    """Take the measure once."""
    async with running_stage() as stage:
        with stopped(stage.workers() if size.alone else []):
            return await _measure(stage, rep, size)


async def _measure(stage: Stage, rep: int, size: Size) -> Run:
    condition = machine.condition()  # before the warm-up, after which the worker is busy
    await _load(stage, 2 * rep, size, size.warm_seconds)
    stored = await stage.stored()
    before = stage.usage()
    machine.reset_peaks(before.pids)
    answers = await _load(stage, 2 * rep + 1, size, size.ingest_seconds)
    costs = stage.costs(before, answers.accepted)
    backlog = await stage.backlog()
    grown = await stage.stored() - stored
    figures = {
        "events_per_s": round(answers.accepted / answers.seconds),
        **answers.times,
        "accepted": answers.accepted,
        "refused": answers.refused,
        "stored": grown,
        "backlog": backlog,
        **costs,
        "loader": "own" if size.own_loader else "wrk",
        "worker": "stopped" if size.alone else "running",
        **stage.settings(),
        **condition,
    }
    return Run("ingest", rep, figures, (*faults(answers, grown), *stage.restarts(before)))


async def _load(stage: Stage, salt: int, size: Size, seconds: int) -> Answers:
    load = closed_loop if size.own_loader else wrk.run
    return await load(stage.events_url, stage.key, salt, CONNECTIONS, seconds)


def faults(answers: Answers, grown: int) -> list[str]:
    """Return what is wrong: all that was answered 2xx is stored, no more than was under way, and 2% refused."""
    found = []
    if not 0 <= grown - answers.accepted <= CONNECTIONS:
        found.append(f"{answers.accepted} events were accepted, but {grown} stored")
    if abs(answers.refused - answers.requests / BROKEN_EVERY) > CONNECTIONS:
        found.append(f"{answers.refused} of {answers.requests} refused, not one of {BROKEN_EVERY}")
    if answers.failed:
        found.append(f"{answers.failed} requests without an answer")
    if not answers.accepted:
        found.append("nothing was accepted")
    return found


@contextmanager
def stopped(pids: list[int]) -> Iterator[None]:
    """Hold processes still."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
