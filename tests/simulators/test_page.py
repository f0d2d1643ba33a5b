"""The live page shows what matters, and fits on a terminal of 40 lines."""

from io import StringIO

from rich.console import Console

from simulators.devices import PARTNERS, fleet
from simulators.installation import Ready
from simulators.page import Day, line, page
from simulators.targets import NAMES, Control, Target

ROUTES = [{"route": f"route-{n}", "lag": n, "delivered": 5, "dead_lettered": 0, "breaker": "open"} for n in range(8)]
RECENT = [
    {"id": f"e-{n}", "type": "pos.sale", "source": "tills", "outcome": "routed", "route": None} for n in range(20)
]


def day() -> Day:
    devices = fleet("http://gateway.invalid", dict.fromkeys(PARTNERS.values(), "key"), rate=10, seed=1)
    devices[0].tally.count("e-1", "accepted")
    targets = {name: Target(name) for name in NAMES}
    targets["oms"].control = Control("status", status=503)
    overview = {"routes": ROUTES, "waiting": 9, "dead_letters": 2, "recent": RECENT}
    return Day(Ready("http://g", "http://c", "token", "data"), devices, targets, overview)


def test_the_page_shows_lag_breakers_and_who_misbehaves() -> None:
    console = Console(width=110, record=True, file=StringIO())
    console.print(page(day()))
    shown = console.export_text()
    assert "lag 9   dead letters 2" in shown
    assert "status 503" in shown
    assert "route-7" in shown and "open" in shown
    assert len(shown.splitlines()) <= 40


def test_the_line_says_the_same_in_short() -> None:
    assert "accepted=1 duplicate=0 refused=0 erp=0 wms=0 oms=0 lag=9 dead_letters=2" in line(day())
