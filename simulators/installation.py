"""A whole Crossdock as a child process, driven by its command line like a user would; called by `simulators.day`."""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from crossdock.supervisor.children import bound_to

ROOT = Path(__file__).parent.parent
CROSSDOCK = (sys.executable, "-m", "crossdock")
READY_WITHIN = 90.0  # seconds; the first start makes streams and tables
STOP_WITHIN = 60.0  # the supervisor itself waits for its children in turn
COMMAND_WITHIN = 60.0
LINE_LIMIT = 1 << 20


class InstallationError(Exception):
    """The installation or a command did not do what the day needs; the text says what it said."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Where a running installation is; from the first line of `up --json`."""

    gateway: str
    console: str
    ops_token: str
    data: str


class Installation:
    """`python -m crossdock up` in a process group of its own, of which nothing is left, even when we are killed."""

    def __init__(
        self,
        data: Path,
        environment: Mapping[str, str],
        options: tuple[str, ...] = (),
        program: tuple[str, ...] = CROSSDOCK,
    ) -> None:
        self.data = data
        self._program = program
        self._environment = {**os.environ, **environment}
        self._options = options
        self._process: asyncio.subprocess.Process | None = None
        self._drain: asyncio.Task[None] | None = None
        self._last: deque[str] = deque(maxlen=20)

    async def start(self) -> Ready:
        """Start it and return once it is ready.

        Raises:
            InstallationError: when it ends or says nothing in time.
        """
        self.data.mkdir(parents=True, exist_ok=True)
        self._process = await self._spawn("up", "--json", *self._options)
        try:
            ready = await asyncio.wait_for(self._ready(self._process), READY_WITHIN)
        except TimeoutError:
            raise InstallationError(f"not ready after {READY_WITHIN:.0f} s\n" + "\n".join(self._last)) from None
        self._drain = asyncio.create_task(self._read_on(self._process))
        return ready

    async def _spawn(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(*self._program, *arguments, "--data", str(self.data)),
            cwd=ROOT,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=bound_to(os.getpid()),
            limit=LINE_LIMIT,
        )

    async def _ready(self, process: asyncio.subprocess.Process) -> Ready:
        while line := await _line(process):
            self._last.append(line)
            with suppress(orjson.JSONDecodeError):
                document = orjson.loads(line)
                if isinstance(document, dict) and document.get("event") == "ready":
                    return Ready(*(document[name] for name in ("gateway", "console", "ops_token", "data")))
        raise InstallationError("crossdock up ended\n" + "\n".join(self._last))

    async def _read_on(self, process: asyncio.subprocess.Process) -> None:
        """Keep its output out of the way: a full pipe would stop it."""
        while line := await _line(process):
            self._last.append(line)

    @property
    def ended(self) -> bool:
        """Whether it has ended without being asked to."""
        return self._process is not None and self._process.returncode is not None

    @property
    def exit_code(self) -> int | None:
        """The exit code it ended with, None while it runs or before it started."""
        return self._process.returncode if self._process else None

    def last_words(self) -> str:
        """Return the last lines it wrote."""
        return "\n".join(self._last)

    async def run(self, *arguments: str) -> tuple[int, str]:
        """Run a command of Crossdock against this installation; return its exit code and output."""
        process = await self._spawn(*arguments)
        try:
            output, _ = await asyncio.wait_for(process.communicate(), COMMAND_WITHIN)
        finally:
            _kill_group(process.pid)
        return process.returncode or 0, output.decode(errors="replace")

    async def key(self, partner: str) -> str:
        """Return a new API key of a partner.

        Raises:
            InstallationError: when there is none.
        """
        code, output = await self.run("key", "create", "--partner", partner, "--json")
        if code:
            raise InstallationError(f"no key for {partner}: {output}")
        return str(orjson.loads(output)["key"])

    async def ledger(self) -> dict[str, Any]:
        """Return the ledger as a document.

        Raises:
            InstallationError: when it cannot be had; that it is not balanced is not a failure.
        """
        _, output = await self.run("ledger", "--json")
        try:
            document: dict[str, Any] = orjson.loads(output)
        except orjson.JSONDecodeError:
            raise InstallationError(f"no ledger: {output}") from None
        return document

    async def stop(self) -> None:
        """End it with SIGTERM, and whatever of it is left after that with SIGKILL."""
        process = self._process
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_WITHIN)
        _kill_group(process.pid)
        await process.wait()
        if self._drain:
            self._drain.cancel()


async def _line(process: asyncio.subprocess.Process) -> str:
    if process.stdout is None:
        return ""
    try:
        return (await process.stdout.readline()).decode(errors="replace")
    except ValueError:  # a line beyond the limit: it is dropped
        return "\n"


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
