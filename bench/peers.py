"""The peers, measured by their own harness, one run at a time; called by `bench.suite`."""

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from bench import processes
from bench.figures import Run
from bench.size import Entry, Size
from bench.toolchain import Toolchain

WORKS = {"ingest": "A", "route": "B", "latency": "C", "down": "D", "kill": "kill"}
_CPU = {
    "own": "cpu_per_1000",
    "nats": "nats_cpu_per_1000",
    "valkey": "valkey_cpu_per_1000",
    "sink": "sink_cpu_per_1000",
}
_SAME = ("p50_ms", "p90_ms", "p99_ms", "max_ms", "accepted", "dlq", "steal", "busy")
_RENAMED = {"refused": "rejected", "stored": "raw", "seconds": "drain_s", "events": "n", "calibration_ms": "calib_ms"}
_WITHIN = 900.0


async def measure(toolchain: Toolchain, measure: str, entry: Entry, rep: int, size: Size) -> Run:
    """Take a measure of one peer once.

    Raises:
        RuntimeError: its harness ended without a figure.
        TimeoutError: it took too long.
    """
    with tempfile.TemporaryDirectory(prefix="crossdock-bench-peers-") as name:
        folder = Path(name)
        results, log = folder / "results.jsonl", folder / "harness.log"
        harness = (str(toolchain.python), str(toolchain.source / "bench.py"), str(results), entry.who, WORKS[measure])
        async with processes.running((*harness, "--reps", "1"), _environment(toolchain, folder, size), log) as process:
            await asyncio.wait_for(process.wait(), _WITHIN)
        if not results.exists():
            raise RuntimeError(f"the peers' harness gave no figure: {log.read_text(errors='replace')[-300:]}")
        return parse(measure, entry, rep, orjson.loads(results.read_bytes()))


def _environment(toolchain: Toolchain, folder: Path, size: Size) -> dict[str, str]:
    return {
        "PEERS_BIN": str(toolchain.built / "bin"),
        "PEERS_CAMEL": str(toolchain.jar.parent),
        "PEERS_RUN": str(folder / "run"),
        "N": str(size.events),
        "PYTHON_N": str(min(size.events, size.handwritten_events)),
        "RATE": f"{size.rate:.0f}",
        "LIMIT": f"{size.within:.0f}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def parse(measure: str, entry: Entry, rep: int, line: Mapping[str, Any]) -> Run:
    """Return a line of the harness's results in our terms."""
    figures: dict[str, Any] = {}
    if speed := line.get("accepted_rps", line.get("rate") if measure in ("route", "down") else None):
        figures["events_per_s"] = speed
    figures |= {name: line[name] for name in _SAME if name in line}
    figures |= {ours: line[theirs] for ours, theirs in _RENAMED.items() if theirs in line}
    figures |= {name: line[name] for name in ("killed_at", "lost", "duplicated", "settle_s") if name in line}
    if cpu := {ours: line[theirs] for ours, theirs in _CPU.items() if theirs in line}:
        figures["cpu_s_per_1000"] = cpu
    if "peak_rss" in line:
        figures["peak_rss_mib"] = {"own": line["peak_rss"]}
    wrong = _wrong(line)
    more = {"harness": dict(line)} if wrong else {}  # the document then holds all that it said
    return Run(measure, entry, rep, {**figures, "sync_interval": entry.sync, **more}, wrong)


def _wrong(line: Mapping[str, Any]) -> tuple[str, ...]:
    if "error" in line:
        return (str(line["error"]),)
    if line.get("settled") is False:
        return ("it did not settle in time",)
    return () if line.get("ok", True) else ("its harness found wrong counts",)
