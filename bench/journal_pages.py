"""What operators wait for with a long journal: search by a key, the groups of dead letters, the data of the first page.

`python -m bench.journal pages [ENTRIES] [URL]`: on SQLite, or in the empty database of the URL; 100,000 dead letters of
500 causes are among the entries.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.scale_journal import Journal
from crossdock.adapters.projector import MOST_ENTRIES
from crossdock.adapters.sql import SqlJournal
from journal import entry
from journal.entry import Entry

LETTERS, CAUSES = 100_000, 500
MOST_MS = {"by_key_ms": 100.0, "groups_ms": 300.0, "first_page_ms": 1000.0}
_TIMES = 9
_HOUR = 3_600_000
_SPAN = 48 * _HOUR


def measure(entries: int, url: str = "") -> dict[str, Any]:
    """Return the worst milliseconds of some, and what the last entries cost the projection in CPU."""
    with tempfile.TemporaryDirectory(prefix="crossdock-bench-") as folder:
        store = SqlJournal(url or f"sqlite:///{folder}/journal.db")
        store.prepare()
        journal = Journal(store, Path(folder) / "journal.db", random.Random(1))
        try:
            letters, spent = fill(journal, entries)
            return {"entries": journal.rows + letters, "letters": letters, **_waits(journal), "us_per_letter": spent}
        finally:
            store.close()


def fill(journal: Journal, entries: int) -> tuple[int, float]:
    """Put so many entries into an empty journal; return how many are dead letters, and the CPU microseconds of each."""
    letters = min(LETTERS, entries // 10)
    journal.grow(entries - letters)
    return letters, _add_letters(journal, letters)


def faults(figures: dict[str, Any]) -> list[str]:
    """Return what took longer than it may."""
    return [f"{name}: {figures[name]}, at most {most}" for name, most in MOST_MS.items() if figures[name] > most]


def _add_letters(journal: Journal, letters: int) -> float:
    now, began = int(time.time() * 1000), time.process_time()
    for first in range(0, letters, MOST_ENTRIES // 5):
        journal.position += 1
        count = min(MOST_ENTRIES // 5, letters - first)
        journal.store.project([_letter(number, now) for number in range(first, first + count)], journal.position)
    return round((time.process_time() - began) / max(letters, 1) * 1e6, 1)


def _letter(number: int, now: int) -> Entry:
    cause = number * 7919 % CAUSES
    return Entry(
        now - number * 104_729 % _SPAN, entry.DELIVER, entry.DEAD_LETTERED, f"partner-{cause % 20}", "tills",
        f"bad-{number}", raw=10_000_000 + number, seq=10_000_000 + number, route=f"route-{cause % 50}",
        reason="refused", detail=f"HTTP {400 + cause // 50}", ref=number + 1, dead_letter=f"dl-bad-{number}",
    )  # fmt: skip


def _waits(journal: Journal) -> dict[str, float]:
    store, since = journal.store, int(time.time() * 1000) - _HOUR
    known = journal.dice.choices(journal.known, k=_TIMES)
    groups = store.causes(since)
    if len({count.cause for count in groups}) < CAUSES and sum(count.number for count in groups) >= LETTERS:
        raise LookupError("the journal does not count what was put into it")
    return {
        "by_key_ms": _worst([lambda key=key: store.find(key) for _, key in known]),  # type: ignore[misc]
        "groups_ms": _worst([lambda: store.causes(since)] * _TIMES),
        "first_page_ms": _worst([lambda: (store.counts(), store.recent(20))] * _TIMES),
        "counts_ms": _worst([store.counts] * _TIMES),
        "letters_ms": _worst([lambda: store.letters(state="open")] * _TIMES),
    }


def _worst(acts: Sequence[Callable[[], Any]]) -> float:
    times = []
    for act in acts:
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return round(max(times[1:], default=statistics.fmean(times)) * 1000, 1)
