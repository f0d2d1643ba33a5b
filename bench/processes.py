"""Processes of the measures that do not outlive them; called by the stages, the sinks and the peers."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from simulators.installation import ROOT

PYTHON = sys.executable
_PR_SET_PDEATHSIG = 1
_END_WITHIN = 8.0
_libc = ctypes.CDLL(None)


def _die_with_us() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@asynccontextmanager
async def running(argv: Sequence[str], env: Mapping[str, str], log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a process whose output goes to a file; it ends when we do, however we end."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *argv,
            env={**os.environ, **env},
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=_die_with_us,
        )
    try:
        yield process
    finally:
        await end(process)


async def end(process: asyncio.subprocess.Process) -> None:
    """End a process with SIGTERM, and with SIGKILL when that takes too long."""
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _END_WITHIN)
        except TimeoutError:
            process.kill()
            await process.wait()


@contextmanager
def stopped(pids: Sequence[int]) -> Iterator[None]:
    """Hold processes still."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
