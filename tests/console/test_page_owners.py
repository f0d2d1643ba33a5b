"""The sockets of pages: whoever learns the id of another person's page hears nothing of it and does nothing on it."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession, ClientTimeout, DummyCookieJar
from nicegui.client import Client

from console.access import ROLES
from console.pages.attach import add_pages, running
from tests.console.accessmade import AT, DIGEST, PASSWORD
from tests.console.deskmade import office

SOCKET = "/_nicegui_ws/socket.io/"


@dataclass
class Browser:
    """One that is signed in, as far as it takes to speak for a page."""

    http: ClientSession
    url: str
    cookie: str

    @property
    def headers(self) -> dict[str, str]:
        return {"cookie": self.cookie, "origin": self.url}

    async def opens(self, path: str) -> str:
        """Open a page; return its id."""
        async with self.http.get(self.url + path, headers=self.headers) as answer:
            found = re.search(r"'client_id': '([0-9a-f-]{36})'", await answer.text())
        assert found is not None
        return found[1]

    async def connects(self, **query: str) -> "Socket":
        """Open a socket; return it with the first thing that is said of it."""
        asked = urlencode({"EIO": "4", "transport": "websocket", **query})
        socket = Socket(await self.http.ws_connect(f"{self.url}{SOCKET}?{asked}", headers=self.headers))
        await socket.hears("0")
        await socket.ws.send_str("40")
        socket.greeted = await socket.hears("4")
        return socket

    async def polls(self, method: str, sid: str = "") -> tuple[int, str]:
        """Get what a socket has to say, or tell it that one is there."""
        query = {"EIO": "4", "transport": "polling", **({"sid": sid} if sid else {})}
        address, said = f"{self.url}{SOCKET}?{urlencode(query)}", "40" if method == "POST" else None
        async with self.http.request(method, address, headers=self.headers, data=said) as answer:
            return answer.status, await answer.text()


@dataclass
class Socket:
    """Packets of Socket.IO as text."""

    ws: Any
    greeted: str = ""

    async def hears(self, kind: str) -> str:
        """Wait for a packet of a kind; return it."""
        while not (text := str((await self.ws.receive(10)).data)).startswith(kind):
            if text == "2":
                await self.ws.send_str("3")
        return text

    async def shakes_hands(self, page: str) -> bool:
        await self.says("421", "handshake", {"client_id": page, "tab_id": "t", "document_id": "d"})
        (taken,) = json.loads((await self.hears("431")).removeprefix("431"))
        return bool(taken)

    async def says(self, kind: str, event: str, message: Any) -> None:
        await self.ws.send_str(kind + json.dumps([event, message]))


@asynccontextmanager
async def two(folder: Path) -> AsyncIterator[tuple[Browser, Browser]]:
    """Serve the console; open the browsers of an admin and of a viewer."""
    async with (
        running(),
        office(folder, dress=add_pages) as desk,
        ClientSession(timeout=ClientTimeout(30), cookie_jar=DummyCookieJar()) as http,
    ):
        assert desk.access is not None
        browsers = []
        for name in ("admin", "viewer"):
            await desk.access.users.add(name, ROLES[name], DIGEST, AT)
            async with http.post(f"{desk.url}/ops/v1/session", json={"user": name, "password": PASSWORD}) as answer:
                browsers.append(Browser(http, desk.url, answer.headers["set-cookie"].partition(";")[0]))
        yield browsers[0], browsers[1]


def test_a_page_shakes_hands_with_the_session_that_opened_it_and_with_no_other(tmp_path: Path) -> None:
    async def scene() -> None:
        async with two(tmp_path) as (admin, viewer):
            # given
            page = await admin.opens("/account")
            # when
            other, own = await viewer.connects(), await admin.connects()
            # then
            assert not await other.shakes_hands(page)
            assert await own.shakes_hands(page)

    asyncio.run(scene())


def test_a_socket_that_names_the_page_of_another_session_at_once_is_not_opened(tmp_path: Path) -> None:
    async def scene() -> None:
        async with two(tmp_path) as (admin, viewer):
            # given
            page = await admin.opens("/account")
            query = {"client_id": page, "implicit_handshake": "true", "tab_id": "t", "document_id": "d"}
            # when
            other, own = await viewer.connects(**query), await admin.connects(**query)
            # then
            assert (other.greeted[:2], json.loads(other.greeted[2:])) == (
                "44",
                {"message": "Implicit handshake failed"},
            )
            assert own.greeted.startswith("40")

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("event", "heard"), [("event", "handle_event"), ("javascript_response", "handle_javascript_response"),
                         ("log", "handle_log_message")],
)  # fmt: skip
def test_what_a_socket_says_of_a_page_counts_from_its_own_session_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, event: str, heard: str
) -> None:
    async def scene() -> None:
        async with two(tmp_path) as (admin, viewer):
            # given
            page, said = await admin.opens("/account"), list[str]()
            monkeypatch.setattr(Client, heard, lambda _, message: said.append(message["from"]))
            other, own = await viewer.connects(), await admin.connects()
            assert await own.shakes_hands(page)
            # when
            for socket, name in ((other, "viewer"), (own, "admin")):
                await socket.says("422", event, {"client_id": page, "from": name})
                await socket.hears("432")
            # then
            assert said == ["admin"]

    asyncio.run(scene())


def test_a_socket_that_one_session_polls_is_not_polled_by_another(tmp_path: Path) -> None:
    async def scene() -> None:
        async with two(tmp_path) as (admin, viewer):
            # given
            _, greeting = await admin.polls("GET")
            sid = json.loads(greeting[1:])["sid"]
            # when
            refused, words = await viewer.polls("GET", sid)
            # then
            assert (refused, json.loads(words)) == (403, {"detail": "this socket is of another session"})
            assert (await viewer.polls("POST", sid))[0] == 403
            assert (await admin.polls("POST", sid))[0] == 200

    asyncio.run(scene())
