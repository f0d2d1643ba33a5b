"""The handwritten gateway and router under measure, on the servers that Crossdock embeds; called by `bench.entries`."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from bench import processes
from bench.broker import Broker, connected
from bench.measured import rested, until
from bench.processes import PYTHON
from bench.sales import Load
from bench.sinks import Sinks, running_sinks
from bench.size import Entry, Size
from crossdock.adapters.whole import read
from crossdock.supervisor import datafolder, probes, servers
from crossdock.supervisor.servers import Server

RAW, DLQ, DURABLE = "RAW", "DLQ", "router"
_SUBJECTS = {RAW: "raw.>", DLQ: "dlq.>"}
_READY_WITHIN = 30.0
_ROLES = {"ingest": ("gateway",), "latency": ("gateway", "router")}  # the others need the router alone


class Baseline:
    """What is written by hand, running; it has no ledger, and what a target refuses becomes a dead letter."""

    def __init__(self, pids: Mapping[str, int], sinks: Sinks, broker: Broker, port: int, sync: str) -> None:
        self.sinks = sinks
        self.events_url = f"http://127.0.0.1:{port}/v1/events"
        self.key = "none"
        self._pids = {**pids, "sink": sinks.pid}
        self._broker = broker
        self._sync = sync

    def pids(self) -> dict[str, int]:
        """Return the processes by name."""
        return self._pids

    def workers(self) -> list[int]:
        """Return the pid of the router, if it runs."""
        return [pid for name, pid in self._pids.items() if name == "router"]

    def settings(self) -> dict[str, Any]:
        """Return what the figures depend on."""
        return {"sync_interval": self._sync}

    async def stored(self) -> int:
        """Return how many raw events are stored."""
        return await rested(lambda: self._broker.count(RAW))

    async def prepare(self, load: Load) -> Callable[[], Awaitable[None]]:
        """Return what puts a load into RAW."""
        return partial(self._append, [sale.body for sale, _ in load.messages])

    async def _append(self, bodies: list[bytes]) -> None:
        goal = await self._broker.count(RAW) + len(bodies)
        for body in bodies:
            await self._broker.client.publish("raw.sales", body, headers={"content-type": "application/json"})
        await self._broker.client.flush()

        async def complete() -> bool:
            return await self._broker.count(RAW) == goal

        await until(complete, _READY_WITHIN)

    async def is_settled(self) -> bool:
        """Tell whether the router has nothing left."""
        return await self.backlog() == 0

    async def backlog(self) -> int:
        """Return how many raw events wait or are in hand."""
        if not self.workers():
            return 0
        info = await self._broker.client.jetstream().consumer_info(RAW, DURABLE)
        return int((info.num_pending or 0) + (info.num_ack_pending or 0))

    async def redelivered(self) -> int:
        """Return how many raw events the router got more than once."""
        return await self._broker.redelivered(RAW, DURABLE)

    async def dead_letters(self) -> list[str]:
        """Return the event ids of all dead letters."""
        payloads = [message.payload async for batch in read(self._broker.client, DLQ) for message in batch]
        return [orjson.loads(payload)["id"] for payload in payloads]

    @property
    def delivers_later(self) -> bool:
        """A dead letter is the end."""
        return False

    async def set_aside(self, target: str) -> int:
        """Return how many events are dead letters of a target."""
        found = [message.headers async for batch in read(self._broker.client, DLQ) for message in batch]
        return sum(headers.get("where") == target for headers in found)

    async def ledger(self) -> None:
        """Return nothing: there is none."""


@asynccontextmanager
async def running_baseline(entry: Entry, size: Size, measure: str) -> AsyncIterator[Baseline]:
    """Run the programs that a measure needs in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="crossdock-bench-") as name:
        folder = Path(name)
        async with AsyncExitStack() as stack:
            sinks = await stack.enter_async_context(running_sinks(size.sink, folder))
            secrets, ports = datafolder.credentials(folder), datafolder.ports(folder)
            embedded = {
                servers.NATS: servers.nats(folder, ports[servers.NATS], secrets, entry.sync),
                servers.VALKEY: servers.valkey(folder, ports[servers.VALKEY], secrets),
            }
            pids = {name: await _serve(stack, folder, name, server) for name, server in embedded.items()}
            broker = await stack.enter_async_context(connected(embedded[servers.NATS].url))
            for stream, subject in _SUBJECTS.items():
                await broker.client.jetstream().add_stream(name=stream, subjects=[subject])
            port = datafolder.free_port()
            urls = {"NATS_URL": embedded[servers.NATS].url, "REDIS_URL": embedded[servers.VALKEY].url}
            env = {**urls, **sinks.environment()}
            for role in _ROLES.get(measure, ("router",)):
                argv = _argv(role, port)
                process = await stack.enter_async_context(processes.running(argv, env, folder / f"{role}.log"))
                pids[role] = process.pid
            await until(partial(_ready, broker, port, pids), _READY_WITHIN)
            yield Baseline(pids, sinks, broker, port, entry.sync)


def _argv(role: str, port: int) -> tuple[str, ...]:
    if role == "router":
        return (PYTHON, "-m", "bench.handwritten.router")
    options = ("--port", str(port), "--no-access-log", "--log-level", "warning")
    return (PYTHON, "-m", "uvicorn", "bench.handwritten.gateway:app", *options)


async def _serve(stack: AsyncExitStack, folder: Path, name: str, server: Server) -> int:
    process = await stack.enter_async_context(processes.running(server.child.argv, {}, folder / f"{name}.log"))
    if server.child.probe:
        await asyncio.wait_for(probes.until(server.child.probe), _READY_WITHIN)
    return process.pid


async def _ready(broker: Broker, port: int, pids: Mapping[str, int]) -> bool:
    if "gateway" in pids and datafolder.is_free(port):
        return False
    names = [info.name for info in await broker.client.jetstream().consumers_info(RAW)]
    return "router" not in pids or DURABLE in names
