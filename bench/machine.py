"""What Linux tells of processes and of the machine; called by the measures."""

import asyncio
import os
import platform
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossdock.kernel.problems import refuse

_PROC = Path("/proc")
_RESET_PEAK = "5"  # proc(5), clear_refs
_LOOPS = 2_000_000
_QUIET = 0.10  # share of the cores that others may use when a run starts; the peers demand the same
_LOOK, _LOOKS, _GLANCE = 1.0, 90, 0.1  # seconds of one look, how often, seconds when nobody waits for it


def demand_linux() -> None:
    """Make sure that processes can be measured.

    Raises:
        Refused: `no_proc`.
    """
    if not (_PROC / "self" / "stat").exists():
        raise refuse("no_proc", "the measures read /proc", "run them on Linux")


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds spent so far, by the name of the process, and the pids they were read from."""

    pids: Mapping[str, int]
    seconds: Mapping[str, float]

    def since(self, before: "Usage", events: int) -> dict[str, float]:
        """Return CPU seconds for each 1,000 events."""
        return {
            name: round((spent - before.seconds[name]) / max(1, events) * 1000, 4)
            for name, spent in self.seconds.items()
            if name in before.seconds
        }


def usage(pids: Mapping[str, int]) -> Usage:
    """Return what these processes have used."""
    return Usage(dict(pids), {name: _cpu(pid) for name, pid in pids.items()})


def _cpu(pid: int) -> float:
    fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def reset_peaks(pids: Mapping[str, int]) -> None:
    """Let the peaks of memory count from now on."""
    for pid in pids.values():
        (_PROC / str(pid) / "clear_refs").write_text(_RESET_PEAK)


def peaks(pids: Mapping[str, int]) -> dict[str, float]:
    """Return the peak resident memory of each process in MiB."""
    return {name: round(_peak(pid) / 1024, 1) for name, pid in pids.items()}


def _peak(pid: int) -> int:
    lines = (_PROC / str(pid) / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


async def condition(quiet: bool) -> dict[str, float]:
    """Return how busy the machine is and how long a fixed piece of work takes now, as such machines vary.

    With `quiet` it waits, for so long, until nothing else uses the machine.
    """
    busy = await _busy(_LOOK if quiet else _GLANCE)
    for _ in range(_LOOKS if quiet else 0):
        if busy < _QUIET:
            break
        busy = await _busy(_LOOK)
    began = time.perf_counter()
    number = 0
    for step in range(_LOOPS):
        number += step
    return {"busy": round(busy, 3), "calibration_ms": round((time.perf_counter() - began) * 1000, 1)}


async def _busy(seconds: float) -> float:
    """Return which share of the cores was used for so long."""
    before = _times()
    await asyncio.sleep(seconds)
    spent, idle = (now - then for now, then in zip(_times(), before, strict=True))
    return 1 - idle / max(1, spent)


def _times() -> tuple[int, int]:
    fields = [int(field) for field in (_PROC / "stat").read_text().partition("\n")[0].split()[1:9]]
    return sum(fields), fields[3] + fields[4]


def describe() -> dict[str, Any]:
    """Return what figures must be read against."""
    model = re.search(r"model name\s*: (.*)", (_PROC / "cpuinfo").read_text())
    return {
        "cpu": model[1] if model else "",
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
    }
