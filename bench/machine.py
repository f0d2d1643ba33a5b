"""What Linux tells of processes and of the machine; called by the measures."""

import os
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossdock.kernel.problems import refuse

_PROC = Path("/proc")
_RESET_PEAK = "5"  # proc(5), clear_refs
_LOOPS = 2_000_000


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


def condition() -> dict[str, float]:
    """Return the load of the machine and how long a fixed piece of work takes now, as such machines vary."""
    load = os.getloadavg()[0]
    began = time.perf_counter()
    number = 0
    for step in range(_LOOPS):
        number += step
    return {"load": round(load, 2), "calibration_ms": round((time.perf_counter() - began) * 1000, 1)}


def describe() -> dict[str, Any]:
    """Return what figures must be read against."""
    return {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
