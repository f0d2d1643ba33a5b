"""What the journal and dead letters say to people quotes nothing personal; the event itself stays whole."""

import asyncio
import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from bench.partner import partner_itself
from connectors.port import Heard, Result
from crossdock.kernel.event import Event, encode_structured
from crossdock.kernel.metrics import Metrics
from crossdock.personal import Cover
from crossdock.pipeline.commit import GroupCommit
from crossdock.pipeline.lane import Lane
from crossdock.pipeline.recorder import Recorder
from gateway.intake import Intake
from gateway.storing import Storing
from journal.entry import Entry
from tests.pipeline.scene import LaneScene, ProcessScene, Target
from tests.smallproject import FILES, SALE, SALE_MAP, SOLD, TILLS, project

PHONE = "+49 170 1234567"
TESTS = ("transforms/sale.test.yaml", "routes/stock.test.yaml")  # of the map as it was
PERSONAL = {"type": "string", "pattern": "^0[0-9]+$", "x-crossdock-personal": True}


MADE = Event(
    "s-1", "/till", "inventory.sold", {"location": "A", "lines": [1, 2], "phone": PHONE},
    dataschema="crossdock:/inventory.sold/1.1",
)  # fmt: skip


def changes(on_invalid: str = "quarantine", **files: str) -> dict[str, str | None]:
    """Return both types with a phone number that is personal, which the map takes over."""
    made: dict[str, str | None] = {TILLS: FILES[TILLS] + f"on_invalid: {on_invalid}\n"}
    for type_, schema in (("pos.sale", SALE), ("inventory.sold", SOLD)):
        head = {"$id": f"crossdock:/{type_}/1.1", "title": type_, "description": "for a test"}
        properties: Any = {**schema["properties"], "phone": PERSONAL}  # type: ignore[dict-item]
        made[f"schemas/{type_}/1.1.json"] = json.dumps({**head, **schema, "properties": properties})
    return made | files


def sale(phone: Any = PHONE, gtin: str = "1") -> Event:
    data = {"store": "0042", "receipt": "7", "lines": [{"gtin": gtin, "qty": 1}], "phone": phone}
    return Event("s-1", "/till/1", "pos.sale", data, dataschema="crossdock:/pos.sale/1.1")


def said(lines: list[Entry]) -> str:
    return json.dumps([line._asdict() for line in lines])


@pytest.mark.parametrize("phone", [PHONE, ["x", PHONE], {"mobile": PHONE}, 491701234567])
def test_an_event_that_breaks_its_schema_is_a_dead_letter_with_place_and_rule(tmp_path: Path, phone: Any) -> None:
    async def scenario() -> None:
        scene = ProcessScene(tmp_path, changes())
        # when
        await scene.run([await scene.store(sale(phone))])
        # then
        (letter,), lines = scene.letters(), scene.entries()
        assert letter.detail.startswith("/phone ")
        assert {one["pointer"] for one in letter.problems} == {"/phone"}
        assert "1701234567" not in letter.detail + json.dumps(letter.problems) + said(lines)
        assert PHONE[1:].replace(" ", "") in letter.payload.decode().replace(" ", "")

    asyncio.run(scenario())


def test_what_the_map_or_the_canonical_check_says_quotes_no_personal_value(tmp_path: Path) -> None:
    async def scenario() -> None:
        scenes = {
            "lookup_missing": '{"location": $lookup("item", phone).sku, "lines": lines}',
            "canonical_invalid": '{"location": store, "lines": lines, "phone": "tel:" & phone}',
        }
        for code, made in scenes.items():
            mapped = FILES[SALE_MAP].partition("map: |")[0] + f"map: |\n  {made}\n"
            scene = ProcessScene(tmp_path / code, changes(**{SALE_MAP: mapped}) | dict.fromkeys(TESTS))
            # when
            await scene.run([await scene.store(sale("0170123456789"))])
            # then
            ((letter,), lines) = scene.letters(), scene.entries()
            assert letter.reason == code
            assert "***" in letter.detail and "0170123456789" not in said(lines) + json.dumps(letter.problems)

    asyncio.run(scenario())


def test_the_journal_of_a_source_that_only_warns_tells_no_personal_value(tmp_path: Path) -> None:
    async def scenario() -> None:
        # given
        scene, headers = ProcessScene(tmp_path, changes("warn")), {"content-type": "application/cloudevents+json"}
        recorder = Recorder(scene.log)
        storing = Storing(GroupCommit(scene.raw), recorder, Metrics(), "rev")
        partner = partner_itself(scene.project, "stores")
        accepted = Intake(scene.project).accept(partner, headers, encode_structured(sale()))
        # when
        assert await storing.store([accepted]) == ["accepted"]
        await recorder.close()
        # then
        assert any(PHONE in problem.message for problem in accepted.problems)  # the sender is told, who knows it
        (line,) = scene.entries()
        assert line.detail.startswith("breaks its schema: /phone ") and PHONE not in line.detail

    asyncio.run(scenario())


class CoveredScene(LaneScene):
    """A lane that knows what is personal."""

    def new_lane(self) -> Lane:
        lane = super().new_lane()
        lane.attempts.tries.cover = Cover(self.project)
        return lane

    def __init__(self, root: Path, target: Target) -> None:
        self.project = project(root / "personal", changes())
        super().__init__(root, target)


@pytest.mark.parametrize(
    ("result", "covers"),
    [
        (Result("delivered", 200, "HTTP 200"), 0),
        (Result("delivered", 0, "in stock_movements"), 0),
        (Result("delivered", 0, "stream ORDERS stored it as 12345"), 0),
        (Result("delivered", 409, "HTTP 409: known", quotes=True), 1),
        (Result("permanent", 422, "HTTP 422: no"), 1),
    ],
)
def test_only_what_may_quote_an_event_is_covered_and_that_once(tmp_path: Path, result: Result, covers: int) -> None:
    async def scenario() -> None:
        scene = CoveredScene(tmp_path, Target(lambda *_: result))
        covering = Mock(wraps=Cover(scene.project)._covering)

        async def act() -> None:
            scene.lane.attempts.tries.cover._covering = covering  # type: ignore[union-attr,method-assign]
            await scene.add_raw(encode_structured(MADE), "s-1")
            await scene.settled(1)

        # when
        await scene.during(act)
        # then
        assert covering.call_count == covers

    asyncio.run(scenario())


def test_what_a_target_answers_is_told_without_what_it_quotes_and_kept_as_it_was(tmp_path: Path) -> None:
    async def scenario() -> None:
        # given
        quoted = f'HTTP 422: {{"phone": "{PHONE}", "why": "no such number"}}'
        heard = Heard(422, {}, quoted)

        def answer(_: Event, attempt: int) -> Result:
            return Result("retry" if attempt == 1 else "permanent", 422, quoted, heard=heard)

        scene = CoveredScene(tmp_path, Target(answer))

        async def act() -> None:
            await scene.add_raw(encode_structured(MADE), "s-1")
            await scene.settled(1)

        # when
        await scene.during(act)
        # then
        (letter,) = scene.letters()
        told = 'HTTP 422: {"phone": "***", "why": "no such number"}'
        assert [(line.outcome, line.detail.startswith(told)) for line in scene.entries()] == [
            ("retried", True), ("dead_lettered", True),
        ]  # fmt: skip
        assert letter.detail.startswith(told) and PHONE not in json.dumps(letter.problems) + said(scene.entries())
        assert (letter.heard["body"], PHONE in letter.payload.decode()) == (quoted, True)

    asyncio.run(scenario())
