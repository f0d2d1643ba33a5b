"""Backfill: past events go through one route again, in order, each with its key, whatever breaks off meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crossdock.adapters.memory import MemoryLog
from crossdock.adapters.memorybackfills import MemoryBackfills
from crossdock.kernel.expression import Expression
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import ORIGIN, Message, Record, Stored
from crossdock.pipeline import backfill as backfills
from crossdock.pipeline import backfiller
from crossdock.pipeline.backfill import Backfill
from crossdock.pipeline.backfiller import Backfiller
from journal import entry
from journal.book import Book
from journal.ledger import ledger_of
from routes.spec import Route
from tests.pipeline.scene import DELIVERED, RETRY, LaneScene, Target
from tests.realservers import until
from tests.smallproject import project


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfills, "LOT", 2)
    monkeypatch.setattr("crossdock.adapters.memorybackfills.LOT", 2)
    monkeypatch.setattr(backfiller, "LOOK_EVERY", 0.001)
    monkeypatch.setattr(backfiller, "AWAY", 0.001)


class Split(MemoryLog):
    """Appends replays to EVENTS and all else to the log of the scene."""

    def __init__(self, events: MemoryLog, others: MemoryLog) -> None:
        super().__init__()
        self._events, self._others = events, others
        self.broken = 0

    async def append(self, record: Record) -> Stored:
        if record.subject.startswith("replay.") and self.broken:
            self.broken -= 1
            await asyncio.sleep(3600)  # the process is killed here
        return await (self._events if record.subject.startswith("replay.") else self._others).append(record)


class Scene(LaneScene):
    """A lane, and the operations side that backfills its route."""

    def __init__(self, root: Path, target: Target | None = None) -> None:
        super().__init__(root, target or Target())
        self.project = replace(project(root / "content"), routes={"stock": self.route})
        self.store = MemoryBackfills(self.events)
        self.restart()

    def restart(self) -> None:
        self.streams = Split(self.events, self.log)
        self.backfiller = Backfiller(self.store, self.store, self.streams, lambda: self.project)

    def when(self, condition: str) -> None:
        self.route = replace(self.route, when=Expression(condition))
        self.project = replace(self.project, routes={"stock": self.route})

    async def backfill(self) -> Backfill:
        planned = await self.backfiller.plan(self.route, None, None)
        begun = await self.backfiller.start(planned)
        assert begun is not None
        return begun

    async def ended(self) -> Backfill:
        async with asyncio.timeout(5):
            while (found := await self.store.get("stock")) is None or found.state == "running":  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        return found

    def copies(self) -> list[str]:
        return [r.headers[ORIGIN] for r, _ in self.events.records if r.subject == "replay.stock"]


def test_past_events_that_match_go_through_the_route_again_in_order_with_their_keys(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def act() -> None:
        for number in range(5):
            await scene.add(str(number))
        await scene.settled(5)
        scene.when("$event.id != '3'")
        planned = await scene.backfiller.plan(scene.route, None, None)
        assert (planned.total, planned.state) == (4, "planned")
        for _ in range(2):
            await scene.backfill()
            done = await scene.ended()
            assert (done.state, done.sent, done.total) == ("done", 4, 4)
        await scene.settled(13)

    asyncio.run(scene.during(act))
    assert scene.target.arrived == [*"01234", *"0124", *"0124"]
    assert all(len(keys) == 1 for keys in scene.target.keys.values())
    book = Book()
    book.tell(scene.entries())
    ledger = ledger_of(book, [], 0, [], 0)
    assert ledger.routes == [
        {"route": "stock", "matched": 5, "delivered": 5, "dead_lettered": 0, "discarded": 0, "in_progress": 0}
    ]
    replayed = [line for line in scene.entries() if line.outcome == entry.REPLAYED]
    assert all(line.detail.startswith("backfill bf-") and line.route == "stock" for line in replayed)


def test_only_what_was_stored_in_the_span_is_sent(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def act() -> None:
        moments = []
        for number in range(6):
            moments.append(datetime.now(UTC))
            await scene.add(str(number))
            await asyncio.sleep(0.002)
        planned = await scene.backfiller.plan(scene.route, moments[2], moments[5])
        assert (planned.first, planned.last, planned.total) == (3, 5, 3)

    asyncio.run(act())


def test_one_that_is_killed_is_gone_on_with_and_nothing_is_sent_twice(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def act() -> None:
        for number in range(7):
            await scene.add(str(number), location=str(number))
        # given one that breaks off between what it says and what it sends
        scene.streams.broken = 0
        await scene.backfiller.start(await scene.backfiller.plan(scene.route, None, None))
        await until(lambda: len(scene.copies()) >= 2, within=5)
        scene.streams.broken = 1
        await asyncio.sleep(0)
        await scene.backfiller.close()
        # when
        scene.restart()
        scene.backfiller.begin()
        done = await scene.ended()
        # then
        assert done.state == "done"
        assert scene.copies() == [str(seq) for seq in range(1, 8)]

    asyncio.run(act())


def test_the_broker_may_be_away_meanwhile(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    read: Callable[[Route, int, int], Awaitable[list[Message]]] = scene.store.page
    away = [0]

    async def page(route: Route, after: int, last: int) -> list[Message]:
        away[0] += 1
        if away[0] % 2 and away[0] > 5:
            raise Unavailable("away")
        return await read(route, after, last)

    async def act() -> None:
        for number in range(7):
            await scene.add(str(number))
        planned = await scene.backfiller.plan(scene.route, None, None)
        scene.store.page = page  # type: ignore[method-assign]
        await scene.backfiller.start(planned)
        assert (await scene.ended()).sent == 7

    asyncio.run(act())
    assert scene.copies() == [str(seq) for seq in range(1, 8)]


def test_what_is_open_as_a_dead_letter_is_closed_by_a_backfill_that_delivers_it(tmp_path: Path) -> None:
    well = [False]
    scene = Scene(tmp_path, Target(lambda *_: DELIVERED if well[0] else replace(RETRY, outcome="permanent")))

    async def act() -> None:
        await scene.add("a")
        await scene.settled(1)
        well[0] = True
        await scene.backfill()
        await scene.settled(2)

    asyncio.run(scene.during(act))
    (letter,) = scene.letters()
    named = [(line.outcome, line.dead_letter) for line in scene.entries()]
    assert named == [(word, letter.id) for word in ("dead_lettered", "replayed", "delivered")]
