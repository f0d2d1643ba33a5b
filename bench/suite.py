"""Takes measures again and again, each on a fresh data folder; called by `crossdock bench` and by tests."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterable

from bench import ingest, latency, machine, route
from bench.figures import Run
from bench.size import Size

Measure = Callable[[int, Size], Awaitable[Run]]
MEASURES: dict[str, Measure] = {"ingest": ingest.measure, "route": route.measure, "latency": latency.measure}
_TWICE = 2  # the measure's own deadlines come first and say more


async def take(names: Iterable[str], reps: int, size: Size, tell: Callable[[str], None]) -> list[Run]:
    """Take each measure `reps` times; SIGTERM ends it as Ctrl-C does, with nothing left running.

    Raises:
        Refused: the machine cannot be measured.
    """
    machine.demand_linux()
    task = asyncio.current_task()
    if task:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    runs = []
    for name in names:
        for rep in range(1, reps + 1):
            tell(f"{name} {rep} of {reps}")
            runs.append(await _once(name, rep, size))
    return runs


async def _once(name: str, rep: int, size: Size) -> Run:
    try:
        async with asyncio.timeout(_TWICE * size.within):
            return await MEASURES[name](rep, size)
    except Exception as error:  # one run that fails is void; the others still count
        return Run(name, rep, {}, (f"{type(error).__name__}: {error}",))
