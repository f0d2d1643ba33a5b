"""What every role stands on: content, settings, the broker, its streams, metrics. Called by the modules of the roles.

Each role has its own module, because the libraries of the others would cost it 40 MiB and half a second of its start.
"""

import asyncio
import contextlib
import gc
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_exponential

from crossdock.adapters import nats, reports
from crossdock.adapters.contents import NatsContents
from crossdock.adapters.log import ATOMIC_FROM, ATOMIC_FROM_SYNCED, Acks, NatsLog
from crossdock.adapters.topology import Topology
from crossdock.bundle import Bundle
from crossdock.inforce import Content
from crossdock.kernel import settings as settings_file
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.settings import Settings
from crossdock.kernel.stream import DLQ, EVENTS, JOURNAL, RAW
from crossdock.kernel.tracing import Tracer
from crossdock.project import Project
from crossdock.supervisor import following, logform
from crossdock.supervisor.following import Following

if TYPE_CHECKING:
    from crossdock.adapters.otlp import OtlpSpans

START_PATIENCE = 30.0
NEEDED = ("CROSSDOCK_PROJECT", "CROSSDOCK_NATS_URL")


@dataclass(frozen=True)
class Base:
    """What every role stands on."""

    content: Content
    settings: Settings
    env: Mapping[str, str]
    client: Any
    streams: NatsLog
    topology: Topology
    metrics: Metrics
    contents: NatsContents
    following: Following
    tracer: Tracer | None = None

    @property
    def project(self) -> Project:
        """The content in force when the process started."""
        return self.content.project


def collect_seldom() -> None:
    """Make the garbage collector look seldom, as nothing on the path of an event makes cycles."""
    # A batch of events lives longer than the collector's youngest generation: looking at it again and again took 14%
    # of the process step (50 to 43 us an event).
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def run(role: Callable[[Mapping[str, str]], Awaitable[None]]) -> None:
    """Run one role until SIGTERM; the supervisor's environment says where everything is."""
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if missing:
        sys.exit(f"not set: {', '.join(missing)}; `crossdock up` starts every role with all it needs")
    logform.begin(os.environ.get(logform.VARIABLE, logform.TEXT), role.__name__)
    collect_seldom()
    # What an event may wait for the thread that loads other content, at each call into the system: with 0.5 ms the loop
    # came to half of what it does with this.
    sys.setswitchinterval(0.0001)
    uvloop.run(role(os.environ))  # type: ignore[arg-type]


@asynccontextmanager
async def base(
    name: str, env: Mapping[str, str], state: Callable[[], Mapping[str, Any]], tests: bool = False
) -> AsyncIterator[Base]:
    """Come to the content in force, with its `tests` if asked, connect to the broker and make sure of the streams."""
    root = Path(env["CROSSDOCK_PROJECT"])
    read = partial(Bundle.load, env=env, tests=tests)
    chosen = settings_file.load(root, env)
    logform.begin(env.get(logform.VARIABLE) or chosen.logs, name)
    found = following.look(root, read)
    client = await _patiently(lambda: nats.connect(env["CROSSDOCK_NATS_URL"], name))
    keep = chosen.retention
    retention = {RAW: keep.raw, EVENTS: keep.events, JOURNAL: keep.journal, DLQ: keep.dead_letters}
    topology = Topology(client, chosen.nats.replicas, retention)
    await _patiently(topology.streams)
    contents = NatsContents(client)
    content = await _patiently(lambda: following.begin(contents, found, read, name))
    acks = Acks(client)
    await acks.start()
    metrics = Metrics()
    follower = Following(name, contents, content, read, metrics)
    tracer, spans = _tracing(chosen, name, metrics)
    reporting = asyncio.create_task(reports.report(client, name, metrics, state, follower.state))
    try:
        synced = chosen.nats.sync_interval == "always" and not chosen.nats.url
        atomic_from = ATOMIC_FROM_SYNCED if synced else ATOMIC_FROM
        streams = NatsLog(acks, atomic_from=atomic_from, large=chosen.nats.claim_check)
        yield Base(content, chosen, env, client, streams, topology, metrics, contents, follower, tracer)
    finally:
        reporting.cancel()
        if spans:
            await asyncio.to_thread(spans.close)
        await acks.close()
        with contextlib.suppress(Exception):  # the broker may be gone before us
            await asyncio.wait_for(client.drain(), 5)


def _tracing(chosen: Settings, name: str, metrics: Metrics) -> "tuple[Tracer | None, OtlpSpans | None]":
    """Return what traces events and what to close in the end, where that is set; its libraries are loaded then."""
    if not chosen.telemetry.traces.url:
        return None, None
    from crossdock.adapters.otlp import open_tracing  # noqa: PLC0415

    return open_tracing(chosen.telemetry.traces, name, metrics)


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
