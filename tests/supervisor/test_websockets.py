"""WebSockets through the bounded connections of the operations port."""

import asyncio
from typing import Any

import aiohttp
import pytest

from crossdock.supervisor.http import make_server
from crossdock.supervisor.slots import Direct
from tests.realservers import until


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Be an application that answers what it is sent over a WebSocket, and to anything else that it is no page."""
    if scope["type"] != "websocket":
        await send({"type": "http.response.start", "status": 426, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


class ShortWay:
    """Be a short way that nobody takes."""

    path, body_limit = b"/x", 1

    def admit(self, _: Any) -> None:
        return None


async def talk(connections: int, sockets: int, direct: Direct | None = None) -> list[str]:
    server = make_server(echo, "127.0.0.1", 0, {}, direct, connections=connections)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        async with aiohttp.ClientSession() as session:
            opened = [await session.ws_connect(f"http://127.0.0.1:{port}/") for _ in range(sockets)]
            for number, socket in enumerate(opened):
                await socket.send_str(f"{number}")
            told = [await socket.receive_str(timeout=5) for socket in opened]
            for socket in opened:
                await socket.close()
            return told
    finally:
        server.handle_exit(15, None)
        await serving


def test_a_websocket_is_served_and_takes_no_place_of_those_who_bring_requests() -> None:
    assert asyncio.run(talk(connections=1, sockets=3)) == ["0", "1", "2"]


def test_where_the_short_way_is_no_websocket_is_made() -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError, match="426"):
        asyncio.run(talk(8, 1, ShortWay()))
