"""The delivery lane on memory ports: its outcomes, retries, dead letters and what it acknowledges when."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from connectors.port import Result
from crossdock.kernel.event import Event
from crossdock.kernel.expression import Expression
from crossdock.kernel.retry import Retry
from crossdock.kernel.stream import DEAD_LETTER, ORIGIN, RAW_SEQ, SOURCE, Record
from crossdock.pipeline import lane, recorder
from crossdock.pipeline.delivery import idempotency_key
from tests.pipeline.scene import DELIVERED, PERMANENT, RETRY, LaneScene, Target


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "RETRY", 0.001)


def failing(*ids: str, times: int = 10**9, result: Result | Exception = RETRY) -> Target:
    return Target(lambda event, attempt: result if event.id in ids and attempt <= times else DELIVERED)


def deliver(scene: LaneScene, ids: str, settled: int | None = None) -> None:
    """Put events on the stream, each at a location of its own, and run the lane until they are settled."""

    async def act() -> None:
        for id_ in ids:
            await scene.add(id_, location=id_)
        await scene.settled(len(ids) if settled is None else settled)

    asyncio.run(scene.during(act))


def test_a_delivered_event_is_recorded_and_acknowledged(tmp_path: Path) -> None:
    scene = LaneScene(tmp_path, Target())
    deliver(scene, "a")
    (line,) = scene.entries()
    assert (line.stage, line.outcome, line.route, line.detail) == ("deliver", "delivered", "stock", "HTTP 200")
    assert (line.id, line.raw, line.seq, line.key, line.partner, line.source) == ("a", 1, 1, "a", "stores", "tills")
    assert scene.inbox.unacknowledged() == []


def test_what_the_condition_excludes_is_skipped_and_not_sent(tmp_path: Path) -> None:
    scene = LaneScene(tmp_path, Target(), when=Expression("$event.id != 'b'"))
    deliver(scene, "abc")
    assert sorted(scene.outcomes()) == [("a", "delivered"), ("b", "skipped"), ("c", "delivered")]
    assert "b" not in scene.target.attempts


def test_a_failing_delivery_is_tried_again_with_the_same_key_until_it_arrives(tmp_path: Path) -> None:
    scene = LaneScene(tmp_path, failing("a", times=3))
    deliver(scene, "a")
    assert scene.outcomes() == [("a", "retried")] * 3 + [("a", "delivered")]
    assert scene.target.keys["a"] == {idempotency_key("stock", event("a"))}


def event(id_: str) -> Event:
    return Event(id_, "/till", "inventory.sold", extensions={"partner": "stores"})


def test_the_idempotency_key_differs_by_route_partner_source_and_id_and_by_nothing_else() -> None:
    one = event("a")
    others = [
        idempotency_key("goods", one),
        idempotency_key("stock", event("b")),
        idempotency_key("stock", Event("a", "/other", "t", extensions={"partner": "stores"})),
        idempotency_key("stock", Event("a", "/till", "t", extensions={"partner": "acme"})),
    ]
    assert len({idempotency_key("stock", one), *others}) == 5
    assert idempotency_key("stock", one) == idempotency_key("stock", one.extended(businesskey="x"))


def test_a_permanent_failure_is_a_dead_letter_at_once_and_its_neighbours_go_on(tmp_path: Path) -> None:
    scene = LaneScene(tmp_path, failing("b", result=PERMANENT))
    deliver(scene, "abc")
    (letter,) = scene.letters()
    assert (letter.reason, letter.detail.split(" (")[0], letter.attempts) == ("refused", "HTTP 400: no", 1)
    assert (letter.route, letter.event_id, letter.origin, letter.stage) == ("stock", "b", 2, "deliver")
    assert letter.payload == scene.events.message(2).payload
    assert scene.target.attempts.count("b") == 1
    assert sorted(scene.target.arrived) == ["a", "c"]


def test_a_dead_letter_is_stored_before_it_is_recorded_and_acknowledged(tmp_path: Path) -> None:
    scene = LaneScene(tmp_path, failing("a", result=PERMANENT))
    scene.log.away = 5
    deliver(scene, "a")
    assert scene.subjects() == ["dlq.deliver.stock", "journal.entries"]
    (line,) = scene.entries()
    assert (line.outcome, line.ref, line.dead_letter) == ("dead_lettered", 1, scene.letters()[0].id)


def test_nothing_is_acknowledged_while_its_outcome_cannot_be_recorded(tmp_path: Path) -> None:
    scene = LaneScene(tmp_path, Target())

    async def act() -> None:
        scene.log.away = 10**9
        await scene.add("a")
        await scene.until(lambda: scene.target.arrived == ["a"])
        await asyncio.sleep(0.05)
        assert scene.inbox.unacknowledged() == [1]
        scene.log.away = 0
        await scene.settled(1)

    asyncio.run(scene.during(act))
    assert scene.outcomes() == [("a", "delivered")]


def test_retries_end_by_age_and_not_by_count(tmp_path: Path) -> None:
    scene = LaneScene(tmp_path, failing("a"), retry=Retry(age=0.3, first=0.01, most=0.02))
    deliver(scene, "ab")
    (letter,) = scene.letters()
    assert (letter.reason, letter.event_id) == ("retries_ended", "a")
    assert letter.attempts > 5
    assert letter.last_seen - letter.first_seen >= 300


def test_a_target_that_throttles_is_given_the_time_it_asks_for(tmp_path: Path) -> None:
    scene = LaneScene(tmp_path, failing("a", times=1, result=Result("throttled", 429, "HTTP 429", 0.3)))
    moments: list[float] = []
    behaviour = scene.target.behaviour

    def noted(event: Event, attempt: int) -> Result | Exception:
        moments.append(asyncio.get_running_loop().time())
        return behaviour(event, attempt)

    scene.target.behaviour = noted
    deliver(scene, "a")
    assert moments[1] - moments[0] >= 0.3


def test_a_connector_that_breaks_is_a_failed_attempt_and_not_the_end_of_the_lane(tmp_path: Path) -> None:
    scene = LaneScene(tmp_path, failing("a", times=2, result=RuntimeError("boom")))
    deliver(scene, "ab")
    assert scene.outcomes().count(("a", "retried")) == 2
    assert sorted(scene.target.arrived) == ["a", "b"]


@pytest.mark.parametrize("part", ["when", "order_by"])
def test_a_condition_or_key_that_fails_is_a_dead_letter_of_this_event_only(tmp_path: Path, part: str) -> None:
    failed = {"when": "lines[0] = 1 ? 7 : true", "order_by": "lines[0] = 1 ? {} : location"}[part]
    given: dict[str, Any] = {part: Expression(failed)}
    scene = LaneScene(tmp_path, Target(), **given)

    async def act() -> None:
        await scene.add("bad")
        await scene.add("good", lines=[3])
        await scene.settled(2)

    asyncio.run(scene.during(act))
    (letter,) = scene.letters()
    assert (letter.event_id, letter.reason) == ("bad", {"when": "when_not_boolean", "order_by": "bad_order_key"}[part])
    assert scene.target.arrived == ["good"]


def test_a_stored_event_that_cannot_be_read_is_a_dead_letter_byte_for_byte(tmp_path: Path) -> None:
    scene = LaneScene(tmp_path, Target())

    async def act() -> None:
        await scene.add_raw(b"\xff{", "x")
        await scene.add("good")
        await scene.settled(2)

    asyncio.run(scene.during(act))
    assert [letter.payload for letter in scene.letters()] == [b"\xff{"]
    assert scene.target.arrived == ["good"]


def test_an_open_breaker_costs_no_attempts_and_pulls_no_more_than_it_could_send(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "PULL_WAIT", 0.01)
    target = Target(lambda event, attempt: RETRY)
    scene = LaneScene(tmp_path, target, ordered=False, in_flight=3)

    async def act() -> None:
        for number in range(200):
            await scene.add(str(number))
        await scene.until(lambda: scene.lane.state == "open")
        await asyncio.sleep(0.05)
        attempts, handed_out = len(target.attempts), len(scene.inbox.unacknowledged())
        for number in range(200, 300):
            await scene.add(str(number))
        await asyncio.sleep(0.1)
        assert len(target.attempts) == attempts
        assert len(scene.inbox.unacknowledged()) == handed_out
        target.behaviour = lambda event, attempt: DELIVERED
        scene.clock[0] += 2
        await scene.settled(300)

    asyncio.run(scene.during(act))
    assert len(set(target.arrived)) == 300
    assert scene.letters() == []


def test_no_more_than_the_route_says_are_under_way(tmp_path: Path) -> None:
    scene = LaneScene(tmp_path, Target(), ordered=False, in_flight=4)

    async def act() -> None:
        scene.target.open.clear()
        for number in range(30):
            await scene.add(str(number))
        await scene.until(lambda: scene.target.under_way == 4)
        await asyncio.sleep(0.02)
        scene.target.open.set()
        await scene.settled(30)

    asyncio.run(scene.during(act))
    assert scene.target.most_under_way == 4


def test_a_redelivered_message_is_not_sent_again(tmp_path: Path) -> None:
    scene = LaneScene(tmp_path, Target())

    async def act() -> None:
        scene.target.open.clear()
        await scene.add("a")
        await scene.until(lambda: scene.target.under_way == 1)
        scene.inbox.redeliver()
        await scene.add("b", location="B")
        scene.target.open.set()
        await scene.settled(2)

    asyncio.run(scene.during(act))
    assert sorted(scene.target.attempts) == ["a", "b"]


def test_a_replay_is_recorded_for_the_first_message_and_its_dead_letter(tmp_path: Path) -> None:
    scene = LaneScene(tmp_path, Target())

    async def act() -> None:
        await scene.add("a")
        await scene.settled(1)
        headers = {SOURCE: "tills", RAW_SEQ: "1", ORIGIN: "1", DEAD_LETTER: "dl-1"}
        await scene.events.append(Record("replay.stock", scene.events.message(1).payload, "again", headers))
        await scene.settled(2)

    asyncio.run(scene.during(act))
    assert [(line.seq, line.dead_letter) for line in scene.entries()] == [(1, ""), (1, "dl-1")]
    assert len(scene.target.keys["a"]) == 1
