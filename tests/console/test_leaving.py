"""A browser that leaves before it is answered: that is no fault, and the log has no stack of it."""

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from urllib.parse import urlsplit

import aiohttp
import pytest
from nicegui import ui
from nicegui.client import Client
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.access import Role
from console.pages import leaving
from console.pages.api import Api
from console.pages.attach import add_pages, running
from console.pages.parts.basics import tag
from console.pages.visit import Visit
from tests.console.deskmade import TOKEN, Office, office

SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=polling"
PAGE: Scope = {"type": "http", "path": "/"}


async def cookie(here: Office) -> str:
    """Sign in, and return what the browser sends from then on."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        answer = await session.post(f"{here.url}/ops/v1/session", json={"token": TOKEN})
        return "; ".join(f"{one.key}={one.value}" for one in answer.cookies.values())


def test_a_browser_that_leaves_before_it_said_anything_leaves_no_stack(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        # given
        reading, left, told = asyncio.Event(), asyncio.Event(), list[str]()

        class Reads(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                told.append(record.getMessage())
                left.set()

        async def serve(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
            async def heard() -> Message:
                reading.set()
                return await receive()

            await kept(app, scope, heard, send)

        kept, reads = leaving.serve, Reads()
        monkeypatch.setattr(leaving, "serve", serve)
        monkeypatch.setattr(leaving.log, "handlers", [reads])
        monkeypatch.setattr(leaving.log, "level", logging.INFO)
        async with running(), office(tmp_path, dress=add_pages) as here:
            where = urlsplit(here.url)
            head = f"host: {where.netloc}\r\norigin: {here.url}\r\ncookie: {await cookie(here)}"
            _, writer = await asyncio.open_connection(where.hostname, where.port)
            writer.write(f"POST {SOCKET} HTTP/1.1\r\n{head}\r\ncontent-length: 100\r\n\r\n".encode())
            async with asyncio.timeout(10):
                await reading.wait()
                # when
                writer.transport.abort()
                await left.wait()
        # then
        assert told == ["/_nicegui_ws/socket.io/: the browser left (KeyError)"]

    asyncio.run(scenario())
    assert "Traceback" not in capfd.readouterr().err


def serve(kind: str, error: Exception) -> None:
    """Serve an application that breaks after it heard this."""

    async def app(_: Scope, receive: Receive, __: Send) -> None:
        await receive()
        raise error

    async def receive() -> Message:
        return {"type": kind}

    async def send(_: Message) -> None:
        """Send nothing."""

    asyncio.run(leaving.serve(app, PAGE, receive, send))


@pytest.mark.parametrize(
    "error", [RuntimeError("No response returned."), ClientDisconnect(), KeyError("REQUEST_METHOD")], ids=repr
)
def test_what_breaks_off_as_nobody_waits_is_one_line(caplog: pytest.LogCaptureFixture, error: Exception) -> None:
    with caplog.at_level("INFO"):
        serve("http.disconnect", error)
    (line,) = caplog.records
    said = f"/: the browser left ({type(error).__name__})"
    assert (line.levelname, line.exc_info, line.getMessage()) == ("INFO", None, said)
    with pytest.raises(type(error)):
        serve("http.request", error)


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyError("customer"), ValueError("No response returned.")])
def test_a_fault_is_told_also_when_its_browser_left(caplog: pytest.LogCaptureFixture, error: Exception) -> None:
    with caplog.at_level("INFO"), pytest.raises(type(error)) as raised:
        serve("http.disconnect", error)
    assert (raised.value, caplog.records) == (error, [])


def test_a_page_that_is_left_while_it_is_refreshed_is_silent_and_another_fault_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario() -> None:
        # given
        looks, doing = list[Callable[[], Awaitable[None]]](), list[Callable[[], None]]()
        monkeypatch.setattr(ui, "timer", lambda _, look, **__: looks.append(look))
        monkeypatch.setattr(ui, "on", lambda *_: None)
        client = Client(ui.page("/left"))
        with client:
            visit = Visit(Mock(), "ann", Role.VIEWER, {}, {}, "/", False, tag("div"), Mock())

        async def refresh() -> None:
            for do in doing:
                do()

        def break_down() -> None:
            raise RuntimeError("a fault")

        await visit.live(refresh)
        doing[:] = [break_down]
        with pytest.raises(RuntimeError, match="a fault"):
            await looks[0]()
        # when
        client.delete()
        del client
        gc.collect()
        doing.clear()
        with pytest.raises(RuntimeError, match="has been deleted"):
            visit.trouble.clear()
        # then
        await looks[0]()

    asyncio.run(scenario())


def test_a_search_that_leads_elsewhere_asks_once_and_leaves_no_page_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        # given
        asked, get = list[str](), Api.get

        async def counted(self: Api, path: str, **query: Any) -> Any:
            asked.append(path)
            return await get(self, path, **query)

        monkeypatch.setattr(Api, "get", counted)
        async with running(), office(tmp_path, dress=add_pages) as here, aiohttp.ClientSession() as session:
            clients, headers = {*Client.instances}, {"cookie": await cookie(here)}
            # when
            address = f"{here.url}/events?key=0042/7"
            answer = await session.get(address, headers=headers, allow_redirects=False)
            # then
            assert (answer.status, answer.headers["location"]) == (303, "/events/0042%2F7")
            assert (asked, {*Client.instances}) == (["events"], clients)

    asyncio.run(scenario())
