"""What an entry and a search cost in a journal of some length; called by `bench.scale`."""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.sales import PARTNER, SOURCE
from crossdock.adapters.projector import MOST_ENTRIES
from crossdock.adapters.sql import SqlJournal
from journal import entry
from journal.entry import Entry
from journal.keys import write
from journal.search import Search

LAST = 100_000  # entries before the end over which the cost of one is taken
SEARCHES = 200
_AN_EVENT = 5  # entries: accepted, routed, matched and two deliveries
_KNOWN_EVERY = 50
_REFUSED_EVERY = 100
_AN_HOUR = 3_600_000
_PAGE = 100

Tell = Callable[[str], None]


@dataclass(slots=True)
class Journal:
    """A journal that grows; `known` holds the id and the business key of some of its events."""

    store: SqlJournal
    path: Path
    dice: random.Random
    rows: int = 0
    events: int = 0
    position: int = 0
    known: list[tuple[str, str]] = field(default_factory=list)

    def grow(self, rows: int) -> float:
        """Add entries until there are so many; return the CPU seconds that took."""
        spent = 0.0
        while self.rows < rows:
            count = min(MOST_ENTRIES, rows - self.rows) // _AN_EVENT or 1
            entries = [line for _ in range(count) for line in self._event()]
            self.position += 1
            began = time.process_time()
            self.store.project(entries, self.position)
            spent += time.process_time() - began
            self.rows += len(entries)
        return spent

    def _event(self) -> list[Entry]:
        self.events = number = self.events + 1
        id_, key = f"{self.dice.getrandbits(128):032x}", f"{self.dice.randrange(400):04}/R-{number:012}"
        if number % _KNOWN_EVERY == 1:
            self.known.append((id_, key))
        about: dict[str, Any] = {
            "partner": PARTNER,
            "source": SOURCE,
            "id": id_,
            "raw": number,
            "revision": "0123456789ab",
        }
        at = 1_800_000_000_000 + number
        keys = write([("store", key[:4]), ("device", f"T-{number % 3000}"), ("receipt", key[5:])])
        routed = Entry(at + 5, entry.PROCESS, entry.ROUTED, type="inventory.sold", seq=number, key=key, **about)
        delivered = routed._replace(stage=entry.DELIVER, outcome=entry.DELIVERED, attempts=1, ms=12, detail="200")
        refused = delivered._replace(outcome=entry.DEAD_LETTERED, reason="refused", dead_letter=f"dl-{number}")
        bad = number % _REFUSED_EVERY == 0
        return [
            Entry(at, entry.GATEWAY, entry.ACCEPTED, type="pos.sale", **about),
            routed._replace(keys=keys),
            Entry(at + 7, entry.DELIVER, entry.MATCHED, seq=number, routes="sales-to-erp,orders-to-oms", **about),
            delivered._replace(route="sales-to-erp"),
            (refused if bad else delivered)._replace(route="orders-to-oms", detail=f"HTTP {400 + number % 7}"),
        ]


def measure(lengths: Sequence[int], tell: Tell) -> list[dict[str, Any]]:
    """Let one journal grow to each length in turn; return the figures at each."""
    with tempfile.TemporaryDirectory(prefix="crossdock-bench-") as folder:
        path = Path(folder) / "journal.db"
        store = SqlJournal(f"sqlite:///{path}")
        store.prepare()
        journal = Journal(store, path, random.Random(1))
        try:
            return [_at(journal, rows, tell) for rows in lengths]
        finally:
            store.close()


def _at(journal: Journal, rows: int, tell: Tell) -> dict[str, Any]:
    before, last = journal.rows, min(LAST, rows - journal.rows)
    whole = journal.grow(rows - last)
    end = journal.grow(rows)
    tell(f"  {journal.rows:,} entries")
    return {
        "rows": journal.rows,
        "us_per_entry": round(end / last * 1e6, 2),
        "us_per_entry_mean": round((whole + end) / (journal.rows - before) * 1e6, 2),
        "file_mib": round(sum(path.stat().st_size for path in journal.path.parent.iterdir()) / 2**20, 1),
        **_searches(journal),
    }


def _searches(journal: Journal) -> dict[str, float]:
    """Return the median milliseconds of what the console, the command line and partners ask.

    Raises:
        LookupError: an event was not found whole.
    """
    find = journal.store.find
    some = journal.dice.choices(journal.known, k=SEARCHES)
    if any(len(find(text)) != _AN_EVENT for known in some[:5] for text in known):
        raise LookupError("the journal does not find what was put into it")
    return {
        "by_id_ms": _median_ms([lambda id_=id_: find(id_) for id_, _ in some]),  # type: ignore[misc]
        "by_id_of_partner_ms": _median_ms(
            [lambda id_=id_: journal.store.journey(PARTNER, id_) for id_, _ in some]  # type: ignore[misc]
        ),
        "by_key_ms": _median_ms([lambda key=key: find(key) for _, key in some]),  # type: ignore[misc]
        **_pages(journal),
        "page_ms": _median_ms([lambda: journal.store.accepted(PARTNER, (0, -1), 1 << 53, 100)] * 20),
        "unknown_ms": _median_ms([lambda: find("nobody")] * SEARCHES),
        "recent_ms": _median_ms([lambda: journal.store.recent(_PAGE)] * 20),
        "letters_ms": _median_ms([lambda: journal.store.letters(state="open")] * 20),
        "counts_ms": _median_ms([journal.store.counts] * 20),
    }


def _pages(journal: Journal) -> dict[str, float]:
    """Return the milliseconds of pages of what operators look for, the worst of each kind."""
    now = 1_800_000_000_000 + journal.events
    kinds = {
        "of_store": Search(key="0042"),
        "of_store_and_outcome": Search(key="0042", outcome=entry.DEAD_LETTERED),
        "of_device": Search(key="T-7", kind="device"),
        "of_partner": Search(partner=PARTNER),
        "of_nobody": Search(partner="nobody"),
        "of_route": Search(route="orders-to-oms"),
        "of_outcome": Search(outcome=entry.DELIVERED),
        "of_route_and_outcome": Search(route="orders-to-oms", outcome=entry.DEAD_LETTERED),
        "of_rare_outcome": Search(outcome=entry.DISCARDED),
        "of_reason": Search(reason="http 403"),
        "of_no_reason": Search(reason="nothing says this"),
        "of_time": Search(since=now - _AN_HOUR, until=now - _AN_HOUR // 2),
    }
    return {f"{name}_ms": _median_ms([lambda one=one: journal.store.search(one)] * 9) for name, one in kinds.items()}  # type: ignore[misc]


def _median_ms(acts: Sequence[Callable[[], Any]]) -> float:
    times = []
    for act in acts:
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return round(statistics.median(times) * 1000, 3)
