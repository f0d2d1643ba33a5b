"""Composition root: plugs adapters into gateway, worker and operations, and runs one of them in this process."""

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_exponential

from connectors.breaker import LONGEST_PAUSE, Breaker
from connectors.kinds import open_connector
from connectors.port import Connector
from console.api import create_app as create_console
from console.desk import Desk
from crossdock.adapters import faststream, nats, reports
from crossdock.adapters.inbox import NatsInbox
from crossdock.adapters.keys import NatsKeys
from crossdock.adapters.ledger import read_ledger
from crossdock.adapters.letters import NatsLetters, lags
from crossdock.adapters.log import Acks, NatsLog
from crossdock.adapters.projector import Projector
from crossdock.adapters.sql import SqlJournal
from crossdock.adapters.topology import REDELIVERED, Topology
from crossdock.adapters.valkey import ValkeySeen
from crossdock.adapters.watch import NatsWatch, consumer_of
from crossdock.kernel import settings as settings_file
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.settings import Settings
from crossdock.kernel.stream import DLQ, EVENTS, JOURNAL, RAW
from crossdock.pipeline.gate import Gate
from crossdock.pipeline.lane import Lane
from crossdock.pipeline.process import Processor
from crossdock.pipeline.recorder import Recorder
from crossdock.project import Project, load
from crossdock.supervisor.http import serve
from crossdock.supervisor.ready import announce
from crossdock.worker import Worker
from gateway.app import create_app as create_gateway
from gateway.ingest import Ingest
from journal.store import JournalStore
from routes.spec import Route

log = logging.getLogger(__name__)

START_PATIENCE = 30.0
NEEDED = ("CROSSDOCK_PROJECT", "CROSSDOCK_NATS_URL")
GRACE = 10.0
RETENTION_MARGIN = 60.0
PROBES = 5  # at least so many tries of a dead target before the age of a delivery ends its retries


@dataclass(frozen=True)
class Base:
    """What every role stands on."""

    project: Project
    settings: Settings
    env: Mapping[str, str]
    client: Any
    streams: NatsLog
    topology: Topology
    metrics: Metrics


def run(role: Callable[[Mapping[str, str]], Awaitable[None]]) -> None:
    """Run one role until SIGTERM; the supervisor's environment says where everything is."""
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if missing:
        sys.exit(f"not set: {', '.join(missing)}; `crossdock up` starts every role with all it needs")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    uvloop.run(role(os.environ))  # type: ignore[arg-type]


@asynccontextmanager
async def base(name: str, env: Mapping[str, str], state: Callable[[], Mapping[str, Any]]) -> AsyncIterator[Base]:
    """Load content and settings, connect to the broker and make sure of the streams."""
    root = Path(env["CROSSDOCK_PROJECT"])
    project, chosen = load(root, env), settings_file.load(root, env)
    client = await _patiently(lambda: nats.connect(env["CROSSDOCK_NATS_URL"], name))
    keep = chosen.retention
    retention = {RAW: keep.raw, EVENTS: keep.events, JOURNAL: keep.journal, DLQ: keep.dead_letters}
    topology = Topology(client, chosen.nats.replicas, retention)
    await _patiently(topology.streams)
    acks = Acks(client)
    await acks.start()
    metrics = Metrics()
    reporting = asyncio.create_task(reports.report(client, name, metrics, state))
    try:
        yield Base(project, chosen, env, client, NatsLog(acks), topology, metrics)
    finally:
        reporting.cancel()
        await acks.close()
        with contextlib.suppress(Exception):  # the broker may be gone before us
            await asyncio.wait_for(client.drain(), 5)


async def gateway(env: Mapping[str, str]) -> None:
    """Serve partners."""
    async with base("gateway", env, dict) as here:
        keys = NatsKeys(here.client)
        await keys.start()
        recorder = Recorder(here.streams)
        body = here.settings.gateway.body
        ingest = Ingest(here.project, keys, here.streams, recorder, here.metrics, body)
        journal = _journal(env)
        app = create_gateway(here.project, ingest, journal, lambda: here.client.is_connected)
        await serve(app, here.settings.gateway.host, int(env["CROSSDOCK_GATEWAY_PORT"]), env)
        await _within(GRACE, recorder.close())
        await keys.close()


