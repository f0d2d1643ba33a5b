"""Three HTTP targets in one process that only count: `python -m bench.sink`, started by `bench.sinks`.

The control port is SINK_PORT, the targets are the three after it; the peers' `sink` speaks the same.
"""

import asyncio
import os
import re
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httptools
import orjson
import uvloop

from bench.sales import TARGETS

_ID = re.compile(rb'"event_id"\s*:\s*"([^"]*)"')
_OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
_DOWN = b"HTTP/1.1 %d Down\r\ncontent-length: 0\r\n\r\n"
_SAMPLES = 300
DELAY = "SINK_DELAY_MS"  # how long every answer of a target takes
_LATER = float(os.environ.get(DELAY, "0")) / 1000


class Tally:
    """What one target got: when each id came first, in Unix nanoseconds, and how often it came."""

    def __init__(self) -> None:
        self.status = 200
        self.reset()

    def reset(self) -> None:
        """Forget what came; the status stays."""
        self.seen: dict[bytes, list[int]] = {}
        self.samples: list[bytes] = []
        self.requests = self.ok = self.no_id = self.first = self.last = 0

    def take(self, body: bytes) -> bytes:
        """Count one request and return the answer."""
        self.requests += 1
        if self.status != 200:
            return _DOWN % self.status
        self.ok += 1
        self.last = now = time.time_ns()
        self.first = self.first or now
        if len(self.samples) < _SAMPLES:
            self.samples.append(body)
        if found := _ID.search(body):
            self.seen.setdefault(found[1], [now, 0])[1] += 1
        else:
            self.no_id += 1
        return _OK

    def counts(self) -> dict[str, int]:
        """Return the figures of `/stats`."""
        counts = {"requests": self.requests, "ok": self.ok, "unique": len(self.seen), "no_id": self.no_id}
        return {**counts, "first_ns": self.first, "last_ns": self.last}


class Exchange(asyncio.Protocol):
    """One connection: to a target, or to the control port when it has no tally."""

    def __init__(self, tallies: dict[str, Tally], tally: Tally | None) -> None:
        self._tallies = tallies
        self._tally = tally
        self._parser: Any = httptools.HttpRequestParser(self)
        self._transport: Any = None
        self._path = b""
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to answer."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Feed the parser, which calls the methods below."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    def on_url(self, url: bytes) -> None:
        """Begin a request."""
        self._path, self._body = url, b""

    def on_body(self, body: bytes) -> None:
        """Collect the body."""
        self._body += body

    def on_message_complete(self) -> None:
        """Count and answer, or do what the control port is asked."""
        if self._tally:
            answer = self._tally.take(self._body)
            if _LATER:
                asyncio.get_running_loop().call_later(_LATER, self._transport.write, answer)
            else:
                self._transport.write(answer)
            return
        body = control(self._tallies, self._path.decode())
        self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)


def control(tallies: dict[str, Tally], path: str) -> bytes:
    """Do what `/stats`, `/reset`, `/mode`, `/arrivals` or `/samples` ask."""
    parts = urlsplit(path)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    match parts.path:
        case "/mode":
            tallies[asked["target"]].status = int(asked["status"])
        case "/reset":
            for tally in tallies.values():
                tally.reset()
        case "/arrivals":
            seen = tallies[asked["target"]].seen
            return b"".join(b"%s %d %d\n" % (name, first, times) for name, (first, times) in seen.items())
        case "/samples":
            return b"".join(body + b"\n" for body in tallies[asked["target"]].samples)
    return orjson.dumps({name: tally.counts() for name, tally in tallies.items()})


async def serve(port: int) -> None:
    """Listen until ended."""
    loop = asyncio.get_running_loop()
    tallies = {name: Tally() for name in TARGETS}
    for number, tally in enumerate((None, *tallies.values())):
        await loop.create_server(lambda tally=tally: Exchange(tallies, tally), "127.0.0.1", port + number)  # type: ignore[misc]
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(os.environ["SINK_PORT"])))
