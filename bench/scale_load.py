"""A backlog of any length, put into RAW part by part so that it never has to be held; called by `bench.scale`."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from bench.sales import TARGETS, Load, Sale, make_load
from bench.scale_cases import Case, shaped
from bench.size import Size
from bench.stage import Stage, records

PART = 5_000
_PARTS = 10_000  # at most, so that the salts of two repetitions differ


@dataclass(slots=True)
class Filled:
    """What was put into RAW: the ids that each target must get and those that break, and the first sales of it."""

    wanted: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in TARGETS})
    broken: set[str] = field(default_factory=set)
    first: list[Sale] = field(default_factory=list)
    messages: int = 0
    repeats: int = 0
    size: int = 0
    accept_s: float = 0.0

    def add(self, load: Load) -> None:
        """Count one part."""
        self.first = self.first or list(load.sales)
        self.messages += len(load.messages)
        self.repeats += load.repeats
        self.broken |= load.broken
        self.size += sum(len(sale.body) for sale, _ in load.messages)
        for sale in load.sales:
            for name in sale.targets:
                self.wanted[name].add(sale.id)


async def fill(stage: Stage, case: Case, size: Size, rep: int) -> Filled:
    """Put the events of a case into RAW, as the gateway would; `accept_s` is CPU of the gateway's part of that."""
    filled = Filled()
    for load in parts(case, size, rep):
        began = time.process_time()
        made = await asyncio.to_thread(records, stage.project, load)
        filled.accept_s += time.process_time() - began
        await stage.append(made)
        filled.add(load)
    return filled


def parts(case: Case, size: Size, rep: int) -> Iterator[Load]:
    """Yield the load of a case, each part with its own ids and its share of repeats and broken events."""
    for number, start in enumerate(range(0, case.events, PART)):
        count = min(PART, case.events - start)
        load = make_load(rep * _PARTS + number, count, size.repeats, round(count * size.broken))
        yield _shaped(case, load, start)


def _shaped(case: Case, load: Load, start: int) -> Load:
    sales = [shaped(case, sale, number) for number, sale in enumerate(load.sales, start)]
    known = {sale.id: sale for sale in sales}
    return replace(load, sales=sales, messages=[(known[sale.id], repeat) for sale, repeat in load.messages])
