"""Measure `scale`: what an event costs when there is more of everything; called by `crossdock bench scale`.

Each case is `route` on its own content, with a backlog that is made part by part. The journal is measured in process.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bench import machine, scale_journal
from bench.measured import begin, costs, restarts, until
from bench.processes import stopped
from bench.scale_cases import MOST, Case, Stretch, cases, write_content
from bench.scale_load import Filled, fill
from bench.sinks import faults, wrong_samples
from bench.size import CROSSDOCK, Entry, Size, conditions
from bench.stage import Stage, running_stage
from bench.suite import end_on_sigterm
from crossdock.adapters.inbox import PULL_EXPIRES
from simulators.installation import InstallationError

_LOOK_EVERY = 0.5  # looking costs the broker more with every route
_PULLS_END = PULL_EXPIRES + 0.5  # then a worker held still has no pull open, and the broker hands it nothing
_WARM = 0  # its repetition, as those of the measures begin with 1

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Point:
    """One case taken once. `wrong` says why it does not count."""

    dimension: str
    name: str
    rep: int
    most: float | None
    figures: Mapping[str, Any] = field(default_factory=dict)
    wrong: tuple[str, ...] = ()

    @property
    def void(self) -> bool:
        """Whether the counts were wrong."""
        return bool(self.wrong)

    def as_dict(self) -> dict[str, Any]:
        """Return the shape of `bench scale --json`."""
        return {**asdict(self), "void": self.void}


async def take(dimensions: Sequence[str], reps: int, size: Size, stretch: Stretch, tell: Tell) -> list[Point]:
    """Take every case of these dimensions, `reps` times, each base beside what it is compared with."""
    machine.demand_linux()
    end_on_sigterm()
    points: list[Point] = []
    for dimension in dimensions:
        for rep in range(1, reps + 1):
            tell(f"{dimension} {rep} of {reps}")
            if dimension == "journal":
                points += await _journal(rep, stretch, tell)
            else:
                points += [await _told(case, rep, size, tell) for case in cases(dimension, stretch)]
    return points


async def _journal(rep: int, stretch: Stretch, tell: Tell) -> list[Point]:
    found = await asyncio.to_thread(scale_journal.measure, stretch.rows, tell)
    return [Point("journal", f"{one['rows']:,} rows", rep, MOST, one) for one in found]


async def _told(case: Case, rep: int, size: Size, tell: Tell) -> Point:
    began = time.monotonic()
    try:
        figures, wrong = await measure(case, rep, size)
    except Exception as error:  # one that fails is void; the others still count
        figures, wrong = {}, [f"{type(error).__name__}: {error}"]
    told = figures["cpu_s_per_1000"]["own"] if figures else "nothing"
    tell(f"  {case.name}: {'; '.join(['VOID', *wrong]) if wrong else ''} {told} in {time.monotonic() - began:.0f} s")
    return Point(case.dimension, case.name, rep, case.most, figures, tuple(wrong))


async def measure(case: Case, rep: int, size: Size) -> tuple[dict[str, Any], list[str]]:
    """Take a case once; return its figures, and what is wrong with its counts."""
    with tempfile.TemporaryDirectory(prefix="crossdock-bench-") as folder:
        root = write_content(case, Path(folder) / "content")
        async with running_stage(Entry(CROSSDOCK), size, root) as stage:
            warm = await _warm(stage, case, size)
            condition = await machine.condition(size.quiet)
            with stopped(stage.workers()):
                await asyncio.sleep(_PULLS_END)
                filled = await fill(stage, case, size, rep)
                before, began = begin(stage), time.time_ns()
            await until(stage.is_settled, size.within, _LOOK_EVERY)
            settled = (time.time_ns() - began) / 1e9
            spent = costs(stage, before, filled.messages)
            arrivals, counts = await stage.sinks.arrivals(), await stage.sinks.counts()
            seconds = (max(count["last_ns"] for count in counts.values()) - began) / 1e9
            ledger, ledger_figures = await _ledger(stage)
            wrong = [
                *faults({name: frozenset(ids) for name, ids in filled.wanted.items()}, arrivals, counts),
                *wrong_samples(filled.first, await stage.sinks.samples()),
                *_letter_faults(await stage.dead_letters(), filled),
                *ledger_faults(ledger, filled, warm),
                *restarts(stage, before),
            ]
            figures = {
                **_rates(filled, seconds),
                "settled_s": round(settled, 1),
                **spent,
                **_with_servers(spent, filled),
                "redelivered": await stage.redelivered(),
                **ledger_figures,
                **conditions(size),
                **stage.settings(),
                **condition,
            }
            return figures, wrong


async def _warm(stage: Stage, case: Case, size: Size) -> int:
    """Let some events like those of the case pass first; return how many did."""
    few = replace(case, events=max(1, min(size.warm_events, case.events // 10)))
    filled = await fill(stage, few, replace(size, repeats=0, broken=0), _WARM)
    await until(stage.is_settled, size.within / 2)
    await stage.sinks.reset()
    return filled.messages


def _rates(filled: Filled, seconds: float) -> dict[str, Any]:
    return {
        "events": filled.messages,
        "bytes_per_event": round(filled.size / filled.messages),
        "events_per_s": round(filled.messages / seconds),
        "mib_per_s": round(filled.size / seconds / 2**20, 2),
        "seconds": round(seconds, 2),
        "accept_us": round(filled.accept_s / filled.messages * 1e6, 1),
    }


def _with_servers(spent: Mapping[str, Any], filled: Filled) -> dict[str, float]:
    by_process: Mapping[str, float] = spent["cpu_s_per_1000"]
    per_event = sum(value for name, value in by_process.items() if name not in ("own", "sink"))
    mib = filled.size / filled.messages / 2**20
    return {
        "with_servers_s_per_1000": round(per_event, 4),
        "own_ms_per_mib": round(by_process["own"] / mib, 2),
    }


async def _ledger(stage: Stage) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """Return the ledger, and how long it took and how much memory the operations role then had.

    When the operations role does not have it in time we read it ourselves, as the counts must be known.
    """
    began, by = time.monotonic(), "ops"
    ledger: Mapping[str, Any]
    try:
        ledger = await stage.ledger()
    except (InstallationError, TimeoutError):
        by, ledger = "bench", await stage.prove()
    peak = machine.peaks({"ops": stage.pids()["ops"]})["ops"]
    return ledger, {"ledger_s": round(time.monotonic() - began, 1), "ledger_rss_mib": peak, "ledger_by": by}


def _letter_faults(letters: Sequence[str], filled: Filled) -> list[str]:
    if sorted(letters) == sorted(filled.broken):
        return []
    return [f"{len(letters)} dead letters, which are not the {len(filled.broken)} that must be"]


def ledger_faults(ledger: Mapping[str, Any], filled: Filled, warm: int) -> list[str]:
    """Return what is wrong with the ledger: it is balanced, and the sums over all sources are those of the load."""
    found = [] if ledger["balanced"] else [f"{len(ledger['unexplained'])} events do not add up in the ledger"]
    routed = filled.messages - filled.repeats - len(filled.broken)
    sums = {
        "accepted": warm + filled.messages,
        "routed": warm + routed,
        "duplicate": filled.repeats,
        "dead_lettered": len(filled.broken),
        "in_progress": 0,
    }
    for name, sum_ in sums.items():
        got = sum(source[name] for source in ledger["sources"])
        if got != sum_:
            found.append(f"{got} {name} in the ledger, not {sum_}")
    wrong = [route["route"] for route in ledger["routes"] if route["matched"] != route["delivered"]]
    return found + [f"{route}: matched is not delivered" for route in wrong]
