"""Child processes: started so that none outlives us, restarted when they die, stopped in order. Called by the crew."""

import asyncio
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from crossdock.supervisor import logform, logs, probes
from crossdock.supervisor.ready import VARIABLE, ReadyPipe

DRAIN = 15.0  # seconds between SIGTERM and SIGKILL
HEALTHY = 10.0  # seconds after which a child counts as well again
MOST_CRASHES = 5  # before it was ever ready
_FIRST, _MOST = 0.2, 10.0
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Child:
    """What to run; one without a probe says itself that it is ready (see `ready`)."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    probe: probes.Probe | None = None
    files: tuple[int, ...] = ()  # descriptors that it inherits


def backoff(crashes: int) -> float:
    """Return the seconds to wait after so many crashes in a row."""
    return min(_MOST, _FIRST * 2.0 ** min(crashes - 1, 16))


class Keeper:
    """Keeps one child running until told to stop.

    `ready` is set at the first time it is ready and stays; `pid` is 0 while there is no process.
    """

    def __init__(self, child: Child, data: Path, lock: int, changed: Callable[[], None]) -> None:
        self.child = child
        self.pid = 0
        self.ready = asyncio.Event()
        self._data, self._lock, self._changed = data, lock, changed
        self._stopping = asyncio.Event()
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Start the child again and again; returns after `stop`, or when it crashed too often before being ready."""
        crashes = 0
        try:
            while not self._stopping.is_set():
                healthy = await self._try_once()
                crashes = 1 if healthy > HEALTHY else crashes + 1
                if crashes >= MOST_CRASHES and not self.ready.is_set():
                    return
                await _within(backoff(crashes), self._stopping)
        finally:
            self._over.set()

    async def stop(self) -> None:
        """Ask the child to end, wait, and end it; returns when it is gone."""
        self._stopping.set()
        self._signal(signal.SIGTERM)
        if not await _within(DRAIN, self._over):
            self._signal(signal.SIGKILL)
            await self._over.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self.pid:
            with suppress(ProcessLookupError):  # it may have died and we not know yet
                os.kill(self.pid, number)

    async def _try_once(self) -> float:
        try:
            return await self._once()
        except OSError as error:  # no memory or no process to be had: as if it had crashed
            form = self.child.env.get(logform.VARIABLE, logform.TEXT)
            logs.note(self._data, self.child.name, f"cannot start {self.child.argv[0]}: {error}", form)
            return 0.0

    async def _once(self) -> float:
        """Run the child to its end; returns the seconds since it was ready."""
        pipe = ReadyPipe()
        try:
            process = await self._start(pipe.write)
        except OSError:
            pipe.close()
            raise
        finally:
            os.close(pipe.write)  # our copy of the child's end, so that its death ends the wait
        self._set_pid(process.pid)
        if self._stopping.is_set():  # asked while there was no process to ask
            self._signal(signal.SIGTERM)
        since: list[float] = []
        waiting = asyncio.create_task(self._await_ready(pipe, since))
        await process.wait()
        self._set_pid(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        return time.monotonic() - since[0] if since else 0.0

    async def _await_ready(self, pipe: ReadyPipe, since: list[float]) -> None:
        if self.child.probe:
            pipe.close()
            await probes.until(self.child.probe)
        elif not await pipe.wait():
            return
        since.append(time.monotonic())
        self.ready.set()

    async def _start(self, ready: int) -> asyncio.subprocess.Process:
        log = logs.open_for(self._data, self.child.name)
        try:
            return await asyncio.create_subprocess_exec(
                *self.child.argv,
                env={**os.environ, **self.child.env, VARIABLE: str(ready)},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(ready, self._lock, *self.child.files),
                start_new_session=True,  # Ctrl-C at the terminal reaches the supervisor only, which drains in order
                preexec_fn=bound_to(os.getpid()),
            )
        finally:
            os.close(log)

    def _set_pid(self, pid: int) -> None:
        self.pid = pid
        self._changed()


def bound_to(parent: int) -> Callable[[], None]:
    """Return what a new process does first: ask the kernel for SIGKILL when its parent dies, even of `kill -9`."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def bind() -> None:
        if libc:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return bind


async def _within(seconds: float, event: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