async def ops(env: Mapping[str, str]) -> None:
    """Serve operators, and keep the journal's projection."""
    async with base("ops", env, dict) as here:
        keys, heard, journal = NatsKeys(here.client), reports.Reports(), _journal(env)
        await keys.start()
        await heard.listen(here.client)
        projecting = asyncio.create_task(Projector(here.client, journal).run())
        desk = Desk(
            project=here.project,
            journal=journal,
            keys=keys,
            letters=NatsLetters(here.client),
            streams=here.streams,
            ledger=lambda: read_ledger(here.client, here.project, _kept_since(here)),
            lags=lambda: lags(here.client, here.project),
            states=heard.states,
            pause=NatsWatch(here.client, here.topology).pause,
            metrics=heard.metrics,
            asyncapi=lambda: faststream.document("nats://broker"),
        )
        app = create_console(desk, env["CROSSDOCK_OPS_TOKEN"])
        await serve(app, here.settings.console.host, int(env["CROSSDOCK_CONSOLE_PORT"]), env)
        projecting.cancel()
        await keys.close()


async def worker(env: Mapping[str, str]) -> None:
    """Process and deliver."""
    seat, _, seats = env.get("CROSSDOCK_SEAT", "0/1").partition("/")
    lanes: dict[str, Lane] = {}
    async with base(f"worker-{seat}", env, lambda: {name: lane.state for name, lane in lanes.items()}) as here:
        watch = NatsWatch(here.client, here.topology)
        making = _Lanes(here, lanes)
        crew = Worker(here.project, int(seat), int(seats), making.make, watch, here.metrics)
        seen = ValkeySeen(env["CROSSDOCK_DEDUPE_URL"])
        processor = Processor(here.project, seen, here.streams, here.metrics)
        app = faststream.make_app(
            env["CROSSDOCK_NATS_URL"],
            processor.run if crew.processes else None,
            crew.follow_pauses,
            crew.start,
            crew.stop,
        )
        app.after_startup(lambda: announce(env))
        await app.run()
        await making.close()
        await seen.close()


class _Lanes:
    """Makes the lanes of a worker; those of one connector share its client, breaker, rate and slots."""

    def __init__(self, here: Base, lanes: dict[str, Lane]) -> None:
        self._here = here
        self._lanes = lanes
        self._open: dict[str, tuple[Connector, Gate]] = {}

    async def make(self, route: Route) -> Lane:
        """Return the lane of a route."""
        here, consumer = self._here, consumer_of(route)
        patience = REDELIVERED if route.order_by is not None else 0
        inbox = await NatsInbox(here.client, consumer.stream, consumer.name, patience).start()
        if route.connector not in self._open:
            self._open[route.connector] = self._opened(route.connector)
        connector, gate = self._open[route.connector]
        lane = Lane(route, inbox, connector, gate, here.streams, here.metrics, here.project.revision)
        self._lanes[route.name] = lane
        return lane

    async def close(self) -> None:
        """Close the connectors."""
        for connector, _ in self._open.values():
            await connector.close()

    def _opened(self, name: str) -> tuple[Connector, Gate]:
        spec, routes = self._here.project.connectors[name], self._here.project.routes.values()
        shortest = min(route.retry.age for route in routes if route.connector == name)
        longest = min(LONGEST_PAUSE, shortest / PROBES)
        breaker = Breaker(spec.breaker.open_at, spec.breaker.over, clock=time.monotonic, longest=longest)
        return open_connector(spec), Gate(breaker, spec.rate, spec.in_flight)


def _kept_since(here: Base) -> int:
    """Return since when (Unix milliseconds) RAW must be whole, with a margin for what is just being removed."""
    return int((time.time() - here.settings.retention.raw + RETENTION_MARGIN) * 1000)


def _journal(env: Mapping[str, str]) -> JournalStore:
    return SqlJournal(env["CROSSDOCK_JOURNAL_URL"])


async def _within(seconds: float, act: Awaitable[None]) -> None:
    """Give an act its time; the broker may be away while this process must end."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(act, seconds)


async def _patiently(act: Callable[[], Awaitable[Any]]) -> Any:
    """Repeat what needs a server that may still be starting."""
    patient = retry(
        retry=retry_if_exception_type(Unavailable),
        wait=wait_exponential(multiplier=0.05, max=1),
        stop=stop_after_delay(START_PATIENCE),
        reraise=True,
    )
    return await patient(act)()
