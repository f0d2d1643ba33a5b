"""Serves a simulated system over real HTTP; used by the tests of `connectors/packs`."""

import base64
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

HOST = "127.0.0.1"


class Call(NamedTuple):
    """One request; header names in lower case, the path with its escapes resolved."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON, None if it is none."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None

    def form(self) -> dict[str, str]:
        """Return the fields of a form."""
        return dict(parse_qsl(self.body.decode()))

    def basic(self) -> str:
        """Return `user:password` of HTTP Basic, empty without it."""
        scheme, _, text = self.headers.get("authorization", "").partition(" ")
        return base64.b64decode(text).decode() if scheme == "Basic" else ""


class Answer(NamedTuple):
    """One answer; the body is text as it is, and anything else as JSON."""

    status: int
    body: Any = ""
    headers: Mapping[str, str] = {}


class System(Protocol):
    """The rules of one system."""

    def answer(self, call: Call) -> Answer:
        """Answer a request as the system does."""


class Simulator:
    """A system behind a port; `instead` are answers that it gives before its own, one a request, without an effect."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.calls: list[Call] = []
        self.instead: deque[Answer] = deque()
        self.url = ""

    async def serve(self, request: web.Request) -> web.Response:
        """Answer one request."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(request.method, request.path, dict(request.query), headers, await request.read())
        self.calls.append(call)
        status, body, more = self.instead.popleft() if self.instead else self.system.answer(call)
        if isinstance(body, str):
            return web.Response(status=status, text=body, headers=more)
        return web.Response(status=status, body=orjson.dumps(body), content_type="application/json", headers=more)


@asynccontextmanager
async def running(system: System, port: int = 0) -> AsyncIterator[Simulator]:
    """Serve a system on a port of this machine, 0 for a free one."""
    simulator = Simulator(system)
    app = web.Application(client_max_size=16 << 20)
    app.router.add_route("*", "/{path:.*}", simulator.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
        simulator.url = f"http://{HOST}:{runner.addresses[0][1]}"
        yield simulator
    finally:
        await runner.cleanup()
