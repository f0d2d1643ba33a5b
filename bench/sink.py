"""Three HTTP targets in one process that only count: `python -m bench.sink`, started by `bench.sinks`.

The first line of output is their addresses as JSON; it ends when its standard input does.
"""

import asyncio
import json
import sys
import time
from typing import Any

import httptools
import orjson
import uvloop

from bench.sales import TARGETS

_OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class Tally:
    """What one target got: when each id came first, in Unix nanoseconds, and how many came again."""

    def __init__(self) -> None:
        self.arrivals: dict[str, int] = {}
        self.repeats = 0
        self.nameless = 0

    def take(self, event_id: str, now: int) -> None:
        """Count one request."""
        if not event_id:
            self.nameless += 1
        elif self.arrivals.setdefault(event_id, now) != now:
            self.repeats += 1

    def counts(self) -> dict[str, int]:
        """Return the figures of `/_counts`."""
        return {"unique": len(self.arrivals), "repeats": self.repeats, "nameless": self.nameless}


class Exchange(asyncio.Protocol):
    """One connection: `POST` counts; `GET /_counts`, `GET /_arrivals` and `POST /_reset` are for the measure."""

    def __init__(self, name: str, tallies: dict[str, Tally]) -> None:
        self._name = name
        self._tallies = tallies
        self._parser: Any = httptools.HttpRequestParser(self)
        self._transport: Any = None
        self._path = b""
        self._id = ""

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
        self._path, self._id = url, ""

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the event's id."""
        if name == b"ce-id":
            self._id = value.decode()

    def on_message_complete(self) -> None:
        """Count and answer, or tell what was counted."""
        if not self._path.startswith(b"/_"):
            self._tallies[self._name].take(self._id, time.time_ns())
            self._transport.write(_OK)
            return
        body = orjson.dumps(self._told())
        self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)

    def _told(self) -> Any:
        if self._path == b"/_arrivals":
            return self._tallies[self._name].arrivals
        if self._path == b"/_reset":
            self._tallies.update({name: Tally() for name in self._tallies})
        return {name: tally.counts() for name, tally in self._tallies.items()}


async def serve() -> None:
    """Listen until the parent closes our standard input."""
    loop = asyncio.get_running_loop()
    tallies = {name: Tally() for name in TARGETS}
    servers = {
        name: await loop.create_server(lambda name=name: Exchange(name, tallies), "127.0.0.1", 0)  # type: ignore[misc]
        for name in TARGETS
    }
    urls = {name: f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}" for name, server in servers.items()}
    sys.stdout.write(json.dumps(urls) + "\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(serve())
