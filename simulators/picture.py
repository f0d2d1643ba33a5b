"""Takes the picture of the console in the README: `make picture`, or `python -m simulators.picture [FILE]`."""

import argparse
import asyncio
import os
import re
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from playwright.async_api import Page, async_playwright

from simulators.browser import launched
from simulators.installation import ROOT

DAY = (sys.executable, "-m", "simulators.day", "--seed", "7", "--gateway-port", "0", "--console-port", "0")
ENOUGH = 500  # events that must have been delivered
FILLED_WITHIN = 90.0
SETTLED = 8000  # milliseconds
END_WITHIN = 60.0
_PLACE = re.compile(r"console (\S+)\s+token (\S+)")


async def take(file: Path, width: int, height: int, dark: bool) -> None:
    """Start a day, let it fill the page, write the picture and stop everything."""
    with tempfile.TemporaryDirectory() as data:
        day = await asyncio.create_subprocess_exec(
            *DAY, "--data", data, cwd=ROOT, stdout=asyncio.subprocess.PIPE, start_new_session=True
        )
        try:
            console, token = await asyncio.wait_for(_place(day), END_WITHIN)
            async with async_playwright() as playwright:
                driven = await playwright.chromium.launch(**launched())
                page = await driven.new_page(viewport={"width": width, "height": height})
                await page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
                await page.goto(f"{console}/#token={token}")
                await _filled(page)
                await page.screenshot(path=file)
        finally:
            await _end(day)


async def _place(day: asyncio.subprocess.Process) -> tuple[str, str]:
    while day.stdout and (line := await day.stdout.readline()):
        if found := _PLACE.search(line.decode()):
            return found[1], found[2]
    raise RuntimeError("the day did not start")


async def _filled(page: Page) -> None:
    figure = "document.querySelectorAll('.tile-note')[1]?.textContent.replace(/\\D/g, '')"
    await page.wait_for_function(f"Number({figure}) > {ENOUGH}", timeout=FILLED_WITHIN * 1000)
    await page.wait_for_timeout(SETTLED)  # until rates have a few seconds behind them


async def _end(day: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        day.send_signal(signal.SIGTERM)
    with suppress(TimeoutError):
        await asyncio.wait_for(day.communicate(), END_WITHIN)
        return
    os.killpg(day.pid, signal.SIGKILL)
    await day.wait()


def main(words: Sequence[str] | None = None) -> int:
    """Parse the command line and take the picture."""
    parser = argparse.ArgumentParser(prog="python -m simulators.picture", description=main.__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=ROOT / "docs" / "console.png")
    parser.add_argument("--size", default="1400x1480", help="width and height in pixels")
    parser.add_argument("--dark", action="store_true")
    given = parser.parse_args(words)
    width, height = map(int, given.size.split("x"))
    asyncio.run(take(given.file, width, height, given.dark))
    return 0


if __name__ == "__main__":
    sys.exit(main())
