"""A lane whose clock the test puts forward, and windows around the present moment."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from crossdock.adapters.memory import MemoryBacklogs
from crossdock.kernel.event import Event, encode_structured
from crossdock.kernel.stream import DEAD_LETTER, ORIGIN, RAW_SEQ, SOURCE, Record
from crossdock.pipeline.attempts import Attempts
from crossdock.pipeline.gate import Gate
from crossdock.pipeline.hold import Hold
from crossdock.pipeline.lane import Lane
from crossdock.pipeline.recorder import Recorder
from routes.window import Hours, Window
from tests.pipeline.scene import LaneScene, Target

HOUR = 3600.0


def closed_now(before: float = HOUR, after: float = HOUR, drain: int = 0) -> Window:
    """Return a window that closed so many seconds ago and opens in so many."""
    now = datetime.now(UTC)
    start = int(now.hour * 3600 + now.minute * 60 + now.second - before) % 86400
    return Window((Hours(frozenset(range(7)), start, start + int(before + after)),), ZoneInfo("UTC"), drain)


class HeldScene(LaneScene):
    """A lane whose clock the test puts forward: `ahead` is in seconds."""

    def __init__(self, root: Path, target: Target, ordered: bool = True, **route: Any) -> None:
        self.ahead = 0.0
        super().__init__(root, target, ordered, **route)

    def time(self) -> float:
        return time.time() + self.ahead

    def new_lane(self) -> Lane:
        recorder, gate = Recorder(self.log), Gate(self.breaker, 0, 1000)
        attempts = Attempts(self.route, self.target, gate, self.log, recorder, self.metrics, "rev")
        attempts.hold = Hold(self.route.window, self.time)
        return Lane(self.route, attempts, MemoryBacklogs(self.events), self.inbox)

    async def add_old(self, id_: str, age: float) -> None:
        """Put an event on EVENTS that happened so many seconds ago."""
        at = datetime.fromtimestamp(time.time() - age, UTC).isoformat()
        event = Event(id_, "/till", "inventory.sold", {"location": "A"}, at, extensions={"partner": "stores"})
        await self.add_raw(encode_structured(event), id_)

    async def replay(self, id_: str, origin: int, age: float = 0.0) -> None:
        """Put the replay of an event on EVENTS."""
        at = datetime.fromtimestamp(time.time() - age, UTC).isoformat()
        event = Event(id_, "/till", "inventory.sold", {"location": "A"}, at, extensions={"partner": "stores"})
        headers = {SOURCE: "tills", RAW_SEQ: "1", ORIGIN: str(origin), DEAD_LETTER: "dl-1"}
        await self.events.append(Record("replay.stock", encode_structured(event), f"r{id_}", headers))

    async def arrived(self, ids: Iterable[str]) -> None:
        await self.until(lambda: self.target.arrived == list(ids))
