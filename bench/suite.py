"""Takes measures again and again, each on a fresh data folder, all entries by turns; called by `crossdock bench`."""

import asyncio
import re
import signal
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from bench import down, ingest, kill, latency, machine, peers, route, toolchain
from bench.figures import Run
from bench.size import CROSSDOCK, HANDWRITTEN, Entry, Size
from bench.toolchain import PEERS, Toolchain
from crossdock.kernel import settings

Measure = Callable[[Entry, int, Size], Awaitable[Run]]
MEASURES: dict[str, Measure] = {
    "ingest": ingest.measure,
    "route": route.measure,
    "latency": latency.measure,
    "down": down.measure,
    "kill": kill.measure,
}
MANY = 256  # connections of a further `ingest` when every message is written before it is acknowledged
_TWICE = 2  # the measure's own deadlines come first and say more


@dataclass(frozen=True, slots=True)
class Plan:
    """What to compare: Crossdock with each of `syncs`, and each of `others`, `reps` times."""

    measures: Sequence[str]
    reps: int = 3
    syncs: Sequence[str] = ("always",)
    others: Sequence[str] = ()

    def entries(self, measure: str) -> list[Entry]:
        """Return the entries of a measure, in the order in which they take turns."""
        ours = [Entry(CROSSDOCK, sync) for sync in self.syncs]
        if measure == "ingest" and "always" in self.syncs:
            ours.append(Entry(CROSSDOCK, "always", MANY))
        # Nobody starts what is written by hand again after a kill.
        return [*ours, *(Entry(who) for who in self.others if (measure, who) != ("kill", HANDWRITTEN))]


async def take(plan: Plan, size: Size, toolchain: Toolchain, tell: Callable[[str], None]) -> list[Run]:
    """Take each measure; SIGTERM ends it as Ctrl-C does, with nothing left running.

    Raises:
        Refused: the machine cannot be measured.
    """
    machine.demand_linux()
    end_on_sigterm()
    if "kill" in plan.measures and HANDWRITTEN in plan.others:
        tell(f"{HANDWRITTEN} has no kill: nobody starts it again")
    runs = []
    for name, rep, entry in turns(plan):
        tell(f"{name} {rep} of {plan.reps}: {entry.label}")
        run = await _once(name, entry, rep, size, toolchain)
        tell(f"  {run.brief()}")
        runs.append(run)
    return runs


def end_on_sigterm() -> None:
    """Let SIGTERM cancel the task that calls this."""
    task = asyncio.current_task()
    if task:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def turns(plan: Plan) -> Iterable[tuple[str, int, Entry]]:
    """Return every run to take: all entries once, then all of them again."""
    for name in plan.measures:
        for rep in range(1, plan.reps + 1):
            for entry in plan.entries(name):
                yield name, rep, entry


async def _once(name: str, entry: Entry, rep: int, size: Size, toolchain: Toolchain) -> Run:
    try:
        if entry.who in PEERS:
            return await peers.measure(toolchain, name, entry, rep, size)
        async with asyncio.timeout(_TWICE * size.within):
            return await MEASURES[name](entry, rep, size)
    except Exception as error:  # one run that fails is void; the others still count
        return Run(name, entry, rep, {}, (f"{type(error).__name__}: {error}",))


def syncs(asked: str) -> list[str]:
    """Return the values of `nats.sync_interval` to measure with.

    Raises:
        ValueError: with a value that the setting does not take.
    """
    pattern = settings.schema()["properties"]["nats"]["properties"]["sync_interval"]["pattern"]
    values = asked.split(",")
    if wrong := [value for value in values if not re.match(pattern, value)]:
        raise ValueError(f"{wrong[0]!r} is no sync_interval: always, or a duration such as 2m, 1h or 7d")
    return values


async def others(asked: str, tools: Toolchain, tell: Callable[[str], None]) -> list[str]:
    """Return whom to compare with: those asked for, or the peers that are ready, or else what is written by hand.

    Raises:
        ValueError: with a name that is not known or not ready.
    """
    if "none" in (words := asked.split(",")) and len(words) > 1:
        raise ValueError("none cannot stand beside other names")
    names = [*PEERS] if asked == "auto" else [name for name in words if name != "none"]
    if unknown := [name for name in names if name not in (*PEERS, HANDWRITTEN)]:
        raise ValueError(f"{unknown[0]!r} is none of {', '.join(PEERS)}, {HANDWRITTEN}, none, auto")
    if set(names) & set(PEERS):
        await toolchain.build(tools, tell)
    ready = [*tools.ready(), HANDWRITTEN]
    if asked == "auto":
        return ready[:-1] or ready
    if missing := [name for name in names if name not in ready]:
        raise ValueError(f"{missing[0]} is not ready here; ready are: {', '.join(ready)}")
    return names
