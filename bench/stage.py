"""Crossdock under measure: a whole installation with its own data folder, the sinks, a look at the streams."""

import asyncio
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from bench.broker import Broker, connected
from bench.measured import rested
from bench.partner import partner_itself
from bench.sales import PARTNER, Load
from bench.sinks import Sinks, running_sinks
from bench.size import Entry, Size
from crossdock import project as content
from crossdock.adapters.consumers import PROCESS
from crossdock.adapters.ledger import Ledgers
from crossdock.adapters.letters import lags
from crossdock.adapters.sql import SqlJournal
from crossdock.adapters.whole import read
from crossdock.kernel.event import STRUCTURED
from crossdock.kernel.stream import DLQ, JOURNAL, RAW, Record
from crossdock.project import Project
from crossdock.supervisor import datafolder
from dlq.record import parse
from gateway.intake import Intake
from simulators.installation import Installation, Ready

PROJECT = Path(__file__).parent / "project"
_CONFIG = "nats: {{sync_interval: {sync}}}\ngateway: {{processes: {gateways}}}\nworkers: {workers}\n"
_HEADERS = {"content-type": STRUCTURED}


class Stage:
    """One running installation of Crossdock."""

    def __init__(
        self, installation: Installation, ready: Ready, sinks: Sinks, key: str, broker: Broker, root: Path = PROJECT
    ) -> None:
        self.sinks = sinks
        self.events_url = f"{ready.gateway}/v1/events"
        self.console, self.token = ready.console, ready.ops_token
        self.key = key
        self.project: Project = content.load(root, {}, strict_env=False)
        self._installation = installation
        self._broker = broker
        self._journal = SqlJournal(f"sqlite:///{installation.data / 'journal.db'}")

    def pids(self) -> dict[str, int]:
        """Return the processes of the installation and the sink, by name."""
        found = orjson.loads((self._installation.data / "run.json").read_bytes())
        return {**found["children"], "sink": self.sinks.pid}

    def workers(self) -> list[int]:
        """Return the pids of the workers."""
        return [pid for name, pid in self.pids().items() if name.startswith("worker")]

    def settings(self) -> dict[str, Any]:
        """Return what the figures depend on, as the broker was really told."""
        found = re.search(r"sync_interval:\s*(\S+)", (self._installation.data / "nats.conf").read_text())
        return {"sync_interval": found[1] if found else "the server's default", "workers": len(self.workers())}

    async def stored(self) -> int:
        """Return how many raw events are stored, once that number rests."""
        return await rested(lambda: self._broker.count(RAW))

    async def prepare(self, load: Load) -> Callable[[], Awaitable[None]]:
        """Return what puts a load into RAW as the gateway would."""
        made = await asyncio.to_thread(records, self.project, load)
        return partial(self.append, made)

    async def append(self, made: list[Record]) -> None:
        """Put records into RAW."""
        await self._broker.streams.append_all(made)

    async def is_settled(self) -> bool:
        """Tell whether no event is under way any more and the journal has been projected."""
        if any(lag.waiting for lag in (await lags(self._broker.client, self.project)).values()):
            return False
        return await asyncio.to_thread(self._journal.position) >= await self._broker.last(JOURNAL)

    async def backlog(self) -> int:
        """Return how many raw events wait for the process step."""
        return (await lags(self._broker.client, self.project))["process"].waiting

    async def redelivered(self) -> int:
        """Return how many raw events the process step got more than once."""
        return await self._broker.redelivered(RAW, PROCESS)

    async def dead_letters(self) -> list[str]:
        """Return the event ids of all dead letters."""
        return [parse(message.payload).event_id async for batch in read(self._broker.client, DLQ) for message in batch]

    @property
    def delivers_later(self) -> bool:
        """Events of a target that is down wait for it."""
        return True

    async def set_aside(self, target: str) -> int:
        """Return how many events of a target are held or dead letters, as the ledger says."""
        names = {route.name for route in self.project.routes.values() if route.connector == target}
        rows = [row for row in (await self.ledger())["routes"] if row["route"] in names]
        return sum(int(row["in_progress"]) + int(row["dead_lettered"]) for row in rows)

    async def ledger(self) -> dict[str, Any]:
        """Return the ledger as the command line tells it."""
        return await self._installation.ledger()

    async def prove(self) -> dict[str, Any]:
        """Return the ledger as we read it ourselves, however long that takes."""
        return (await Ledgers(self._broker.client, lambda: self.project, {}).deep()).as_dict()

    async def routes(self) -> dict[str, dict[str, Any]]:
        """Return what `route list` tells of each route."""
        _, output = await self._installation.run("route", "list", "--json")
        return {route["route"]: route for route in orjson.loads(output)["routes"]}

    async def operate(self, *words: str) -> None:
        """Run a command against it."""
        code, output = await self._installation.run(*words)
        if code:
            raise RuntimeError(output)

    async def make_key(self, partner: str) -> str:
        """Return a new API key of a partner."""
        return await self._installation.key(partner)

    async def last(self, stream: str) -> int:
        """Return the last sequence of a stream."""
        return await self._broker.last(stream)

    @property
    def client(self) -> Any:
        """The connection to its broker."""
        return self._broker.client

    def close(self) -> None:
        """Let go of the journal."""
        self._journal.close()


def records(project: Project, load: Load) -> list[Record]:
    """Return the load as the gateway writes it; a repeat gets a key of its own, as if the broker's window were over."""
    intake, caller, made = Intake(project), partner_itself(project, PARTNER), []
    for sale, repeat in load.messages:
        record = intake.accept(caller, _HEADERS, sale.body).record
        key = f"{record.key}-again" if repeat else record.key
        made.append(Record(record.subject, record.payload, key, record.headers))
    return made


@asynccontextmanager
async def running_stage(entry: Entry, size: Size, root: Path = PROJECT) -> AsyncIterator[Stage]:
    """Run a fresh installation of the bench project, or of content like it, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="crossdock-bench-") as name:
        folder = Path(name)
        async with running_sinks(size.sink, folder) as sinks:
            options = (
                "--project",
                str(_project(folder, entry, size, root)),
                "--gateway-port",
                "0",
                "--console-port",
                "0",
            )
            installation = Installation(folder / "data", sinks.environment(), options)
            try:
                ready = await installation.start()
                key = await installation.key(PARTNER)
                async with connected(_broker_url(installation.data)) as broker:
                    stage = Stage(installation, ready, sinks, key, broker, root)
                    yield stage
                    stage.close()
            finally:
                await installation.stop()


def _project(folder: Path, entry: Entry, size: Size, root: Path) -> Path:
    """Return a copy of the content with the settings of this run."""
    project = folder / "project"
    shutil.copytree(root, project)
    (project / "config.yaml").write_text(_CONFIG.format(sync=entry.sync, gateways=size.gateways, workers=size.workers))
    return project


def _broker_url(data: Path) -> str:
    secrets, port = datafolder.credentials(data), orjson.loads((data / "ports.json").read_bytes())["nats"]
    return f"nats://{secrets.nats_user}:{secrets.nats_password}@127.0.0.1:{port}"
