"""Several routes on one shared feed, on memory ports: what a worker does, with connectors that obey the test."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.breaker import Breaker
from crossdock.adapters.memory import MemoryBacklogs, MemoryInbox, MemoryLog
from crossdock.kernel.event import Event, encode_structured
from crossdock.kernel.expression import Expression
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.stream import RAW_SEQ, SOURCE, Record
from crossdock.pipeline import attempts, feed, lane, recorder
from crossdock.pipeline.attempts import Attempts
from crossdock.pipeline.feed import Feed
from crossdock.pipeline.gate import Gate
from crossdock.pipeline.lane import Lane
from crossdock.pipeline.recorder import Recorder
from journal.entry import MATCHED, Entry
from tests.pipeline.scene import QUICK, Streams, Target
from tests.realservers import until
from tests.smallproject import project

FINAL = ("delivered", "dead_lettered", "skipped")


def hasten(monkeypatch: pytest.MonkeyPatch, stale: float) -> None:
    """Let what takes seconds in operation take milliseconds; `stale` is when a delivery has taken too long."""
    monkeypatch.setattr(recorder, "RETRY", 0.001)
    monkeypatch.setattr(feed, "TEND_EVERY", 0.005)
    monkeypatch.setattr(attempts, "STALE", stale)
    monkeypatch.setattr(attempts, "FULL_FOR", 0.05)
    monkeypatch.setattr(lane, "PULL_WAIT", 0.02)


class FeedScene(Streams):
    """Routes by name, each with its target; ordered by location where the test says so."""

    def __init__(
        self, root: Path, targets: Mapping[str, Target], when: Mapping[str, str] | None = None, ordered: bool = False
    ) -> None:
        super().__init__()
        base = project(root).routes["stock"]
        conditions = {name: Expression(text) for name, text in (when or {}).items()}
        order = Expression("location") if ordered else None
        self.routes = {
            name: replace(base, name=name, when=conditions.get(name), order_by=order, retry=QUICK) for name in targets
        }
        self.targets = dict(targets)
        self.events = MemoryLog()
        subjects = ("event.inventory.sold", *(f"replay.{name}" for name in targets))
        self.inbox = MemoryInbox(self.events, subjects)
        self.backlogs = MemoryBacklogs(self.events)
        self.breakers = {name: Breaker(0.5, 30, clock=lambda: 0.0) for name in targets}
        self.lanes: dict[str, Lane] = {}
        self.running: list[asyncio.Task[None]] = []

    def matched(self) -> list[Entry]:
        return [line for line in self.entries() if line.outcome == MATCHED]

    def final(self, route: str) -> list[str]:
        """Return the ids that have a last word for a route, one for each word."""
        return [line.id for line in self.entries() if line.route == route and line.outcome in FINAL]

    async def add(self, id_: str, location: str = "A", subject: str = "event.inventory.sold", **headers: str) -> int:
        event = Event(id_, "/till", "inventory.sold", {"location": location}, extensions={"partner": "stores"})
        number = str(len(self.events.records) + 1)
        given = {SOURCE: "tills", RAW_SEQ: number, **headers}
        return (await self.events.append(Record(subject, encode_structured(event), f"{subject}{id_}", given))).seq

    async def until(self, holds: Callable[[], bool]) -> None:
        await until(holds, within=10)

    async def settled(self, *ids: str) -> None:
        """Wait until every route has a last word on each, and nothing is left in anybody's hands."""
        await self.until(
            lambda: (
                all(set(ids) <= set(self.final(route)) for route in self.routes)
                and not self.inbox.unacknowledged()
                and not any(inbox.unacknowledged() for inbox in self.backlogs.inboxes.values())
            )
        )

    async def during(self, act: Callable[[], Awaitable[None]], grace: float = 2, hands_over: bool = True) -> None:
        """Run a worker's feed and lanes while the test acts, then stop them."""
        recorder, metrics = Recorder(self.log), Metrics()
        self.lanes = {
            name: Lane(
                route,
                Attempts(
                    route, self.targets[name], Gate(self.breakers[name], 0, 1000), self.log, recorder, metrics, "rev"
                ),
                self.backlogs,
                await self.backlogs.find(route),
            )
            for name, route in self.routes.items()
        }
        feed = Feed(self.inbox, self.inbox.handed_out, list(self.lanes.values()), recorder, "feed-0-of-1", "rev")
        parts: list[Feed | Lane] = [feed, *self.lanes.values()]
        running = self.running = [asyncio.create_task(part.run()) for part in parts]
        try:
            await act()
        finally:
            feed.stop()
            await asyncio.gather(*(lane.stop(grace) for lane in self.lanes.values()))
            if hands_over:
                await feed.close()
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
