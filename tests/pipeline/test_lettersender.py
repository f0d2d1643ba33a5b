"""Dead letters sent again by a plan: with a patch, from the raw event on, and of routes that are gone."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from crossdock.adapters.memory import MemoryLog
from crossdock.adapters.memorysends import MemorySends
from crossdock.kernel import jsontext
from crossdock.kernel.event import Event, encode_structured
from crossdock.kernel.stream import AGAIN, DEAD_LETTER, EDIT, ORIGIN, RAW_SEQ, SOURCE, Record
from crossdock.pipeline.acts import Acts
from crossdock.pipeline.lettersender import LetterSender
from crossdock.pipeline.outbox import Counts, Outbox
from crossdock.project import Project
from dlq.plans import Item, Plan
from dlq.record import PROCESS, DeadLetter, letter_id
from journal.entry import SUBJECT, unpack
from journal.store import LetterState
from tests.pipeline.test_pastsender import always, counted
from tests.pipeline.test_replay import LETTER, STATE
from tests.smallproject import project

PLAN = Plan("rp-1", "ann", "why", 1, 2, 500)
RAW = Record("raw.stores.tills", b'{"as": "it came"}', "r1", {"content-type": "application/json"})


def failed(number: int, quantity: int, route: str = "stock") -> DeadLetter:
    data = {"location": "STORE-1", "lines": [{"item": "TEA", "quantity": quantity}]}
    event = Event(f"s-{number}", "/till/1", "inventory.sold", data, extensions={"partner": "stores"})
    return replace(
        LETTER, id=f"dl-{number}", event_id=event.id, route=route, origin=number + 100,
        payload=encode_structured(event),
        headers={RAW_SEQ: "1", SOURCE: "tills"}, subject="event.inventory.sold",
    )  # fmt: skip


class Scene:
    """Dead letters by number, all as they were selected, and one log with a raw event in it."""

    def __init__(self, root: Path, *letters: DeadLetter) -> None:
        self.project: Project = project(root)
        self.kept = dict(enumerate(letters, 1))
        self.log = MemoryLog()

    async def get(self, seq: int) -> DeadLetter | None:
        return self.kept.get(seq)

    def known(self, ids: Sequence[str]) -> Mapping[str, LetterState]:
        return {one: replace(STATE, id=one) for one in ids}

    async def send(self, plan: Plan) -> Counts | None:
        await self.log.append(RAW)
        sends = MemorySends(self.log)
        acts = Acts(self.known, lambda: len(self.log.records), sends)
        sender = LetterSender(self, acts, Outbox(self.log, sends), lambda: self.project)
        items = [Item(letter.id, letter.event_id, ref, 1) for ref, letter in self.kept.items()]
        return await sender.send(plan, items, always, again=False)

    def sent(self) -> list[Record]:
        return [record for record, _ in self.log.records[1:] if record.subject != SUBJECT]


def test_a_dead_letter_whose_route_is_gone_stays_as_it_is(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = Scene(tmp_path, failed(1, 2), failed(2, 2, "removed"))
        assert counted(await scene.send(PLAN)) == (1, 1, 0)
        assert [record.headers[DEAD_LETTER] for record in scene.sent()] == ["dl-1"]

    asyncio.run(scenario())


def test_a_patch_changes_what_is_sent_and_one_that_it_does_not_fit_is_left_alone(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = Scene(tmp_path, failed(1, 9007199254740993), failed(2, 7))
        change = [
            {"op": "test", "path": "/data/lines/0/quantity", "value": 9007199254740993},
            {"op": "replace", "path": "/data/lines/0/item", "value": "COFFEE"},
        ]
        plan = replace(PLAN, edit="ed-1", patch=jsontext.dumps(change).decode())
        assert counted(await scene.send(plan)) == (1, 1, 0)
        (sent,) = scene.sent()
        assert (sent.headers[DEAD_LETTER], sent.headers[EDIT]) == ("dl-1", "ed-1")
        assert jsontext.loads(sent.payload)["data"]["lines"] == [{"item": "COFFEE", "quantity": 9007199254740993}]
        (line,) = unpack(scene.log.records[1][0].payload)
        assert (line.detail, line.who, line.dead_letter) == ("plan rp-1, edited ed-1", "ann", "dl-1")

    asyncio.run(scenario())


def test_from_the_raw_event_on_it_is_for_the_route_that_failed_alone(tmp_path: Path) -> None:
    async def scenario() -> None:
        lost = replace(failed(2, 2), headers={RAW_SEQ: "99", SOURCE: "tills"})
        scene = Scene(tmp_path, failed(1, 2), lost)
        assert counted(await scene.send(replace(PLAN, from_stage="raw"))) == (1, 0, 1)
        (sent,) = scene.sent()
        assert (sent.subject, sent.payload, sent.headers[ORIGIN]) == (RAW.subject, RAW.payload, "1")
        assert sent.headers[AGAIN] == "rp-1 failed 101 stock"
        assert sent.headers[DEAD_LETTER] == letter_id(PROCESS, "tills", 1)
        (line,) = unpack(scene.log.records[1][0].payload)
        assert (line.dead_letter, line.route, line.seq) == ("dl-1", "stock", 101)

    asyncio.run(scenario())
