"""The gateway on a real socket, and requests written by hand."""

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from crossdock.kernel.stream import Record, Stored
from crossdock.supervisor.http import make_server
from crossdock.supervisor.room import CONNECTIONS
from gateway import assembly
from gateway.bodies import BUDGET, Budget
from tests.asgi import Answer
from tests.gateway.door import BATCH, STRUCTURED, Door, document, door
from tests.pipeline.scene import FlakyLog


class HeldLog(FlakyLog):
    """A log whose acknowledgements wait until the test opens it."""

    def __init__(self) -> None:
        super().__init__()
        self.open = asyncio.Event()
        self.open.set()
        self.asked = asyncio.Event()

    async def append(self, record: Record) -> Stored:
        if record.subject.startswith("raw."):
            self.asked.set()
            await self.open.wait()
        return await super().append(record)

    async def append_all(self, records: Sequence[Record]) -> list[Stored]:
        return [await self.append(record) for record in records]


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    def send(self, *pieces: bytes) -> None:
        self.writer.write(b"".join(pieces))

    async def answer(self) -> Answer:
        """Read one answer; an interim 100 counts as one without a body."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return Answer(
            int(first.split()[1]), headers, await self._reader.readexactly(int(headers.get("content-length", 0)))
        )

    async def ids(self, count: int) -> list[str]:
        """Return what the next answers say: the id of an accepted event, else the status."""
        answers = [await self.answer() for _ in range(count)]
        return [answer.json()["id"] if answer.status == 202 else str(answer.status) for answer in answers]

    async def count(self, what: bytes, most: int) -> int:
        """Count something in all that comes, until it has come so often or the connection ends."""
        found, rest = 0, b""
        while found < most and (piece := await self._reader.read(1 << 16)):
            rest += piece
            found += rest.count(what)
            rest = rest[-len(what) + 1 :]
        return found

    async def closed(self) -> bool:
        """Wait for the end of the connection; nothing may come before it."""
        try:
            return await self._reader.read() == b""
        except ConnectionResetError:
            return True


@dataclass
class Street:
    """The door, its log and its server."""

    door: Door
    log: HeldLog
    server: uvicorn.Server
    port: int
    budget: Budget

    async def client(self) -> Client:
        return Client(*await asyncio.open_connection("127.0.0.1", self.port))

    async def narrow_client(self) -> Client:
        """Connect over sockets that hold little, so that little has to be sent to fill them."""
        ours = socket.socket()
        for end in (self.server.servers[0].sockets[0], ours):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # of the listener the accepted one inherits it
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        ours.setblocking(False)
        await asyncio.get_running_loop().sock_connect(ours, ("127.0.0.1", self.port))
        return Client(*await asyncio.open_connection(sock=ours))

    def post(
        self, id_: str, *lines: str, body: bytes | None = None, length: bool = True, version: str = "1.1"
    ) -> bytes:
        """Return one request for the hot path."""
        content = json.dumps(document(id_)).encode() if body is None else body
        head = [
            f"POST /v1/events HTTP/{version}", "Host: here", f"Content-Type: {STRUCTURED}",
            f"Authorization: Bearer {self.door.key}", *([f"Content-Length: {len(content)}"] if length else []), *lines,
        ]  # fmt: skip
        return "\r\n".join(head).encode() + b"\r\n\r\n" + content

    def batch(self, *ids: str) -> bytes:
        """Return one request that takes the long way and is stored."""
        body = json.dumps([document(id_) for id_ in ids]).encode()
        return self.post("", body=body).replace(STRUCTURED.encode(), BATCH.encode(), 1)

    def stored(self) -> list[str]:
        return [json.loads(record.payload)["id"] for record in self.door.stored()]


GET = b"GET /livez HTTP/1.1\r\nHost: here\r\n\r\n"


@asynccontextmanager
async def street(
    root: Path, connections: int = CONNECTIONS, budget: int = BUDGET, changes: Mapping[str, str] | None = None
) -> AsyncIterator[Street]:
    """Open the door to a real port; within, the log may be held."""
    log, held = HeldLog(), Budget(budget)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assembly, "Budget", lambda: held)  # one for the server and the application, as in the role
        made = await door(root, log, changes)
    server = make_server(made.app, "127.0.0.1", 0, {}, made.ingest, budget=held, connections=connections)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn tells it no other way
        await asyncio.sleep(0.01)
    try:
        yield Street(made, log, server, server.servers[0].sockets[0].getsockname()[1], held)
    finally:
        log.open.set()
        server.handle_exit(signal.SIGTERM, None)
        await serving


def on_the_street(root: Path, scenario: Callable[[Street], Coroutine[Any, Any, None]], **given: Any) -> None:
    """Run a scenario within ten seconds."""

    async def within() -> None:
        async with asyncio.timeout(10), street(root, **given) as made:
            await scenario(made)

    asyncio.run(within())


async def status_of(client: Client, request: bytes) -> int:
    """Send a request and return the status of its answer."""
    client.send(request)
    return (await client.answer()).status
