"""An HTTP target with moods in our own process, which remembers in which order events had their effect on it."""

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httptools

_ID = re.compile(rb'"event_id"\s*:\s*"([^"]*)"')
_KEY = re.compile(rb'"location"\s*:\s*"([^"]*)"')


class Mood(NamedTuple):
    """How one request is answered: with a status after `delay` seconds, or not at all although it had its effect."""

    status: int = 200
    delay: float = 0.0
    silent: bool = False


Moods = Callable[[str], Mood]  # by the key of the event


def well(_: str) -> Mood:
    """Answer everything at once."""
    return Mood()


def capricious(dice: random.Random) -> Moods:
    """Return the moods of a bad day: failures, delays, and connections that end without an answer."""

    def mood(_: str) -> Mood:
        drawn = dice.random()
        status = 503 if drawn < 0.08 else 200
        return Mood(status, dice.random() * 0.05 if dice.random() < 0.3 else 0.0, silent=0.08 <= drawn < 0.09)

    return mood


@dataclass
class Moody:
    """One target; `effects` has the ids of each key in the order in which they first had their effect."""

    mood: Moods = well
    url: str = ""
    requests: int = 0
    repeats: int = 0
    under_way: int = 0
    effects: dict[str, list[str]] = field(default_factory=dict)
    arrived: dict[str, int] = field(default_factory=dict)  # by id, in Unix nanoseconds

    def take(self, body: bytes) -> Mood:
        """Note one request and return how it is answered."""
        self.requests += 1
        id_, key = (found[1].decode() if (found := part.search(body)) else "" for part in (_ID, _KEY))
        mood = self.mood(key)
        if mood.status == 200 and id_ in self.arrived:
            self.repeats += 1
        elif mood.status == 200:
            self.arrived[id_] = time.time_ns()
            self.effects.setdefault(key, []).append(id_)
        return mood

    def disordered(self) -> list[str]:
        """Return the keys whose events first came in another order than that of their numbers."""
        return [key for key, ids in self.effects.items() if ids != sorted(ids)]


class _Exchange(asyncio.Protocol):
    def __init__(self, target: Moody) -> None:
        self._target = target
        self._parser: Any = httptools.HttpRequestParser(self)
        self._transport: Any = None
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        mood, self._body = self._target.take(self._body), b""
        if mood.silent:
            self._transport.close()
        elif mood.delay:
            self._target.under_way += 1
            asyncio.get_running_loop().call_later(mood.delay, self._answer_late, mood.status)
        else:
            self._answer(mood.status)

    def _answer_late(self, status: int) -> None:
        self._target.under_way -= 1
        self._answer(status)

    def _answer(self, status: int) -> None:
        if not self._transport.is_closing():
            self._transport.write(b"HTTP/1.1 %d Answer\r\ncontent-length: 0\r\n\r\n" % status)


@asynccontextmanager
async def running(*targets: Moody) -> AsyncIterator[None]:
    """Let targets listen; `url` tells where."""
    loop, servers = asyncio.get_running_loop(), []
    for target in targets:
        server = await loop.create_server(lambda target=target: _Exchange(target), "127.0.0.1", 0)  # type: ignore[misc]
        servers.append(server)
        target.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    try:
        yield
    finally:
        for server in servers:
            server.close()
