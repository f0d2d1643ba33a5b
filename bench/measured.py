"""What every measure needs of the installation that it measures, and the costs that it reports."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from bench import machine
from bench.machine import Usage
from bench.sales import Load
from bench.sinks import Sinks

POLL = 0.1
SERVERS = frozenset({"nats", "valkey", "sink"})  # the same programs whoever is measured


class Measured(Protocol):
    """A running installation with its sinks; `key` and `events_url` are for what is posted to it."""

    sinks: Sinks
    events_url: str
    key: str

    def pids(self) -> dict[str, int]:
        """Return the processes of the installation and the sink, by name."""

    def workers(self) -> list[int]:
        """Return the pids of what takes events from RAW."""

    def settings(self) -> Mapping[str, Any]:
        """Return what the figures depend on."""

    async def stored(self) -> int:
        """Return how many raw events are stored."""

    async def prepare(self, load: Load) -> Callable[[], Awaitable[None]]:
        """Return what puts a load into RAW past the gateway."""

    async def is_settled(self) -> bool:
        """Tell whether no event is under way any more."""

    async def backlog(self) -> int:
        """Return how many raw events wait."""

    async def redelivered(self) -> int:
        """Return how many raw events were handed out more than once."""

    async def dead_letters(self) -> list[str]:
        """Return the event ids of all dead letters."""

    @property
    def delivers_later(self) -> bool:
        """Whether events of a target that is down wait for it."""

    async def set_aside(self, target: str) -> int:
        """Return how many events of a target wait for it or are dead letters."""

    async def ledger(self) -> Mapping[str, Any] | None:
        """Return the ledger, None where there is none."""


async def rested(count: Callable[[], Awaitable[int]]) -> int:
    """Return a number once it does not change any more."""
    before = -1
    while (now := await count()) != before:
        before = now
        await asyncio.sleep(POLL)
    return now


async def until(true: Callable[[], Awaitable[bool]], within: float, every: float = POLL) -> None:
    """Return when it is true.

    Raises:
        TimeoutError: when it is not in time.
    """
    deadline = time.monotonic() + within
    while not await true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not settled after {within:g} s")
        await asyncio.sleep(every)


def begin(stage: Measured) -> Usage:
    """Return the CPU that every process has used, and let the peaks of memory count from now on."""
    before = machine.usage(stage.pids())
    machine.reset_peaks(before.pids)
    return before


def costs(stage: Measured, before: Usage, events: int) -> dict[str, Any]:
    """Return the figures that every measure reports, since `before`."""
    now = machine.usage(stage.pids())
    return {
        "cpu_s_per_1000": with_own(now.since(before, events), 4),
        "peak_rss_mib": with_own(machine.peaks(now.pids), 1),
    }


def with_own(figures: Mapping[str, float], digits: int) -> dict[str, float]:
    """Add the sum over what is not a server that everybody runs."""
    own = sum(figure for name, figure in figures.items() if name not in SERVERS)
    return {**figures, "own": round(own, digits)}


def restarts(stage: Measured, before: Usage, expected: Sequence[str] = ()) -> list[str]:
    """Return what is wrong with a run in which a process came anew."""
    now = stage.pids()
    return [
        f"{name} was restarted" for name, pid in before.pids.items() if now.get(name) != pid and name not in expected
    ]
