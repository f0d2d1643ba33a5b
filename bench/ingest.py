"""Measure `ingest`: events a second through the gateway, stored and acknowledged; called by `bench.suite`."""

from bench import machine, wrk
from bench.entries import running
from bench.figures import Run
from bench.loader import BROKEN_EVERY, Answers, closed_loop
from bench.measured import Measured, begin, costs, restarts
from bench.processes import stopped
from bench.size import Entry, Size, conditions


async def measure(entry: Entry, rep: int, size: Size) -> Run:
    """Take the measure once; the workers are held still, as nothing but the gateway runs at the peers either."""
    async with running(entry, size, "ingest") as stage:
        with stopped([] if size.busy else stage.workers()):
            return await _measure(stage, entry, rep, size)


async def _measure(stage: Measured, entry: Entry, rep: int, size: Size) -> Run:
    await _load(stage, entry, 2 * rep, size, size.warm_seconds)
    condition = await machine.condition(size.quiet and not size.busy)
    stored = await stage.stored()
    before = begin(stage)
    answers = await _load(stage, entry, 2 * rep + 1, size, size.ingest_seconds)
    spent = costs(stage, before, answers.accepted)
    backlog = await stage.backlog()
    grown = await stage.stored() - stored
    figures = {
        "events_per_s": round(answers.accepted / answers.seconds),
        **answers.times,
        "accepted": answers.accepted,
        "refused": answers.refused,
        "stored": grown,
        "backlog": backlog,
        **spent,
        **conditions(size),
        "worker": "running" if size.busy else "stopped",
        **stage.settings(),
        **condition,
    }
    return Run("ingest", entry, rep, figures, (*faults(answers, grown, entry.connections), *restarts(stage, before)))


async def _load(stage: Measured, entry: Entry, salt: int, size: Size, seconds: int) -> Answers:
    load = closed_loop if size.own_loader else wrk.run
    return await load(stage.events_url, stage.key, salt, entry.connections, seconds)


def faults(answers: Answers, grown: int, connections: int) -> list[str]:
    """Return what is wrong: all that was answered 2xx is stored, no more than was under way, and 2% refused."""
    found = []
    if not 0 <= grown - answers.accepted <= connections:
        found.append(f"{answers.accepted} events were accepted, but {grown} stored")
    if abs(answers.refused - answers.requests / BROKEN_EVERY) > connections:
        found.append(f"{answers.refused} of {answers.requests} refused, not one of {BROKEN_EVERY}")
    if answers.failed:
        found.append(f"{answers.failed} requests without an answer")
    if not answers.accepted:
        found.append("nothing was accepted")
    return found
