"""`/`: the flow from partners to connectors, its figures, and what happened last."""

import time
from datetime import UTC, datetime
from typing import Any

from console.pages.parts.basics import Tile, duration, number, section, tag
from console.pages.parts.chart import MINUTE, Chart
from console.pages.parts.events import STEPS, step_rows
from console.pages.parts.flowmap import FlowMap, keys
from console.pages.parts.processcharts import PERCENTILES, line_of
from console.pages.parts.rates import Rates
from console.pages.parts.sheet import Sheet
from console.pages.visit import Visit
from console.processfigures import EARLY

HOUR = 3_600_000  # milliseconds
OLD = 60.0  # seconds that an event waits at most on a good day
DRAWN = 30.0  # seconds between two looks at the charts, whose points are minutes


class _Overview:
    """The parts of one opened page."""

    def __init__(self, visit: Visit) -> None:
        self._visit, self._rates = visit, Rates()
        with tag("div", classes="tiles"):
            self._accepted = Tile("accepted", "/events")
            self._delivered = Tile("delivered", "/events?outcome=delivered")
            self._lag = Tile("waiting", "/routes")
            self._oldest = Tile("oldest that waits", "/routes")
            self._letters = Tile("open dead letters", "/problems")
            self._repeats = Tile("repeats", "/events?outcome=duplicate")
            self._gap = Tile("ledger gap", "/ledger")
        with section("Flow"):
            self._flow = FlowMap()
        with tag("div", classes="halves"):
            self._speed = Chart("Events a second, last hour", "/s", visit.dark)
            self._takes = Chart("From accepted to delivered, last hour", "ms", visit.dark, log=True)
        with section("Last steps"):
            self._steps = Sheet("Last steps", STEPS, "Nothing has happened yet. Send the first event.")

    async def refresh(self) -> None:
        seen = await self._visit.api.get("overview")
        rates = self._rates.of(keys(seen))
        self._flow.fill(seen, rates)
        self._tiles(seen, rates)
        self._steps.fill(step_rows(seen["recent"]))

    async def draw(self) -> None:
        """Draw the last hour, minute by minute."""
        until = int(time.time() * 1000)
        since = until - HOUR
        asked = {"from": datetime.fromtimestamp(since / 1000, UTC).isoformat(timespec="seconds"), "step": "minute"}
        found = [await self._visit.api.get("processes/series", hop=hop, **asked) for hop in ("accepted", "total")]
        accepted, total = [{point["at"]: point for point in one["points"]} for one in found]
        places = range(since // MINUTE * MINUTE, until - EARLY, MINUTE)
        lines = {"accepted": accepted, "delivered": total}
        self._speed.fill({n: line_of(one, places, "per_second", 0) for n, one in lines.items()}, since, until)
        self._takes.fill({name: line_of(total, places, name) for name in PERCENTILES}, since, until)

    def _tiles(self, seen: dict[str, Any], rates: dict[str, float]) -> None:
        def total(name: str, of: str) -> int:
            return sum(one.get(name, 0) for one in seen[of])

        accepted = sum(rate for key, rate in rates.items() if key.startswith("source "))
        delivered = sum(rate for key, rate in rates.items() if key.startswith("route "))
        self._accepted.set(speed(accepted, rates), f"{number(total('accepted', 'sources'))} in all")
        self._delivered.set(speed(delivered, rates), f"{number(total('delivered', 'routes'))} in all")
        self._lag.set(number(seen["waiting"]), "events not at their end")
        oldest = seen["oldest"]
        waits = duration(oldest * 1000) if oldest else "–"
        self._oldest.set(waits, "since it was stored" if oldest else "nothing waits", "warn" if oldest > OLD else "")
        gap = seen["ledger_gap"]
        told = "the sums are being made" if gap is None else "every event adds up" if not gap else "events unexplained"
        self._gap.set("–" if gap is None else number(gap), told, "bad" if gap else "good" if gap == 0 else "")
        self._letters.set(number(seen["dead_letters"]), "", "bad" if seen["dead_letters"] else "good")
        self._repeats.set(number(total("duplicate", "sources")), "recognised and dropped")


def speed(rate: float, known: dict[str, float]) -> str:
    """Return a speed; nobody knows one at the first look."""
    return f"{number(float(rate))}/s" if known else "–"


async def overview(visit: Visit) -> None:
    """Build the page."""
    page = _Overview(visit)
    await visit.live(page.refresh)
    await visit.live(page.draw, DRAWN, aside=True)
