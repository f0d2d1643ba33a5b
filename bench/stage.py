"""What every measure stands on: a whole Crossdock with its own data folder, the sinks, a look at the streams."""

import asyncio
import re
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from bench import machine
from bench.machine import Usage
from bench.sales import PARTNER
from bench.sinks import Sinks, running_sinks
from crossdock import project as content
from crossdock.adapters import nats
from crossdock.adapters.inbox import read
from crossdock.adapters.letters import lags
from crossdock.adapters.log import Acks, NatsLog
from crossdock.adapters.sql import SqlJournal
from crossdock.adapters.topology import PROCESS
from crossdock.kernel.stream import DLQ, JOURNAL, RAW, Record
from crossdock.project import Project
from crossdock.supervisor import datafolder
from dlq.record import parse
from simulators.installation import Installation, Ready

PROJECT = Path(__file__).parent / "project"
POLL = 0.1
_OPTIONS = ("--project", str(PROJECT), "--gateway-port", "0", "--console-port", "0")


class Stage:
    """One running installation under measure."""

    def __init__(
        self, installation: Installation, ready: Ready, sinks: Sinks, key: str, client: Any, streams: NatsLog
    ) -> None:
        self.sinks = sinks
        self.events_url = f"{ready.gateway}/v1/events"
        self.key = key
        self.project: Project = content.load(PROJECT, {}, strict_env=False)
        self._installation = installation
        self._client = client
        self._streams = streams
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
        before = -1
        while (now := await self._count(RAW)) != before:
            before = now
            await asyncio.sleep(POLL)
        return now

    async def preload(self, records: Sequence[Record]) -> None:
        """Put records into RAW past the gateway."""
        await self._streams.append_all(records)

    async def settled(self, within: float) -> None:
        """Return when no event is under way any more and the journal has been projected.

        Raises:
            TimeoutError: when that takes too long.
        """
        await until(self._is_settled, within)

    async def _is_settled(self) -> bool:
        if any((await lags(self._client, self.project)).values()):
            return False
        end = int((await self._client.jetstream().stream_info(JOURNAL)).state.last_seq)
        return await asyncio.to_thread(self._journal.position) >= end

    async def backlog(self) -> int:
        """Return how many raw events wait for the process step."""
        return (await lags(self._client, self.project))["process"]

    async def redelivered(self) -> int:
        """Return how many raw events the process step got more than once: the broker lost patience with it."""
        info = await self._client.jetstream().consumer_info(RAW, PROCESS)
        return int(info.delivered.consumer_seq - info.delivered.stream_seq)

    async def dead_letters(self) -> list[str]:
        """Return the event ids of all dead letters."""
        return [parse(message.payload).event_id async for batch in read(self._client, DLQ) for message in batch]

    async def ledger(self) -> dict[str, Any]:
        """Return the ledger as the command line tells it."""
        return await self._installation.ledger()

    def usage(self) -> Usage:
        """Return the CPU that every process has used."""
        return machine.usage(self.pids())

    def costs(self, before: Usage, events: int) -> dict[str, Any]:
        """Return the figures that every measure reports, since `before`."""
        now = self.usage()
        spent = now.since(before, events)
        memory = machine.peaks(now.pids)
        memory["all but sink"] = round(sum(size for name, size in memory.items() if name != "sink"), 1)
        total = round(sum(seconds for name, seconds in spent.items() if name != "sink"), 4)
        return {"cpu_s_per_1000": {**spent, "all but sink": total}, "peak_rss_mib": memory}

    def restarts(self, before: Usage) -> list[str]:
        """Return what is wrong with a run in which a process came anew."""
        now = self.pids()
        return [f"{name} was restarted" for name, pid in before.pids.items() if now.get(name) != pid]

    async def _count(self, stream: str) -> int:
        return int((await self._client.jetstream().stream_info(stream)).state.messages)

    def close(self) -> None:
        """Let go of the journal."""
        self._journal.close()


@asynccontextmanager
async def running_stage() -> AsyncIterator[Stage]:
    """Run a fresh installation of the bench project in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="crossdock-bench-") as folder:
        data = Path(folder) / "data"
        async with running_sinks() as sinks:
            installation = Installation(data, sinks.environment(), _OPTIONS)
            try:
                ready = await installation.start()
                key = await installation.key(PARTNER)
                async with _broker(data) as (client, streams):
                    stage = Stage(installation, ready, sinks, key, client, streams)
                    yield stage
                    stage.close()
            finally:
                await installation.stop()


@asynccontextmanager
async def _broker(data: Path) -> AsyncIterator[tuple[Any, NatsLog]]:
    secrets, port = datafolder.credentials(data), orjson.loads((data / "ports.json").read_bytes())["nats"]
    client = await nats.connect(f"nats://{secrets.nats_user}:{secrets.nats_password}@127.0.0.1:{port}", "bench")
    acks = Acks(client)
    await acks.start()
    try:
        yield client, NatsLog(acks)
    finally:
        await acks.close()
        await client.close()


async def until(true: Callable[[], Awaitable[bool]], within: float) -> None:
    """Return when it is true.

    Raises:
        TimeoutError: when it is not in time.
    """
    deadline = time.monotonic() + within
    while not await true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not settled after {within:g} s")
        await asyncio.sleep(POLL)
