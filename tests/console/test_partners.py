"""`/ops/v1/partners` and `/ops/v1/sources`: what partners sent, what it costs them, and who is silent."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from crossdock.pipeline.rhythm import DAY
from journal import entry
from journal.entry import Entry
from tests.console.opsmade import Office, office
from tests.console.test_drift import came

NOW = int(time.time() * 1000)
ACCEPTED = Entry(NOW, entry.GATEWAY, entry.ACCEPTED, "stores", "tills", type="pos.sale")


def scene(tmp_path: Path, act: Callable[[Office], Awaitable[None]]) -> None:
    async def scenario() -> None:
        await act(office(tmp_path))

    asyncio.run(scenario())


def note(made: Office, *lines: Entry) -> None:
    made.journal.project(lines, made.journal.position() + 1)


def sold(number: int, outcome: str = entry.ROUTED, at: int = NOW, **more: Any) -> list[Entry]:
    """Return the entries of events that were accepted and processed."""
    lines = []
    for index in range(number):
        first = ACCEPTED._replace(at=at, id=f"{outcome}-{at}-{index}", raw=1000 + index)
        lines += [first, first._replace(stage=entry.PROCESS, outcome=outcome, **more)]
    return lines


async def one(made: Office) -> dict[str, Any]:
    found: dict[str, Any] = (await made.call("GET", "/ops/v1/partners/stores")).json()
    return found


def test_a_scorecard_counts_what_came_and_says_what_each_lost_point_is_for(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        conflict = sold(2, entry.DEAD_LETTERED, reason="id_conflict", dead_letter="dl-x")
        note(made, *sold(90), *sold(8, entry.QUARANTINED, dead_letter="dl-y"), *conflict)
        made.drifts.known.refused({"gateway": {("stores", "invalid_json"): 25, ("other", "invalid_json"): 9}}, NOW)
        made.drifts.known.refused(
            {"gateway": {("stores", "invalid_json"): 25, ("stores", "unverified:missing"): 5}}, NOW
        )
        rhythm = made.drifts.known.rhythm("tills")
        for lag in (0.3, 0.3, 0.3, 4000):
            rhythm.timed(f"/till/{lag}", NOW / 1000 - lag, NOW)
        # when
        found = await one(made)
        # then
        assert (found["sent"], found["accepted"], found["refused"], found["unverified"]) == (125, 100, 25, 5)
        assert (found["quarantined"], found["id_conflicts"], found["unusable"]) == (8, 2, 8)
        assert (found["late"], found["timed"], found["lag"]) == (1, 4, {"p50": 0.5, "p95": 14400})
        assert found["refused_by_code"] == {"invalid_json": 25, "unverified:missing": 5}
        points = {loss["rule"]: loss["points"] for loss in found["lost"]}
        assert points == {"refused": 20.0, "id_conflicts": 10.0, "unusable": 8.0, "late": 5.0, "unverified": 2.0}
        assert found["score"] == 55.0
        assert [source["source"] for source in found["sources"]] == ["tills"]

    scene(tmp_path, act)


def test_the_same_days_before_are_told_beside_it(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        note(made, *sold(30), *sold(20, at=NOW - 7 * DAY))
        found = await one(made)
        assert (found["accepted"], found["before"]["accepted"], found["change"]["accepted"]) == (30, 20, 0.5)
        assert (found["score"], found["before"]["score"]) == (100.0, 100.0)
        today = (await made.call("GET", "/ops/v1/partners?days=1")).json()["items"][0]
        assert (today["accepted"], today["before"]["score"]) == (30, None)

    scene(tmp_path, act)


def test_drift_and_silence_cost_points_and_what_an_open_schema_always_left_out_does_not(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        note(made, *sold(10))
        await came(made, *[{}] * 120)
        await came(made, {"colour": "red"})
        rhythm = made.drifts.known.rhythm("tills")
        rhythm.last = 0  # as if they had come a day ago
        for at in range(NOW - DAY - 600_000, NOW - DAY, 60_000):
            rhythm.came(1, at)
        found = await one(made)
        assert found["silent"] == ["tills"] and found["drift"]
        assert {loss["rule"] for loss in found["lost"]} == {"drift", "silent"}

    scene(tmp_path, act)


def test_what_is_refused_costs_points_once_and_is_no_drift_of_a_partner(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        note(made, *sold(10))
        for number in range(3):
            data: dict[str, Any] = {"store": "0042", "receipt": None, "lines": [], "till": number}
            event = {"source": "tills", "type": "pos.sale", "version": "1.0", "id": f"r-{number}", "data": data}
            made.drifts.refused(event)
        made.drifts.known.refused({"gateway": {("stores", "schema_violation"): 3}}, NOW)
        found = await one(made)
        assert [loss["rule"] for loss in found["lost"]] == ["refused"]
        told = {(known["kind"], known["refused"], known["sample"]) for known in found["drift"]}
        assert told == {("unknown_field", True, ""), ("null", True, "")}

    scene(tmp_path, act)


def test_a_partner_of_whom_nothing_came_has_no_score_and_an_unknown_one_is_not_found(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        made.journal.project([], 9)
        (card,) = (await made.call("GET", "/ops/v1/partners?days=1")).json()["items"]
        assert (card["partner"], card["score"]) == ("stores", None)
        answer = await made.call("GET", "/ops/v1/partners/stroes")
        assert (answer.status, "stores" in answer.json()["detail"]) == (404, True)
        assert (await made.call("GET", "/ops/v1/partners?days=8")).status == 422

    scene(tmp_path, act)


def test_a_source_says_what_it_may_send_and_who_and_when_the_last_event_came(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        key = (await made.call("POST", "/ops/v1/keys", {"partner": "stores"})).json()
        await made.call("POST", "/ops/v1/keys", {"partner": "stores", "sources": ["tills"], "expires": "90d"})
        note(made, *sold(3))
        made.drifts.known.rhythm("tills").came(3, NOW)
        answer = await made.call("GET", "/ops/v1/sources")
        (found,) = answer.json()["items"]
        assert (found["source"], found["partner"], found["verify"], found["on_invalid"]) == (
            "tills", "stores", "api_key", "reject",
        )  # fmt: skip
        assert found["types"] == [{"type": "pos.sale", "pin": ""}]
        assert (found["today"]["accepted"], found["last_event"], found["silent"]) == (3, NOW, False)
        assert key["id"] in found["keys"] and len(found["keys"]) == 2
        assert (found["limits"]["batch"], found["limits"]["body"]) == (1000, 262_144)
        assert key["key"] not in answer.body.decode()

    scene(tmp_path, act)
