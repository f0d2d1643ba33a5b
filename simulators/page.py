"""The live page of the retail day on a terminal, and the same as plain lines; called by `simulators.day`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table

from simulators.devices import SHARES, Device
from simulators.installation import Ready
from simulators.targets import Target

SHOWN_EVENTS = 8


@dataclass(slots=True)
class Day:
    """What is known at this moment: the devices, the targets and the last overview of the operations API."""

    ready: Ready
    devices: Sequence[Device]
    targets: Mapping[str, Target]
    overview: dict[str, Any] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)
    phase: str = ""

    def sent(self) -> dict[str, int]:
        """Return the number of events sent so far, by kind of device."""
        return {kind: sum(d.tally.sent for d in self.devices if d.kind == kind) for kind in SHARES}

    def total(self, answer: str) -> int:
        """Return how often the gateway gave an answer: `accepted`, `duplicate`, `refused`."""
        return sum(int(getattr(device.tally, answer)) for device in self.devices)

    def lag(self) -> int:
        """Return how many events wait for the process step or a delivery."""
        return int(self.overview.get("waiting") or 0)

    def dead_letters(self) -> int:
        """Return how many dead letters there are."""
        return int(self.overview.get("dead_letters") or 0)


def page(day: Day) -> RenderableType:
    """Return the whole page."""
    where = f"gateway {day.ready.gateway}   console {day.ready.console}   {day.phase}"
    counts = f"lag {day.lag()}   dead letters {day.dead_letters()}   Ctrl-C ends the day and prints the ledger"
    head = Panel(f"{where}\n{counts}", title="Crossdock: a retail day")
    return Group(head, _senders(day), _targets(day), _routes(day), _recent(day))


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, expand=True)
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left", no_wrap=True)
    return table


def _senders(day: Day) -> Table:
    table = _table("Senders", "kind", "a second", "sent", "accepted", "duplicate", "refused", "tried again")
    for kind, sent in day.sent().items():
        tallies = [device.tally for device in day.devices if device.kind == kind]
        names = ("accepted", "duplicate", "refused", "tried_again")
        sums = [sum(getattr(tally, name) for tally in tallies) for name in names]
        table.add_row(kind, f"{day.rates.get(kind, 0):.1f}", str(sent), *map(str, sums))
    return table


def _targets(day: Day) -> Table:
    table = _table("Targets", "name", "a second", "requests", "effects", "repeats", "refused", "behaves")
    for name, target in day.targets.items():
        control = target.control
        behaves = "ok" if control.mode == "ok" else f"[red]{control.mode} {control.status}[/red]"
        counts = (target.requests, len(target.effects), target.repeats, target.refused)
        table.add_row(name, f"{day.rates.get(name, 0):.1f}", *map(str, counts), behaves)
    return table


def _routes(day: Day) -> Table:
    table = _table("Routes", "route", "lag", "delivered", "dead-lettered", "breaker")
    for route in day.overview.get("routes", []):
        table.add_row(*(str(route.get(n, "")) for n in ("route", "lag", "delivered", "dead_lettered", "breaker")))
    return table


def _recent(day: Day) -> Table:
    table = _table("Last events", "id", "type", "source", "outcome", "route")
    for entry in day.overview.get("recent", [])[:SHOWN_EVENTS]:
        table.add_row(*(str(entry.get(name) or "") for name in ("id", "type", "source", "outcome", "route")))
    return table


def line(day: Day) -> str:
    """Return the page in one line, for logs."""
    effects = " ".join(f"{name}={len(target.effects)}" for name, target in day.targets.items())
    answers = " ".join(f"{name}={day.total(name)}" for name in ("accepted", "duplicate", "refused"))
    return f"{day.phase:<24} {answers} {effects} lag={day.lag()} dead_letters={day.dead_letters()}"
