"""What every role stands on: content, settings, the broker, its streams, metrics. Called by the modules of the roles.

Each role has its own module, because the libraries of the others would cost it 40 MiB and half a second of its start.
"""

import asyncio
import contextlib
import gc
import logging
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_exponential

from crossdock.adapters import nats, reports
from crossdock.adapters.log import ATOMIC_FROM, ATOMIC_FROM_SYNCED, Acks, NatsLog
from crossdock.adapters.topology import Topology
from crossdock.kernel import settings as settings_file
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.settings import Settings
from crossdock.kernel.stream import DLQ, EVENTS, JOURNAL, RAW
from crossdock.project import Project, load

START_PATIENCE = 30.0
NEEDED = ("CROSSDOCK_PROJECT", "CROSSDOCK_NATS_URL")


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
    # A batch of events lives longer than the collector's youngest generation: looking at it again and again took 14%
    # of the process step (50 to 43 us an event). Nothing on the path makes cycles, so looking seldom costs no memory.
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
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
        synced = chosen.nats.sync_interval == "always" and not chosen.nats.url
        streams = NatsLog(acks, atomic_from=ATOMIC_FROM_SYNCED if synced else ATOMIC_FROM)
        yield Base(project, chosen, env, client, streams, topology, metrics)
    finally:
        reporting.cancel()
        await acks.close()
        with contextlib.suppress(Exception):  # the broker may be gone before us
            await asyncio.wait_for(client.drain(), 5)


async def within(seconds: float, act: Awaitable[None]) -> None:
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
