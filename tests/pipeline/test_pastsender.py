"""Past events sent again by a plan: to which routes, as what, and once whatever is killed."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from crossdock.adapters.memory import MemoryLog
from crossdock.adapters.memorysends import MemorySends
from crossdock.kernel.event import Event, encode_structured
from crossdock.kernel.stream import AGAIN, BACKFILL, DEAD_LETTER, ORIGIN, RAW_SEQ, SOURCE, Record
from crossdock.pipeline import outbox as sending
from crossdock.pipeline.outbox import Counts, Outbox
from crossdock.pipeline.pastsender import PastSender
from crossdock.project import Project
from dlq.plans import Past, Plan
from dlq.record import DELIVER, PROCESS, letter_id
from journal.entry import SUBJECT, unpack
from tests.smallproject import project

STOCK = "routes/stock.yaml"
BOTH = """\
routes:
  - route: stock
    from: [inventory.sold]
    to: erp
  - route: big
    from: [inventory.sold]
    when: $count(lines) > 1
    to: erp
"""
PLAN = Plan("rp-1", "ann", "why", 1, 2, 500, of="events", to="all", begun=1)


def sold(number: int, lines: int) -> Record:
    data = {"location": "STORE-1", "lines": [{"item": "TEA", "quantity": 1}] * lines}
    event = Event(f"s-{number}", "/till/1", "inventory.sold", data, extensions={"partner": "stores"})
    headers = {SOURCE: "tills", RAW_SEQ: str(number + 10)}
    return Record("event.inventory.sold", encode_structured(event), f"e{number}", headers)


async def always() -> bool:
    return True


def counted(counts: Counts | None) -> tuple[int, int, int]:
    """Return how many were sent, skipped and gone."""
    assert counts is not None
    return counts.sent, counts.skipped, counts.gone


class Scene:
    """One log that stands for all streams, with two past events in it: of one line, and of two."""

    def __init__(self, root: Path) -> None:
        self.project: Project = project(root, {STOCK: BOTH})
        self.log = MemoryLog()
        self.sends = MemorySends(self.log)

    async def filled(self) -> "Scene":
        await self.log.append_all([sold(1, 1), sold(2, 2)])
        return self

    async def send(self, plan: Plan, *items: Past, again: bool = False) -> Counts | None:
        sender = PastSender(Outbox(self.log, self.sends), lambda: self.project)
        return await sender.send(plan, items, always, again=again)

    def sent(self) -> list[Record]:
        return [record for record, _ in self.log.records[2:] if record.subject != SUBJECT]


def test_a_canonical_event_goes_to_every_route_that_wants_it_now(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = await Scene(tmp_path).filled()
        assert counted(await scene.send(PLAN, Past(1, 11), Past(2, 12))) == (2, 0, 0)
        sent = scene.sent()
        assert [record.subject for record in sent] == ["replay.stock", "replay.stock", "replay.big"]
        assert [record.headers[ORIGIN] for record in sent] == ["1", "2", "2"]
        assert sent[0].payload == sold(1, 1).payload
        assert sent[2].headers[DEAD_LETTER] == letter_id(DELIVER, "big", 2)
        assert {record.headers[BACKFILL] for record in sent} == {"rp-1"}
        journal = next(record for record, _ in scene.log.records if record.subject == SUBJECT)
        said = {(line.route, line.raw, line.seq, line.who, line.detail) for line in unpack(journal.payload)}
        assert said == {
            (route, seq + 10, seq, "ann", "plan rp-1") for route, seq in (("stock", 1), ("stock", 2), ("big", 2))
        }

    asyncio.run(scenario())


def test_routes_that_are_named_get_it_and_no_others(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = await Scene(tmp_path).filled()
        plan = replace(PLAN, routes=["big", "removed"])
        assert counted(await scene.send(plan, Past(1, 11), Past(2, 12), Past(9, 19))) == (1, 1, 1)
        assert [(record.subject, record.headers[ORIGIN]) for record in scene.sent()] == [("replay.big", "2")]

    asyncio.run(scenario())


@pytest.mark.parametrize(("item", "again"), [(Past(7, 1), "rp-1 all 7 stock"), (Past(0, 1), None)])
def test_a_raw_event_says_what_it_repeats_and_one_that_never_went_through_goes_everywhere(
    tmp_path: Path, item: Past, again: str | None
) -> None:
    async def scenario() -> None:
        scene = Scene(tmp_path)
        raw = Record("raw.stores.tills", b"{}", "r", {"content-type": "application/json", "Nats-Msg-Id": "r"})
        await scene.log.append_all([raw, raw._replace(key="r2")])
        plan = replace(PLAN, from_stage="raw", routes=["stock"])
        assert counted(await scene.send(plan, item)) == (1, 0, 0)
        (sent,) = scene.sent()
        assert (sent.subject, sent.payload, sent.headers[ORIGIN]) == ("raw.stores.tills", b"{}", "1")
        assert (sent.headers[DEAD_LETTER], sent.headers.get(AGAIN)) == (letter_id(PROCESS, "tills", 1), again)

    asyncio.run(scenario())


def test_what_was_sent_before_a_kill_is_not_sent_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = await Scene(tmp_path).filled()
        plan = replace(PLAN, mark=await scene.sends.newest())
        assert counted(await scene.send(plan, Past(1, 11))) == (1, 0, 0)
        scene.log._keys.clear()  # the broker's window of repeats has passed
        assert counted(await scene.send(plan, Past(1, 11), Past(2, 12), again=True)) == (2, 0, 0)
        assert [record.headers[ORIGIN] for record in scene.sent()] == ["1", "2", "2"]

    asyncio.run(scenario())


@pytest.mark.parametrize("payload", [b"", b"no JSON", b"[]", b"7", b"{}"])
def test_what_nobody_can_read_as_an_event_is_skipped_and_stops_no_plan(tmp_path: Path, payload: bytes) -> None:
    async def scenario() -> None:
        scene = await Scene(tmp_path).filled()
        await scene.log.append(Record("event.inventory.sold", payload, "e3", {SOURCE: "tills", RAW_SEQ: "13"}))
        assert counted(await scene.send(PLAN, Past(1, 11), Past(3, 13), Past(4, 14))) == (1, 1, 1)

    asyncio.run(scenario())


def test_a_plan_that_is_stopped_while_a_route_has_no_room_sends_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "LOOK_EVERY", 0.001)

    async def scenario() -> None:
        scene = await Scene(tmp_path).filled()
        asked = []

        async def full(_: str) -> int:
            return sending.ROOM

        async def runs() -> bool:
            asked.append(dict(outbox.waits))
            return len(asked) < 3

        monkeypatch.setattr(scene.sends, "unread", full)
        outbox = Outbox(scene.log, scene.sends)
        assert await PastSender(outbox, lambda: scene.project).send(PLAN, [Past(1, 11)], runs, again=False) is None
        assert (asked, outbox.waits, scene.sent()) == ([{"rp-1": "stock"}] * 3, {}, [])

    asyncio.run(scenario())
