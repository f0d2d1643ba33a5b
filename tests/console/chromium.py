"""The console in a real browser: one Chromium and one loop that serves desks, for the tests of a module."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect, sync_playwright

from console.pages.attach import add_pages, running
from simulators import browser
from tests.console.deskmade import TOKEN, Office, office
from tests.realservers import missing

WIDE, PHONE = (1360, 900), (390, 844)
EVIL = ("serious", "critical")
_EXPECTED = "the server responded with a status of 4"  # the browser logs each refusal of the API
_SETTLED = """Promise.all(document.getAnimations()
  .filter((one) => one.effect.getComputedTiming().iterations !== Infinity)
  .map((one) => one.finished.catch(() => {})))"""
T = TypeVar("T")


@dataclass
class Seen:
    """A desk and a page of its console, signed in; `errors` is what the page complained about."""

    desk: Office
    page: Page
    errors: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        """Open a page of the console and wait until it is live."""
        self.page.goto(self.desk.url + path)
        self.page.wait_for_selector(browser.LIVE, state="attached")
        return self.page

    def faults(self) -> list[str]:
        """Return the serious faults that axe-core finds, and what is wider than the window."""
        self.page.evaluate(_SETTLED)  # what comes up is half transparent, and has less contrast
        found = Axe().run(self.page).response["violations"]
        width = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        told = [
            f"{one['id']}: {[node['html'][:200] for node in one['nodes'][:3]]}"
            for one in found
            if one["impact"] in EVIL
        ]
        return told + ([f"{width} pixels too wide"] if width > 0 else [])

    def faults_everywhere(self) -> dict[str, list[str]]:
        """Return the faults in light colours on a desktop and in dark ones on a phone."""
        found = {}
        for (width, height), look in ((WIDE, "light"), (PHONE, "dark")):
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.evaluate(
                "look => { document.documentElement.dataset.look = look; Quasar.Dark.set(look === 'dark') }", look
            )
            found[look] = self.faults()
        return {name: told for name, told in found.items() if told}


class Consoles:
    """Opens desks in one browser."""

    def __init__(self, driven: Browser, loop: asyncio.AbstractEventLoop) -> None:
        self._browser, self._loop = driven, loop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something where the desks are served."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    @contextmanager
    def open(
        self,
        folder: Path,
        size: tuple[int, int] = WIDE,
        *,
        token: str = TOKEN,
        changes: Mapping[str, str | None] | None = None,
    ) -> Iterator[Seen]:
        """Serve a desk and open a page, signed in by a token unless that is empty; fail if the page complains."""
        serving = office(folder, changes, add_pages)
        desk = self.run(serving.__aenter__())
        context = self._browser.new_context(viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce")
        context.add_init_script(browser.MARKS_LIVE)
        seen = Seen(desk, context.new_page())
        seen.page.on("pageerror", lambda error: seen.errors.append(str(error)))
        seen.page.on("console", lambda said: seen.errors.append(said.text) if said.type == "error" else None)
        if token:
            assert context.request.post(f"{desk.url}/ops/v1/session", data={"token": token}, max_retries=2).ok
        try:
            yield seen
            assert [one for one in seen.errors if _EXPECTED not in one] == []
        finally:
            context.close()
            self.run(serving.__aexit__(None, None, None))


@contextmanager
def consoles() -> Iterator[Consoles]:
    """Start the browser, and the loop that serves; one of each for a module, as starting them takes a second."""
    if browser.binary() is None:
        missing("no browser is installed")
    with sync_playwright() as playwright, _loop() as loop:
        driven = playwright.chromium.launch(**browser.launched())
        expect.set_options(timeout=20_000)  # for other tests that run beside
        try:
            yield Consoles(driven, loop)
        finally:
            driven.close()


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    serving = running()
    asyncio.run_coroutine_threadsafe(serving.__aenter__(), loop).result(30)
    try:
        yield loop
    finally:
        asyncio.run_coroutine_threadsafe(serving.__aexit__(None, None, None), loop).result(30)
        asyncio.run_coroutine_threadsafe(_cancelled(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _cancelled() -> None:
    """Cancel what still waits on the loop, as `asyncio.run` does: the pings of pages that were closed."""
    waiting = asyncio.all_tasks() - {asyncio.current_task()}
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
