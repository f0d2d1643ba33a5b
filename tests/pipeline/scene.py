"""The small project on memory ports: a process step, and a lane with a connector that obeys the test."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.partner import partner_itself
from connectors.breaker import Breaker
from connectors.port import Result
from crossdock.adapters.memory import MemoryBacklogs, MemoryInbox, MemoryLog, MemorySeen
from crossdock.kernel.event import Event, encode_structured
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.retry import Retry
from crossdock.kernel.stream import RAW_SEQ, SOURCE, Message, Record, Stored
from crossdock.kernel.tracing import NONE
from crossdock.pipeline.attempts import Attempts
from crossdock.pipeline.gate import Gate
from crossdock.pipeline.lane import Lane
from crossdock.pipeline.ports import Claim, Owner
from crossdock.pipeline.process import Processor
from crossdock.pipeline.recorder import Recorder
from crossdock.project import Project
from dlq.record import DeadLetter, parse
from gateway.intake import Intake
from journal.entry import SUBJECT, Entry, unpack
from tests.realservers import until
from tests.smallproject import project

DELIVERED = Result("delivered", 200, "HTTP 200")
RETRY = Result("retry", 503, "HTTP 503")
PERMANENT = Result("permanent", 400, "HTTP 400: no")
QUICK = Retry(age=60.0, first=0.001, most=0.002)


class FlakyLog(MemoryLog):
    """A memory log that is away, or breaks, for as many appends as the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.away = self.broken = 0

    async def append(self, record: Record) -> Stored:
        if self.broken > 0:
            self.broken -= 1
            raise RuntimeError("broken")
        if self.away > 0:
            self.away -= 1
            raise Unavailable("away")
        return await super().append(record)


class FlakySeen(MemorySeen):
    """A memory dedupe store that is away for as many calls as the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.away = 0

    async def claim(self, claims: Sequence[Claim]) -> list[Owner]:
        if self.away > 0:
            self.away -= 1
            raise Unavailable("away")
        return await super().claim(claims)


class Streams:
    """What one memory log holds, sorted as the four streams of the broker would."""

    def __init__(self) -> None:
        self.log = FlakyLog()

    def subjects(self) -> list[str]:
        return [record.subject for record, _ in self.log.records]

    def under(self, prefix: str) -> list[Record]:
        return [record for record, _ in self.log.records if record.subject.startswith(prefix)]

    def entries(self) -> list[Entry]:
        return [line for record in self.under(SUBJECT) for line in unpack(record.payload)]

    def outcomes(self) -> list[tuple[str, str]]:
        return [(line.id, line.outcome) for line in self.entries()]

    def letters(self) -> list[DeadLetter]:
        return [parse(record.payload) for record in self.under("dlq.")]


class ProcessScene(Streams):
    """The process step; RAW is a log of its own, as sequences count by stream."""

    def __init__(self, root: Path, changes: Mapping[str, str | None] | None = None) -> None:
        super().__init__()
        self.project: Project = project(root, changes)
        self.raw = MemoryLog()
        self.inbox = MemoryInbox(self.raw)
        self.seen = FlakySeen()
        self.metrics = Metrics()
        self.extended = 0
        self.processor = Processor(self.project, self.seen, self.log, Recorder(self.log), self.metrics)

    async def store(self, event: Event, partner: str = "stores") -> Message:
        """Store an event as the gateway does."""
        caller, headers = partner_itself(self.project, partner), {"content-type": "application/cloudevents+json"}
        stored = Intake(self.project).accept(caller, headers, encode_structured(event))
        return self.raw.message((await self.raw.append(stored.record)).seq)

    async def run(self, messages: Iterable[Message]) -> None:
        await (await self.processor.run(list(messages), self._extend))

    async def _extend(self) -> None:
        self.extended += 1


Behaviour = Callable[[Event, int], Result | Exception]


class Target:
    """A connector that answers as the test says, and remembers everything."""

    def __init__(self, behaviour: Behaviour = lambda event, attempt: DELIVERED) -> None:
        self.behaviour = behaviour
        self.attempts: list[str] = []
        self.arrived: list[str] = []
        self.keys: dict[str, set[str]] = {}
        self.under_way = self.most_under_way = 0
        self.open = asyncio.Event()
        self.open.set()
        self.changed = asyncio.Condition()

    async def deliver(self, event: Event, key: str, trace: Mapping[str, str] = NONE) -> Result:
        self.attempts.append(event.id)
        self.keys.setdefault(event.id, set()).add(key)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            async with self.changed:
                self.changed.notify_all()
            await self.open.wait()
            await asyncio.sleep(0)
        finally:
            self.under_way -= 1
        answer = self.behaviour(event, self.attempts.count(event.id))
        if isinstance(answer, Exception):
            raise answer
        if answer.outcome == "delivered":
            self.arrived.append(event.id)
        return answer

    async def probe(self) -> Result:
        return Result("delivered", 200, "")

    async def close(self) -> None:
        return None


class LaneScene(Streams):
    """A lane of the route `stock` with a consumer of its own; ordered by location unless the test says otherwise."""

    def __init__(self, root: Path, target: Target, ordered: bool = True, **route: Any) -> None:
        super().__init__()
        loaded = project(root)
        given = {"retry": QUICK, "when": None, **route}
        self.route = replace(loaded.routes["stock"], **given) if ordered else replace(
            loaded.routes["stock"], **{**given, "order_by": None}
        )  # fmt: skip
        self.target = target
        self.events = MemoryLog()
        self.inbox = MemoryInbox(self.events, ("event.inventory.sold", "replay.stock"))
        self.clock = [1000.0]
        self.breaker = Breaker(0.5, 30, clock=lambda: self.clock[0])
        self.metrics = Metrics()
        self.lane = self.new_lane()

    def new_lane(self) -> Lane:
        """Return another worker's lane of the same route."""
        recorder, gate = Recorder(self.log), Gate(self.breaker, 0, 1000)
        attempts = Attempts(self.route, self.target, gate, self.log, recorder, self.metrics, "rev")
        return Lane(self.route, attempts, MemoryBacklogs(self.events), self.inbox)

    async def add(self, id_: str, location: str = "A", **data: Any) -> int:
        """Put a canonical event on EVENTS."""
        body = {"location": location, "lines": [1, 2], **data}
        event = Event(id_, "/till", "inventory.sold", body, extensions={"partner": "stores", "businesskey": id_})
        return await self.add_raw(encode_structured(event), id_)

    async def add_raw(self, payload: bytes, key: str) -> int:
        headers = {SOURCE: "tills", RAW_SEQ: str(len(self.events.records) + 1)}
        return (await self.events.append(Record("event.inventory.sold", payload, key, headers))).seq

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; fail after five seconds."""
        await until(holds, within=5)

    async def settled(self, number: int) -> None:
        """Wait until so many deliveries have a last word that is acknowledged."""
        final = ("delivered", "dead_lettered", "skipped")
        await self.until(
            lambda: sum(line.outcome in final for line in self.entries()) >= number
            and not self.inbox.unacknowledged()
        )  # fmt: skip

    async def during(self, act: Callable[[], Any]) -> None:
        """Run the lane while the test acts, then stop it."""
        running = asyncio.create_task(self.lane.run())
        try:
            await act()
        finally:
            await self.lane.stop(2)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
