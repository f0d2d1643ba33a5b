"""Alerts in a world of their own: a clock that is set, figures that are given, channels that are away when told so."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from alerts import spec
from alerts.engine import Engine
from alerts.notice import Notice
from alerts.ports import Figures, Records, Sender
from alerts.spec import Alerts, Channel, Condition
from crossdock.adapters.memoryrecords import MemoryRecords
from crossdock.kernel.problems import Unavailable

START = 1_790_000_000.0
BASE = "https://ops.example"
LAG = """\
alerts:
  - alert: erp-lag
    when: {lag: {route: [stock, orders], above: 100}}
    for: 60s
    severity: page
    to: [one, two]
    repeat: 1h
    do: Call the ERP team
channels:
  - {channel: one, kind: log}
  - {channel: two, kind: log}
"""
HIGH: dict[str, float | None] = {"route stock": 250.0, "route orders": 3.0}
LOW: dict[str, float | None] = {"route stock": 5.0, "route orders": 3.0}


@dataclass
class World:
    """What is outside of the engine."""

    records: Records = field(default_factory=MemoryRecords)
    now: float = START
    figures_: dict[str, float | None] = field(default_factory=dict)
    unknown: str = ""
    away: set[str] = field(default_factory=set)
    got: list[tuple[str, Notice]] = field(default_factory=list)
    alerts: Alerts = field(default_factory=Alerts)

    async def figures(self, when: Condition) -> Figures:
        if self.unknown:
            raise Unavailable(self.unknown)
        return dict(self.figures_)

    async def send(self, channel: Channel, notice: Notice) -> str:
        if channel.name in self.away:
            raise Unavailable("HTTP 503")
        self.got.append((channel.name, notice))
        return "HTTP 200"

    async def close(self) -> None:
        """Be channels without connections."""

    def engine(self, sender: Sender | None = None) -> Engine:
        """Return an operations process."""
        return Engine(lambda: self.alerts, self, self.records, sender or self, BASE, lambda: self.now, lambda: self.now)

    async def look(self, engine: Engine, **after: float) -> None:
        """Let time pass, and let the process look and send."""
        self.now += after.get("seconds", 0.0)
        await engine.look()
        await engine.settled()

    def heard(self, channel: str) -> list[tuple[str, list[str]]]:
        """Return what a channel got: states, and subjects."""
        return [(told.state, [one.subject for one in told.points]) for name, told in self.got if name == channel]


def world(root: Path, text: str = LAG) -> World:
    """Return a world with the alerts of one file."""
    made = World()
    made.alerts = read(root, text)
    return made


def read(root: Path, text: str) -> Alerts:
    """Return the alerts of one file."""
    (root / "alerts").mkdir(exist_ok=True)
    (root / "alerts" / "a.yaml").write_text(text)
    return spec.load(root, {})


def scene(tmp_path: Path, act: Callable[[World], Awaitable[None]], text: str = LAG) -> None:
    """Let something happen in a world."""

    async def scenario() -> None:
        await act(world(tmp_path, text))

    asyncio.run(scenario())


async def fire(here: World) -> None:
    """Let the alert fire and be told."""
    engine = here.engine()
    here.figures_ = dict(HIGH)
    await here.look(engine)
    await here.look(engine, seconds=60)
    await engine._stop()
