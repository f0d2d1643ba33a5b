"""The regression guard: CPU an event of ingest, process and deliver in memory, without network; `make bench-guard`.

Machines differ, so a figure is a ratio to a fixed loop of similar work that runs between the rounds. A figure is the
best of all rounds, as noise only ever adds. Exits 1 when a figure is more than `ALLOWED` above that in `guard.json`.
"""

import asyncio
import gc
import hashlib
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from bench.partner import partner_itself
from bench.sales import PARTNER, make_load
from connectors.breaker import Breaker
from connectors.client import Client
from connectors.connection import Response
from connectors.http import HttpConnector
from connectors.httpspec import HttpOptions
from connectors.spec import ConnectorSpec
from connectors.target import Target
from crossdock.adapters.memory import MemoryBacklogs, MemoryInbox, MemoryKeys, MemoryLog, MemorySeen, MemoryUses
from crossdock.adapters.memorygateway import MemoryBuckets
from crossdock.kernel.event import STRUCTURED
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.stream import Message, Record
from crossdock.pipeline.attempts import Attempts
from crossdock.pipeline.commit import GroupCommit
from crossdock.pipeline.feed import Feed
from crossdock.pipeline.gate import Gate
from crossdock.pipeline.lane import Lane
from crossdock.pipeline.process import Processor
from crossdock.pipeline.recorder import Recorder
from crossdock.project import Project, load
from gateway.answers import Answer
from gateway.caller import Caller
from gateway.callers import Callers
from gateway.ingest import Ingest, Parts
from gateway.intake import Intake
from gateway.lastuse import LastUse
from gateway.limits import Limits
from gateway.storing import Storing
from gateway.traffic import Traffic

ALLOWED = 0.15
ROUNDS = 7
TRIES = 3  # before a figure counts as dearer: the machine may have been busy all through the first
EVENTS = 2000
BATCH = 500
KEPT = Path(__file__).parent / "guard.json"

Measure = Callable[[], Awaitable[None]]


def make_measures(project: Project, bodies: Sequence[bytes]) -> dict[str, Measure]:
    """Return what is measured by name; each takes every event once."""
    messages = asyncio.run(_accepted(project, bodies))
    stored = asyncio.run(_routed(project, messages))
    return {
        "ingest": lambda: _ingest(project, bodies),
        "process": lambda: _process(project, messages),
        "deliver": lambda: _deliver(project, stored),
    }


async def _ingest(project: Project, bodies: Sequence[bytes], log: MemoryLog | None = None) -> None:
    raw, recorder = GroupCommit(log or MemoryLog()), Recorder(MemoryLog())
    metrics = Metrics()
    limits, uses = Limits(MemoryBuckets(), metrics), LastUse(MemoryUses())
    callers, storing = Callers(project, MemoryKeys(), {}, uses, metrics), Storing(raw, recorder, metrics, "-")
    ingest = Ingest(Parts(callers, Intake(project), storing, Traffic(project, limits)), max(map(len, bodies)))
    caller = partner_itself(project, PARTNER)
    for start in range(0, len(bodies), BATCH):
        await _take(ingest, caller, bodies[start : start + BATCH])
    await recorder.close()


async def _take(ingest: Ingest, caller: Caller, bodies: Sequence[bytes]) -> None:
    answers: list[Answer] = []
    answered = asyncio.Event()

    def reply(answer: Answer) -> None:
        answers.append(answer)
        if len(answers) == len(bodies):
            answered.set()

    for body in bodies:
        ingest.enter(caller, {"content-type": STRUCTURED}, body, reply)
    await answered.wait()


async def _accepted(project: Project, bodies: Sequence[bytes]) -> list[Message]:
    log = MemoryLog()
    await _ingest(project, bodies, log)
    return [log.message(seq) for seq in range(1, len(bodies) + 1)]


async def _routed(project: Project, messages: Sequence[Message]) -> list[Record]:
    log = MemoryLog()
    await _process(project, messages, log)
    return [record for record, _ in log.records if record.subject.startswith("event.")]


async def _process(project: Project, messages: Sequence[Message], log: MemoryLog | None = None) -> None:
    processor = Processor(project, MemorySeen(), log or MemoryLog(), Recorder(MemoryLog()), Metrics())
    for start in range(0, len(messages), BATCH):
        await (await processor.run(messages[start : start + BATCH], _nothing))


