"""What a target answers becomes an event, once and before the delivery that brought it is settled."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from connectors.port import Result
from crossdock.adapters.memory import MemoryBacklogs
from crossdock.kernel import event as events
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Problem
from crossdock.kernel.stream import RAW_SEQ, SOURCE
from crossdock.pipeline.attempts import Attempts
from crossdock.pipeline.delivery import Delivery
from crossdock.pipeline.gate import Gate
from crossdock.pipeline.lane import Lane
from crossdock.pipeline.process import MAX_BODY
from crossdock.pipeline.recorder import Recorder
from crossdock.pipeline.replies import Replies
from tests.pipeline.scene import LaneScene, Target
from tests.smallproject import FILES, project, refused

BOOKED = {"location": "STORE-1", "lines": [1]}
REPLY = "reply: {type: inventory.sold@%s, map: body}\n"


def answering(data: Any) -> Target:
    """A target that answers every delivery with this, under the same id."""
    return Target(
        lambda event, attempt: Result(
            "delivered", 200, "HTTP 200", reply=Event("key-1", "crossdock:/connectors/erp", "inventory.sold", data)
        )
    )


class ReplyScene(LaneScene):
    """A lane whose connector makes events of answers."""

    def new_lane(self) -> Lane:
        recorder, gate = Recorder(self.log), Gate(self.breaker, 0, 1000)
        attempts = Attempts(self.route, self.target, gate, self.log, recorder, self.metrics, "rev")
        attempts.replies = Replies(self.loaded, 1, self.log)
        return Lane(self.route, attempts, MemoryBacklogs(self.events), self.inbox)

    def __init__(self, root: Path, target: Target) -> None:
        self.loaded = project(root)
        super().__init__(root, target)


def played(root: Path, target: Target, *ids: str) -> ReplyScene:
    scene = ReplyScene(root, target)

    async def act() -> None:
        for id_ in ids:
            await scene.add(id_)
        await scene.settled(len(ids))

    asyncio.run(scene.during(act))
    return scene


def test_an_answer_is_stored_as_an_event_of_the_same_partner_before_the_delivery_is_recorded(tmp_path: Path) -> None:
    scene = played(tmp_path, answering(BOOKED), "a")

    assert scene.subjects() == ["event.inventory.sold", "journal.entries"]
    stored, _ = scene.log.records[0]
    made = events.restore(stored.payload)
    assert (made.id, made.source, made.data) == ("key-1", "crossdock:/connectors/erp", BOOKED)
    assert made.dataschema == "crossdock:/inventory.sold/1.0"
    assert made.extensions == {"partner": "stores", "businesskey": "a", "causationid": "a"}
    assert stored.headers == {SOURCE: "tills", RAW_SEQ: "1"}


def test_an_answer_that_comes_twice_is_stored_once(tmp_path: Path) -> None:
    scene = played(tmp_path, answering(BOOKED), "a", "b")

    assert len(scene.under("event.")) == 1
    assert [outcome for _, outcome in scene.outcomes()] == ["delivered", "delivered"]


def test_an_answer_that_does_not_fit_its_schema_is_a_dead_letter_that_says_the_target_has_it(tmp_path: Path) -> None:
    scene = played(tmp_path, answering({"location": 7}), "a")

    (letter,) = scene.letters()
    assert letter.reason == "reply_invalid"
    assert "the target has taken it" in letter.detail
    assert scene.target.attempts == ["a"]
    assert scene.under("event.") == []


def test_an_answer_that_is_too_large_is_a_dead_letter(tmp_path: Path) -> None:
    scene = played(tmp_path, answering({**BOOKED, "text": "x" * MAX_BODY}), "a")

    assert [letter.reason for letter in scene.letters()] == ["reply_invalid"]


def test_a_reply_of_an_unknown_type_or_version_is_a_problem_at_check(tmp_path: Path) -> None:
    erp = "connectors/erp.yaml"

    found = refused(tmp_path, {erp: FILES[erp] + REPLY % 2})

    assert [(problem.code, problem.file, problem.line) for problem in found] == [("unknown_version", erp, 5)]
    assert project(tmp_path, {erp: FILES[erp] + REPLY % 1}).connectors["erp"].reply == ("inventory.sold", 1)


def test_a_fault_of_ours_ends_that_delivery_and_holds_up_none_of_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def store(_replies: Replies, delivery: Delivery, _reply: Event) -> tuple[Problem, ...]:
        if delivery.event.id == "a":
            raise RuntimeError("nobody foresaw this")
        return ()

    monkeypatch.setattr(Replies, "store", store)
    scene = played(tmp_path, answering(BOOKED), "a", "b")

    (letter,) = scene.letters()
    assert (letter.event_id, letter.reason) == ("a", "internal_error")
    assert scene.outcomes()[-1] == ("b", "delivered")
