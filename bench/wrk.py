"""Load from wrk, which costs far less CPU than a loader in Python; called by the measure `ingest`."""

import asyncio
import os
import shutil
from pathlib import Path

import orjson

from bench.loader import Answers

_SCRIPT = Path(__file__).with_name("ingest.lua")
_THREADS = 2
_LONGER = 30.0  # seconds that wrk may take beyond its duration


def present() -> bool:
    """Tell whether wrk is installed."""
    return shutil.which("wrk") is not None


async def run(url: str, key: str, salt: int, connections: int, seconds: int) -> Answers:
    """Keep every connection busy for so long.

    Raises:
        RuntimeError: wrk ended without a result.
    """
    process = await asyncio.create_subprocess_exec(
        *("wrk", f"-t{_THREADS}", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(_SCRIPT), url),
        env={**os.environ, "KEY": key, "SALT": str(salt)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), seconds + _LONGER)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    _, found, text = output.decode(errors="replace").partition("RESULT ")
    if not found:
        raise RuntimeError(f"wrk gave no result: {output.decode(errors='replace')[-500:]}")
    result = orjson.loads(text)
    times = {f"{name}_ms": round(result[f"{name}_us"] / 1000, 2) for name in ("p50", "p99", "max")}
    return Answers(result["requests"], result["refused"], result["failed"], result["us"] / 1e6, times)
