"""Real servers for tests: the embedded NATS and Valkey as plain processes, and a clean broker for one test."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import pytest
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from crossdock.adapters import claims, nats
from crossdock.adapters.audit import AUDIT
from crossdock.adapters.topology import BUCKETS, Topology
from crossdock.kernel.problems import Refused, Unavailable
from crossdock.kernel.stream import STREAMS
from crossdock.supervisor import datafolder, probes, servers
from crossdock.supervisor.servers import Server

RETENTION = dict.fromkeys(STREAMS, 3600.0)
START_WITHIN = 10.0
T = TypeVar("T")


def missing(why: str) -> None:
    """Skip on a laptop; where CI is set a missing server is a failure."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


@contextmanager
def nats_server(data: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a broker of its own; yield its address and its process."""
    with _running(lambda: servers.nats(data, datafolder.free_port(), datafolder.credentials(data))) as running:
        yield running


@contextmanager
def valkey_server(data: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a dedupe store of its own; yield its address and its process."""
    with _running(lambda: servers.valkey(data, datafolder.free_port(), datafolder.credentials(data))) as running:
        yield running


@contextmanager
def _running(make: Callable[[], Server]) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    try:
        server = make()
    except Refused as error:
        missing(str(error))
        raise
    process = subprocess.Popen(server.child.argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        if server.child.probe is not None:
            asyncio.run(asyncio.wait_for(probes.until(server.child.probe), START_WITHIN))
        yield server.url, process
    finally:
        process.kill()
        process.wait()


async def until(holds: Callable[[], bool], within: float = 8.0) -> None:
    """Wait until something holds that nobody announces."""

    async def probe() -> bool:
        return holds()

    async with asyncio.timeout(within):
        await probes.until(probe)


async def stopped(pid: int) -> None:
    """Stop a process; a thread of it may go on for a moment after the signal was sent."""
    os.kill(pid, signal.SIGSTOP)
    await until(lambda: all(_state(task) == "T" for task in Path(f"/proc/{pid}/task").iterdir()))


def _state(task: Path) -> str:
    return (task / "stat").read_text().rpartition(")")[2].split()[0]


async def patiently(act: Callable[[], Awaitable[T]]) -> T:
    """Repeat what the server refuses while it still removes the files of a stream of the same name."""
    for _ in range(50):
        try:
            return await act()
        except Unavailable:
            await asyncio.sleep(0.05)
    return await act()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Client]:
    """Connect to a broker and close the connection after the test."""
    client = await nats.connect(url, "test")
    try:
        yield client
    finally:
        with suppress(OSError):  # the server of the test may be gone
            await client.close()


@asynccontextmanager
async def clean(url: str) -> AsyncIterator[tuple[Client, Topology]]:
    """Connect to a broker whose streams and buckets are new."""
    async with connected(url) as client:
        jetstream = client.jetstream()
        for name in (*STREAMS, AUDIT, claims.STREAM, *(f"KV_{bucket}" for bucket in BUCKETS)):
            with suppress(NotFoundError):
                await jetstream.delete_stream(name)
        topology = Topology(client, 1, RETENTION)
        await patiently(topology.streams)
        yield client, topology
