"""A real browser without a window, driven over its DevTools protocol; used by `simulators.picture` and by tests."""

import asyncio
import base64
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",  # a container has no user namespaces for it; the only pages it opens are ours
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
WITHIN = 30.0
PATIENCE = 120.0  # for one answer; `until` answers when its condition holds
_ADDRESS = re.compile(r"DevTools listening on (ws://\S+)")


class BrowserError(Exception):
    """The browser or the page did not do what was asked; the text says what it said."""


def binary() -> str | None:
    """Return the path of a browser, or None when there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Page:
    """One open page."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.errors: list[str] = []
        self._socket = socket
        self._number = 0
        self._session = ""
        self._loaded = False

    async def start(self, width: int, height: int, dark: bool) -> None:
        """Make the page and listen to what it complains about."""
        target = await self.call("Target.createTarget", url="about:blank")
        session = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = session["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            await self.call(f"{domain}.enable")
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])
        metrics: dict[str, Any] = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        await self.call("Emulation.setDeviceMetricsOverride", **metrics)

    async def open(self, url: str) -> None:
        """Go to an address and return when the page has loaded."""
        self._loaded = False
        await self.call("Page.navigate", url=url)
        while not self._loaded:
            self._hear(await self._receive())

    async def evaluate(self, script: str) -> Any:
        """Return the value of an expression in the page.

        Raises:
            BrowserError: when it throws.
        """
        answer = await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise BrowserError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    async def until(self, script: str, within: float = WITHIN) -> None:
        """Wait until an expression is true in the page.

        Raises:
            BrowserError: when it is not in time; the text holds what the page shows.
        """
        watch = f"""new Promise((done) => {{
            const end = Date.now() + {within * 1000};
            (function look() {{
                if ({script}) done(true); else if (Date.now() > end) done(false); else setTimeout(look, 50);
            }})();
        }})"""
        if not await self.evaluate(watch):
            raise BrowserError(f"never true: {script}\n{await self.evaluate('document.body.innerText')}\n{self.errors}")

    async def picture(self) -> bytes:
        """Return what is seen as PNG."""
        answer = await self.call("Page.captureScreenshot", format="png")
        return base64.b64decode(answer["data"])

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call the protocol; messages that are no answer are read for errors of the page.

        Raises:
            BrowserError: when the browser refuses or ends.
        """
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        await self._socket.send_json(message | ({"sessionId": self._session} if self._session else {}))
        while True:
            answer = await self._receive()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']}")
                return dict(answer["result"])
            self._hear(answer)

    async def _receive(self) -> dict[str, Any]:
        received = await self._socket.receive(PATIENCE)
        if received.type is not aiohttp.WSMsgType.TEXT:
            raise BrowserError("the browser ended")
        return dict(received.json())

    def _hear(self, message: dict[str, Any]) -> None:
        if message.get("method") == "Page.loadEventFired":
            self._loaded = True
        elif message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(str(message["params"]["exceptionDetails"]))
        elif message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
            self.errors.append(message["params"]["entry"]["text"])


@asynccontextmanager
async def browser(width: int = 1400, height: int = 1000, dark: bool = False) -> AsyncIterator[Page]:
    """Start a browser with a profile of its own and yield an empty page.

    Raises:
        BrowserError: when there is none, or it does not start.
    """
    program = binary()
    if program is None:
        raise BrowserError(f"none of {', '.join(NAMES)} is installed")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            program, *FLAGS, f"--user-data-dir={profile}", "about:blank", env={**os.environ, "TMPDIR": profile},
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            address = await asyncio.wait_for(_address(process), WITHIN)
            async with aiohttp.ClientSession() as session, session.ws_connect(address, max_msg_size=0) as socket:
                page = Page(socket)
                await page.start(width, height, dark)
                yield page
        finally:
            await _end(process)


async def _address(process: asyncio.subprocess.Process) -> str:
    said = ""
    while process.stderr and (line := await process.stderr.readline()):
        said += line.decode(errors="replace")
        if found := _ADDRESS.search(said):
            return found[1]
    raise BrowserError(f"the browser did not start\n{said}")


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), 5)
        return
    process.kill()
    await process.wait()
