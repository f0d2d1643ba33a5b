"""A gateway under siege: half-open connections and bodies without end, while one good client goes on sending.

`python -m bench.siege [NAME]...` prints the memory of the gateway before, at most and after, and what the good client
saw.
"""

import asyncio
import json
import resource
import shutil
import statistics
import sys
import tempfile
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bench.sales import make_load
from bench.size import CROSSDOCK, Entry, Size
from bench.stage import PROJECT, Stage, running_stage

HALF_OPEN = 10_000
AT_ONCE = 20
ENDLESS = 1 << 30  # bytes
BOMB = 900 << 20  # bytes, which gzip makes less than a MiB of
VENDORS = 4  # as many as could hold a whole budget of which each may hold a quarter
_VENDOR = """source: vendor{0}
partner: vendor{0}
accept: webhook
types: [pos.sale]
verify: {{github: {{secret: siege}}}}
event: {{id: body.receipt, type: '"pos.sale"'}}
"""
_HEAD = b"POST /v1/events HTTP/1.1\r\nHost: siege\r\n"
_UNSIGNED = b"POST /v1/sources/vendor%d HTTP/1.1\r\nHost: siege\r\nContent-Length: %d\r\n\r\n%b"
_PIECE = b"10000\r\n" + bytes(1 << 16) + b"\r\n"

Siege = Callable[[Stage, "Good"], Awaitable[None]]


@dataclass
class Good:
    """A client that sends one event after the other, every second one over a new connection."""

    host: str
    port: int
    requests: list[bytes]
    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    async def run(self) -> None:
        """Send until cancelled."""
        kept = await asyncio.open_connection(self.host, self.port)
        for number, request in enumerate(self.requests):
            started = time.perf_counter()
            try:
                reader, writer = kept if number % 2 else await asyncio.open_connection(self.host, self.port)
                writer.write(request)
                status = (await reader.readuntil(b"\r\n\r\n"))[9:12]
                await reader.read(1 << 16)
                self.failed += status != b"202"
            except (ConnectionError, asyncio.IncompleteReadError):
                self.failed += 1
                kept = await asyncio.open_connection(self.host, self.port)
            else:
                if not number % 2:
                    writer.close()
            self.seconds.append(time.perf_counter() - started)
            await asyncio.sleep(0.01)

    def told(self) -> str:
        """Return what it saw since it was last asked."""
        seconds, self.seconds = sorted(self.seconds), []
        failed, self.failed = self.failed, 0
        p99 = seconds[int(len(seconds) * 0.99)] * 1000
        return f"{len(seconds)} sent, {failed} failed, p50 {statistics.median(seconds) * 1000:.1f} ms, p99 {p99:.1f} ms"


async def quiet(_: Stage, __: Good) -> None:
    """Do nothing, for comparison."""
    await asyncio.sleep(5)


def half_open(sent: Callable[[int], bytes]) -> Siege:
    """Return a siege by connections that send this and never the rest."""

    async def act(stage: Stage, good: Good) -> None:
        opened = []
        for number in range(HALF_OPEN):
            with suppress(OSError):
                _, writer = await asyncio.open_connection(good.host, good.port)
                writer.write(sent(number))
                opened.append(writer)
        await asyncio.sleep(5)
        for writer in opened:
            writer.transport.abort()

    return act


