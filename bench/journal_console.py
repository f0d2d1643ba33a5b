"""How long the first page of the console takes with a long journal, in a browser, until its figures are there.

`python -m bench.journal console [ENTRIES] [URL]`: a whole installation on SQLite, or on the empty database of the URL.
"""

import asyncio
import math
import random
import re
import statistics
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from bench.journal_pages import fill
from bench.scale_journal import Journal
from crossdock.adapters.sql import SqlJournal
from simulators.operatorsday import at_work
from simulators.shopfloor import opened

MOST_MS = 1000.0
_TIMES = 9
_LETTERS = ".tile[href='/problems'] .tile-figure"
# Each page says when it is filled, in milliseconds since the navigation began; why a script of the browser: see
# `simulators.browser`.
_MARKS_FILLED = f"""(function look() {{
  const figures = [...document.querySelectorAll(".tile-figure")];
  const letters = document.querySelector("{_LETTERS}");
  if (figures.every((one) => /[0-9–]/.test(one.textContent)) && /[0-9]/.test(letters?.textContent))
    document.documentElement.dataset.filled = performance.now();
  else setTimeout(look, 5);
}})()"""


def measure(entries: int, url: str = "") -> dict[str, Any]:
    """Return the milliseconds from asking for the page to the figures in it: of the first look, and of those after."""
    with tempfile.TemporaryDirectory(prefix="crossdock-bench-") as name:
        folder = Path(name)
        letters = _prepared(folder / "data", entries, url)
        first, *later = asyncio.run(_looks(folder, url, letters))
    return {
        "entries": entries,
        "letters": letters,
        "first_ms": first,
        "median_ms": round(statistics.median(later), 1),
        "worst_ms": max(later),
    }


def faults(figures: dict[str, Any]) -> list[str]:
    """Return what took longer than it may."""
    most = figures["median_ms"]
    return [f"median_ms: {most}, at most {MOST_MS}"] if most > MOST_MS else []


def _prepared(data: Path, entries: int, url: str) -> int:
    data.mkdir()
    store = SqlJournal(url or f"sqlite:///{data / 'journal.db'}")
    try:
        store.prepare()
        letters, _ = fill(Journal(store, data / "journal.db", random.Random(1)), entries)
    finally:
        store.close()
    return letters


async def _looks(folder: Path, url: str, letters: int) -> list[float]:
    async with opened(folder, 0, url) as floor, at_work(floor) as one:
        await one.page.add_init_script(_MARKS_FILLED)
        await one.sign_in("viewer")
        return [await _look(one.page, floor.ready.console, letters) for _ in range(_TIMES)]


async def _look(page: Page, console: str, letters: int) -> float:
    await page.goto(console)
    filled = await page.wait_for_selector("html[data-filled]", state="attached")
    took = await filled.get_attribute("data-filled") if filled else None
    if int(re.sub(r"\D", "", await page.locator(_LETTERS).inner_text())) < letters:
        raise LookupError("the page does not count what the journal holds")
    return round(float(took or math.inf), 1)