async def _deliver(project: Project, stored: Sequence[Record]) -> None:
    log, streams, metrics = MemoryLog(), MemoryLog(), Metrics()
    log.records = [(record, time.time()) for record in stored]
    recorder, connector = Recorder(streams), _willing()
    lanes = []
    for route in project.routes.values():
        gate = Gate(Breaker(0.5, 30, clock=time.monotonic), 0, 64)
        attempts = Attempts(route, connector, gate, streams, recorder, metrics, project.revision)
        lanes.append(Lane(route, attempts, MemoryBacklogs(log)))
    inbox = _Counted(log)
    feed = Feed(inbox, 0, lanes, recorder, "feed", project.revision)
    running = [asyncio.create_task(feed.run())]
    await inbox.all_done.wait()
    feed.stop()
    for task in running:
        task.cancel()
    await asyncio.gather(*running, *(lane.stop(1) for lane in lanes), return_exceptions=True)


class _Counted(MemoryInbox):
    """An inbox that says when everything was acknowledged."""

    def __init__(self, log: MemoryLog) -> None:
        super().__init__(log)
        self.all_done = asyncio.Event()

    def ack(self, messages: Iterable[Message]) -> None:
        super().ack(messages)
        if self.handed_out == len(self._log.records) and not self._pending:
            self.all_done.set()


def _willing() -> HttpConnector:
    spec = ConnectorSpec("erp", "http", HttpOptions(Target("http", "127.0.0.1", 1, "/erp")))
    return HttpConnector(spec, _Willing(), time.time)


async def _nothing() -> None:
    """Nobody has to be told that a batch takes long."""


class _Willing(Client):
    """A client whose targets take everything at once."""

    async def send(self, target: Target, data: bytes, timeout: float) -> Response:
        return Response(200, {}, b"")


def yardstick(body: bytes) -> None:
    """Do a fixed amount of work of the same kind: parse, copy, hash, write, keep."""
    held = []
    for _ in range(EVENTS):
        read = orjson.loads(body)
        copy = {name: value for name, value in read.items() if value}
        held.append((copy, hashlib.blake2b(orjson.dumps(copy), digest_size=16).hexdigest()))


def measure_all(best: dict[str, float], measures: Mapping[str, Measure], body: bytes, rounds: int = ROUNDS) -> None:
    """Lower the best times, in seconds, of the measures and of the yardstick."""
    gc.collect()
    gc.disable()  # when it runs is chance
    try:
        for _ in range(rounds):
            for name, measure in measures.items():
                _keep(best, "yardstick", lambda: yardstick(body))
                _keep(best, name, lambda measure=measure: asyncio.run(measure()))  # type: ignore[misc]
    finally:
        gc.enable()


def ratios(best: Mapping[str, float]) -> dict[str, float]:
    """Return the best times as parts of the yardstick."""
    return {name: round(time / best["yardstick"], 2) for name, time in best.items() if name != "yardstick"}


def _keep(best: dict[str, float], name: str, act: Callable[[], Any]) -> None:
    began = time.process_time()
    act()
    best[name] = min(best.get(name, float("inf")), time.process_time() - began)


def dearer(now: Mapping[str, float], kept: Mapping[str, float]) -> list[str]:
    """Return what costs more than it may."""
    return [name for name, ratio in now.items() if ratio > kept.get(name, 0.0) * (1 + ALLOWED)]


def main(arguments: Sequence[str]) -> int:
    """Measure and compare, or keep the figures with `--update`."""
    project = load(Path(__file__).parent / "project", {}, strict_env=False)
    bodies = [sale.body for sale, _ in make_load(1, EVENTS).messages]
    measures, best = make_measures(project, bodies), dict[str, float]()
    kept = orjson.loads(KEPT.read_bytes()) if "--update" not in arguments else {}
    for _ in range(TRIES):
        measure_all(best, measures, bodies[0])
        if kept and not dearer(ratios(best), kept):
            break
    now = ratios(best)
    if not kept:
        KEPT.write_bytes(orjson.dumps(now, option=orjson.OPT_INDENT_2) + b"\n")
        kept = now
    Console().print(as_table(now, kept))
    bad = dearer(now, kept)
    if bad:
        sys.stderr.write(f"dearer by more than {ALLOWED:.0%}: {', '.join(bad)}; mend it, or say why and --update\n")
    return 1 if bad else 0


def as_table(now: Mapping[str, float], kept: Mapping[str, float]) -> Table:
    """Return the figures for people."""
    table = Table("step", "now", "kept", "change", title="CPU an event, the yardstick is 1")
    for name, ratio in now.items():
        change = f"{ratio / kept[name] - 1:+.0%}" if name in kept else "new"
        table.add_row(name, f"{ratio:.2f}", f"{kept.get(name, 0.0):.2f}", change)
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
