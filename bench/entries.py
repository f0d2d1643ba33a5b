"""Starts what an entry names; called by the measures."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.baseline import running_baseline
from bench.measured import Measured
from bench.size import HANDWRITTEN, Entry, Size
from bench.stage import running_stage


@asynccontextmanager
async def running(entry: Entry, size: Size, measure: str) -> AsyncIterator[Measured]:
    """Run a fresh installation of what the entry names, with its sinks."""
    if entry.who == HANDWRITTEN:
        async with running_baseline(entry, size, measure) as baseline:
            yield baseline
    else:
        async with running_stage(entry, size) as stage:
            yield stage
