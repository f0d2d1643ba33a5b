"""Scripted servers on loopback for the tests of the delivery client."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from ipaddress import ip_network

import uvloop

from connectors.client import Client
from connectors.connection import Response
from connectors.target import SendFailed, Target

LOOPBACK = (ip_network("127.0.0.0/8"),)
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}

Behaviour = Callable[["Served"], Awaitable[None]]


class Served:
    """One accepted connection, as its script sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.reader = reader
        self.writer = writer
        self.number = number

    async def request(self) -> bytes:
        """Return one whole request; `IncompleteReadError` when the client has closed the connection."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        lengths = [line for line in head.split(b"\r\n") if line.startswith(b"content-length: ")]
        return head + await self.reader.readexactly(int(lengths[0][16:]))

    async def answer(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        self.writer.transport.abort()


class Server:
    """Counts connections and keeps the requests it was sent."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.connections = 0
        self.ended = 0
        self.port = 0
        self._behaviour = behaviour
        self._change = asyncio.Condition()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._behaviour(Served(reader, writer, self.connections))
            writer.close()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
        finally:
            async with self._change:
                self.ended += 1
                self._change.notify_all()

    async def until_ended(self, count: int) -> None:
        """Wait until so many connections have ended."""
        async with asyncio.timeout(5), self._change:
            await self._change.wait_for(lambda: self.ended >= count)

    def target(self, path: str = "/") -> Target:
        return Target("http", "127.0.0.1", self.port, path)


@asynccontextmanager
async def serving(behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(behaviour)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()


def always(answer: bytes) -> Behaviour:
    """Give each request of each connection the same answer."""

    async def behave(served: Served) -> None:
        while True:
            await served.request()
            await served.answer(answer)

    return behave


def once(answer: bytes) -> Behaviour:
    """Answer one request of a connection and close it."""

    async def behave(served: Served) -> None:
        await served.request()
        await served.answer(answer)

    return behave


async def post(client: Client, server: Server, timeout: float = 5, body: bytes = b"{}") -> Response:
    return await client.request("POST", server.target(), {"x": "y"}, body, timeout)


async def failure(client: Client, server: Server, timeout: float = 5) -> SendFailed:
    """Return how a request fails."""
    try:
        response = await post(client, server, timeout)
    except SendFailed as failed:
        return failed
    raise AssertionError(f"answered: {response}")


def run(loop: str, scenario: Callable[[], Coroutine[None, None, None]]) -> None:
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(scenario())