def endless(*lines: bytes) -> Siege:
    """Return a siege by bodies of a GiB each, several at a time."""

    async def send(stage: Stage, good: Good) -> None:
        _, writer = await asyncio.open_connection(good.host, good.port)
        key = b"X-API-Key: " + stage.key.encode()
        media = b"Content-Type: application/cloudevents-batch+json"
        with suppress(ConnectionError):
            writer.write(_HEAD + b"\r\n".join((key, media, *lines)) + b"\r\n\r\n")
            for _ in range(ENDLESS // (1 << 16)):
                writer.write(_PIECE)
                await writer.drain()
        writer.transport.abort()

    async def act(stage: Stage, good: Good) -> None:
        ends = time.monotonic() + 5
        while time.monotonic() < ends:
            await asyncio.gather(*(send(stage, good) for _ in range(AT_ONCE)))

    return act


def bombs(media: bytes, filled: bytes) -> Siege:
    """Return a siege by small bodies that become large ones when they are inflated, several at a time."""

    async def send(stage: Stage, good: Good, bomb: bytes) -> None:
        reader, writer = await asyncio.open_connection(good.host, good.port)
        lines = (
            b"X-API-Key: " + stage.key.encode(),
            b"Content-Type: " + media,
            b"Content-Encoding: gzip",
            b"Content-Length: %d" % len(bomb),
        )
        with suppress(ConnectionError):
            writer.write(_HEAD + b"\r\n".join(lines) + b"\r\n\r\n" + bomb)
            await reader.read(1 << 16)
        writer.close()

    async def act(stage: Stage, good: Good) -> None:
        bomb = await asyncio.to_thread(_bomb, filled)
        with suppress(TimeoutError):
            async with asyncio.timeout(10):
                while True:
                    await asyncio.gather(*(send(stage, good, bomb) for _ in range(AT_ONCE)))

    return act


def _bomb(filled: bytes) -> bytes:
    """Return a body that is inflated to copies of this; it takes seconds to make."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(filled * (1 << 20)) for _ in range(BOMB >> 20)) + packer.flush()


def _filling(most: int, number: int) -> int:
    """Return the sizes that fill a budget: two large ones, then one that fits into what they leave."""
    return most if number % 3 else most >> number % 13


SIEGES: dict[str, Siege] = {
    "quiet": quiet,
    "nothing is sent": half_open(lambda _: b""),
    "half a head": half_open(lambda _: _HEAD),
    "a long half of a head": half_open(lambda _: _HEAD + b"".join(b"a%d: %b\r\n" % (n, b"b" * 500) for n in range(90))),
    "half a body": half_open(lambda _: _HEAD + b"Content-Length: 9000\r\n\r\n" + b" " * 8000),
    "a mix of all": half_open(lambda n: (_HEAD + b"Content-Length: 9\r\n\r\n")[: n % 64]),
    "fills the budget with heads": half_open(lambda n: _HEAD + b"A: " + b"a" * _filling(62_000, n)),
    "fills it with unsigned bodies": half_open(
        lambda n: _UNSIGNED % (n % VENDORS, 250_000, b" " * _filling(200_000, n))
    ),
    "chunks of 1 GiB": endless(b"Transfer-Encoding: chunked"),
    "a length of 1 GiB": endless(b"Content-Length: %d" % ENDLESS),
    "gzip bombs": bombs(b"application/cloudevents-batch+json", b" "),
    "gzip bombs of blank lines": bombs(b"application/x-ndjson", b"\n"),
}


@asynccontextmanager
async def project() -> AsyncIterator[Path]:
    """Copy the bench project, with sources that prove themselves by a signature over the body."""
    with tempfile.TemporaryDirectory(prefix="crossdock-siege-") as name:
        root = Path(shutil.copytree(PROJECT, Path(name) / "project"))
        for number in range(VENDORS):
            (root / "gateway" / f"vendor{number}.yaml").write_text(_VENDOR.format(number))
        yield root


def rss(pid: int) -> float:
    """Return the memory of a process in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


@asynccontextmanager
async def watched(pid: int) -> AsyncIterator[list[float]]:
    """Look at a process's memory ten times a second."""
    seen = [rss(pid)]

    async def look() -> None:
        while True:
            await asyncio.sleep(0.1)
            seen.append(rss(pid))

    looking = asyncio.create_task(look())
    try:
        yield seen
    finally:
        looking.cancel()


async def main(wanted: Sequence[str]) -> None:
    """Besiege one installation in the ways that are named, or in every way."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    async with project() as root, running_stage(Entry(CROSSDOCK), Size(), root) as stage:
        url = urlsplit(stage.events_url)
        head = f"Host: a\r\nX-API-Key: {stage.key}\r\nContent-Type: application/cloudevents+json\r\nContent-Length: "
        requests = [
            b"POST /v1/events HTTP/1.1\r\n" + head.encode() + b"%d\r\n\r\n" % len(sale.body) + sale.body
            for sale, _ in make_load(1, 20_000).messages
        ]
        good = Good(str(url.hostname), int(url.port or 80), requests)
        sending = asyncio.create_task(good.run())
        pid = stage.pids()["gateway"]
        for name in wanted or SIEGES:
            act = SIEGES[name]
            async with watched(pid) as seen:
                await act(stage, good)
            figures = {"siege": name, "before": seen[0], "most": max(seen), "after": rss(pid), "good": good.told()}
            print(json.dumps({k: round(v) if isinstance(v, float) else v for k, v in figures.items()}), flush=True)
        sending.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
