"""Connectors of kind http as their files say, and what they send."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from connectors.http import HttpConnector
from connectors.reading import load
from connectors.request import Request, compose
from connectors.sender import make_client
from connectors.spec import ConnectorSpec
from crossdock.kernel.event import Event
from tests.connectors.servers import Behaviour, Server, serving

NOW = 1_700_000_000.0
EVENT = Event(
    "e1", "/tills/7", "order.placed", {"id": "a/b c", "n": 2**60, "price": 1.5}, extensions={"partner": "shop"}
)


def read(root: Path, text: str, env: Mapping[str, str] | None = None) -> ConnectorSpec:
    """Return the connector of a file that has these keys besides the required ones."""
    (root / "connectors").mkdir(exist_ok=True)
    url = "" if text.lstrip().startswith("url:") else "url: http://127.0.0.1:1/api\nnetworks: [127.0.0.0/8]\n"
    (root / "connectors" / "erp.yaml").write_text(f"connector: erp\nkind: http\n{url}{text}\n")
    return load(root, env or {})["erp"]


def composed(root: Path, text: str, event: Event = EVENT) -> Request:
    return compose(read(root, text), [(event, "key-1")], lambda: NOW)


def at(spec: ConnectorSpec, server: Server) -> ConnectorSpec:
    """Return the connector with the server's port wherever it has an address."""
    options = spec.options
    moved: dict[str, Any] = {"target": replace(options.target, port=server.port)}
    for name in ("check", "poll", "oauth2", "csrf"):
        if (piece := getattr(options, name)) is not None:
            moved[name] = replace(piece, target=replace(piece.target, port=server.port))
    return replace(spec, options=replace(options, **moved))


def against(
    behaviour: Behaviour, spec: ConnectorSpec, act: Callable[[HttpConnector], Awaitable[Any]] | None = None
) -> Any:
    """Return what comes of a delivery, or of what `act` does, while a server behaves like this."""

    async def scenario() -> Any:
        async with serving(behaviour) as server:
            there = at(spec, server)
            connector = HttpConnector(there, make_client(there), lambda: NOW)
            try:
                return await (act(connector) if act else connector.deliver(EVENT, "key-1"))
            finally:
                await connector.close()
                await server.until_ended(server.connections)

    return asyncio.run(scenario())


def answer(status: int, body: bytes = b"", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status} X\r\n{headers}content-length: {len(body)}\r\n\r\n".encode() + body
