"""`after`: a delivery waits until another event has reached its connector, and holds up nobody meanwhile."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crossdock.adapters.memory import MemoryBacklogs
from crossdock.adapters.memorytables import MemoryArrivals
from crossdock.kernel.event import Event, encode_structured
from crossdock.kernel.expression import Expression
from crossdock.kernel.stream import DEAD_LETTER, ORIGIN, RAW_SEQ, SOURCE, Record
from crossdock.pipeline import recorder
from crossdock.pipeline.attempts import Attempts
from crossdock.pipeline.awaited import Awaited
from crossdock.pipeline.gate import Gate
from crossdock.pipeline.lane import Lane
from crossdock.pipeline.recorder import Recorder
from journal.entry import WAITING
from routes.spec import After
from tests.pipeline.scene import DELIVERED, PERMANENT, RETRY, LaneScene, Target


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "RETRY", 0.001)


class Orders(LaneScene):
    """A route of orders and payments, ordered by location; an order names the payment that it waits for."""

    def __init__(
        self, root: Path, target: Target, within: float = 60, buries: bool = False, arrivals: Any = None, **more: Any
    ) -> None:
        self.arrivals = arrivals or MemoryArrivals()
        super().__init__(root, target, after=After(Expression("payment"), "order.paid", within, buries), **more)
        self.route = replace(self.route, types=("inventory.sold", "order.paid"))
        self.inbox._subjects = ("event.inventory.sold", "event.order.paid", "replay.stock")
        self.lane = self.new_lane()

    def new_lane(self) -> Lane:
        awaited = Awaited("erp", {"order.paid"}, self.arrivals)
        recorder, gate = Recorder(self.log), Gate(self.breaker, 0, 1000, awaited=awaited)
        attempts = Attempts(self.route, self.target, gate, self.log, recorder, self.metrics, "rev")
        return Lane(self.route, attempts, MemoryBacklogs(self.events), self.inbox)

    async def pay(self, key: str, location: str = "A") -> None:
        data = {"location": location}
        event = Event(f"p{key}", "/shop", "order.paid", data, extensions={"partner": "stores", "businesskey": key})
        headers = {SOURCE: "shop", RAW_SEQ: str(len(self.events.records) + 1)}
        await self.events.append(Record("event.order.paid", encode_structured(event), f"p{key}", headers))

    def said(self) -> list[str]:
        return [line.detail for line in self.entries() if line.outcome == WAITING]


@pytest.mark.parametrize("ordered", [True, False])
def test_an_order_waits_for_its_payment_and_others_do_not_wait_for_it(tmp_path: Path, ordered: bool) -> None:
    scene = Orders(tmp_path, Target(), ordered=ordered)

    async def act() -> None:
        await scene.add("order", payment="4711")
        await scene.add("other", location="B")
        await scene.until(lambda: scene.said() == ["waiting for order.paid 4711"])
        await scene.until(lambda: scene.target.arrived == ["other"])
        await scene.pay("1", location="B")
        await scene.pay("4711", location="B")
        await scene.settled(4)

    asyncio.run(scene.during(act))
    assert scene.target.arrived == ["other", "p1", "p4711", "order"]
    assert scene.target.attempts.count("order") == 1


def test_what_an_event_waits_for_goes_before_it_even_behind_it_in_the_same_order(tmp_path: Path) -> None:
    scene = Orders(tmp_path, Target(lambda event, n: RETRY if event.id == "p2" and n < 3 else DELIVERED))

    async def act() -> None:
        await scene.add("a", payment=["1", "2"])
        await scene.add("b")
        await scene.pay("1")
        await scene.until(lambda: "p1" in scene.target.arrived)
        await scene.pay("2")
        await scene.add("c")
        await scene.settled(5)

    asyncio.run(scene.during(act))
    assert scene.target.arrived == ["p1", "p2", "a", "b", "c"]


def test_when_they_are_all_there_at_once_the_order_is_the_same(tmp_path: Path) -> None:
    scene = Orders(tmp_path, Target())

    async def act() -> None:
        await scene.add("a", payment=["1", "2"])
        await scene.add("b")
        await scene.pay("2")
        await scene.pay("1")
        await scene.settled(4)

    asyncio.run(scene.during(act))
    assert scene.target.arrived == ["p2", "p1", "a", "b"]


def test_a_refused_payment_is_no_payment(tmp_path: Path) -> None:
    scene = Orders(tmp_path, Target(lambda event, _: PERMANENT if event.id == "p1" else DELIVERED), within=0.4)

    async def act() -> None:
        await scene.pay("1", location="B")
        await scene.add("a", payment="1")
        await scene.settled(2)

    asyncio.run(scene.during(act))
    assert scene.said()[-1] == "waits no more: order.paid 1 is not known to have reached erp within 400ms"
    assert scene.target.arrived == ["a"]


def test_where_the_content_says_so_it_becomes_a_dead_letter_that_a_replay_sends_without(tmp_path: Path) -> None:
    scene = Orders(tmp_path, Target(), within=0.1, buries=True)

    async def act() -> None:
        origin = await scene.add("a", payment="1")
        await scene.settled(1)
        (letter,) = scene.letters()
        assert (letter.reason, letter.attempts) == ("after_missing", 0)
        headers = {**letter.headers, ORIGIN: str(origin), DEAD_LETTER: letter.id}
        await scene.events.append(Record("replay.stock", letter.payload, "again", headers))
        await scene.settled(2)

    asyncio.run(scene.during(act))
    assert scene.target.arrived == ["a"]


def test_a_restart_changes_nothing(tmp_path: Path) -> None:
    scene = Orders(tmp_path, Target())

    async def scenario() -> None:
        async def first() -> None:
            await scene.pay("2", location="B")
            await scene.add("a", payment="1")
            await scene.add("b", location="B", payment="2")
            await scene.until(lambda: scene.target.arrived == ["p2", "b"] and len(scene.said()) > 0)

        async def second() -> None:
            await scene.until(lambda: len(scene.said()) > told)
            assert "a" not in scene.target.attempts
            await scene.add("c", location="C", payment="2")  # which came before the restart
            await scene.pay("1")
            await scene.settled(5)

        await scene.during(first)
        told = len(scene.said())
        scene.inbox.redeliver()
        scene.lane = scene.new_lane()
        await scene.during(second)

    asyncio.run(scenario())
    assert scene.target.arrived.index("p1") < scene.target.arrived.index("a")
    assert sorted(scene.target.arrived) == ["a", "b", "c", "p1", "p2"]


def test_an_event_that_expires_while_it_waits_is_not_sent(tmp_path: Path) -> None:
    scene = Orders(tmp_path, Target(), expire=0.2)

    async def act() -> None:
        await scene.add("a", payment="1")
        await scene.settled(1)

    asyncio.run(scene.during(act))
    assert [letter.reason for letter in scene.letters()] == ["expired"]
    assert scene.target.attempts == []


def test_a_reference_that_is_no_key_is_a_dead_letter(tmp_path: Path) -> None:
    scene = Orders(tmp_path, Target())

    async def act() -> None:
        await scene.add("a", payment={"x": 1})
        await scene.settled(1)

    asyncio.run(scene.during(act))
    assert [letter.reason for letter in scene.letters()] == ["bad_after_key"]
