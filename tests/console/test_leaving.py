"""A browser that leaves before it is answered: that is no fault, and the log has no stack of it."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from starlette.types import Message, Receive, Scope, Send

from console.pages import leaving
from console.pages.attach import add_pages, running
from tests.console.deskmade import TOKEN, Office, office

SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=polling"
PAGE: Scope = {"type": "http", "path": "/"}


async def cookie(here: Office) -> str:
    """Sign in, and return what the browser sends from then on."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        answer = await session.post(f"{here.url}/ops/v1/session", json={"token": TOKEN})
        return "; ".join(f"{one.key}={one.value}" for one in answer.cookies.values())


def test_a_browser_that_leaves_before_it_said_anything_leaves_no_stack(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async def scenario() -> None:
        async with running(), office(tmp_path, dress=add_pages) as here:
            where = urlsplit(here.url)
            head = f"host: {where.netloc}\r\norigin: {here.url}\r\ncookie: {await cookie(here)}"
            _, writer = await asyncio.open_connection(where.hostname, where.port)
            writer.write(f"POST {SOCKET} HTTP/1.1\r\n{head}\r\ncontent-length: 100\r\n\r\n".encode())
            await writer.drain()
            await asyncio.sleep(0.1)  # until it is being read
            writer.transport.abort()
            await asyncio.sleep(0.2)

    asyncio.run(scenario())
    assert "Traceback" not in capfd.readouterr().err


def test_what_breaks_off_as_nobody_waits_is_one_line_and_every_other_fault_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def app(_: Scope, receive: Receive, __: Send) -> None:
        await receive()
        raise RuntimeError("No response returned.")

    async def send(_: Message) -> None:
        """Send nothing."""

    def serve(kind: str) -> None:
        async def receive() -> Message:
            return {"type": kind}

        asyncio.run(leaving.serve(app, PAGE, receive, send))

    with caplog.at_level("INFO"):
        serve("http.disconnect")
    (line,) = caplog.records
    assert (line.levelname, line.exc_info, line.getMessage()) == ("INFO", None, "/: the browser left (RuntimeError)")
    with pytest.raises(RuntimeError, match="No response"):
        serve("http.request")
