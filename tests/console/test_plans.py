"""`/ops/v1/plans`: counted and frozen, run, paused and cancelled by people, each of which is in the audit log."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.console.opsmade import DEAD, Office, office


def scene(tmp_path: Path, act: Callable[[Office], Awaitable[None]]) -> None:
    async def scenario() -> None:
        await act(office(tmp_path))

    asyncio.run(scenario())


async def made(office_: Office, **wanted: Any) -> dict[str, Any]:
    answer = await office_.call("POST", "/ops/v1/plans", wanted)
    assert answer.status == 201, answer.body
    document: dict[str, Any] = answer.json()
    return document


async def ended(office_: Office, plan: str) -> dict[str, Any]:
    async with asyncio.timeout(10):
        while True:
            shown: dict[str, Any] = (await office_.call("GET", f"/ops/v1/plans/{plan}")).json()
            if shown["state"] != "running":
                return shown
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("by", ["ids", "route", "reason", "problem"])
def test_a_plan_counts_what_it_would_send_and_sends_nothing(tmp_path: Path, by: str) -> None:
    async def act(office_: Office) -> None:
        gone = DEAD._replace(dead_letter="dl-2", id="s-2", ref=8)
        office_.journal.project([gone], 2)
        (letter, _) = (await office_.call("GET", "/ops/v1/dead-letters")).json()["items"]
        wanted = {"ids": ["dl-1", "dl-2", "dl-1"], "route": "stock", "reason": "refused", "problem": letter["problem"]}
        plan = await made(office_, **{by: wanted[by]}, why="the ERP is back")
        assert (plan["total"], plan["past_retention"], plan["state"]) == (1, 1, "planned")
        assert (plan["reason"], plan["who"]) == ("the ERP is back", "token")
        assert office_.streams.records == []
        assert [one["id"] for one in (await office_.call("GET", "/ops/v1/plans")).json()["items"]] == [plan["id"]]

    scene(tmp_path, act)


def test_a_plan_that_is_run_sends_its_dead_letters_and_tells_how_they_are(tmp_path: Path) -> None:
    async def act(office_: Office) -> None:
        plan = await made(office_, ids=["dl-1"], rate=10_000)
        begun = await office_.call("POST", f"/ops/v1/plans/{plan['id']}/run")
        assert (begun.status, begun.json()["state"]) == (200, "running")
        done = await ended(office_, plan["id"])
        assert (done["state"], done["sent"]) == ("done", 1)
        assert done["report"] == {"counted": 1, "targets": [{"target": "stock", "still_open": 1}]}
        assert [record.subject for record, _ in office_.streams.records] == ["journal.entries", "replay.stock"]
        for again in ("run", "pause", "cancel"):
            answer = await office_.call("POST", f"/ops/v1/plans/{plan['id']}/{again}")
            assert (answer.status, "is done" in answer.json()["detail"]) == (409, True)
        (noted,) = (await office_.call("GET", "/ops/v1/audit")).json()["items"]
        assert (noted["act"], noted["on"], noted["detail"]["total"]) == ("plan.run", plan["id"], 1)

    scene(tmp_path, act)


def test_a_plan_is_paused_and_cancelled(tmp_path: Path) -> None:
    async def act(office_: Office) -> None:
        plan = await made(office_, ids=["dl-1"])
        for word, state in (("pause", "paused"), ("cancel", "cancelled")):
            answer = await office_.call("POST", f"/ops/v1/plans/{plan['id']}/{word}")
            assert answer.json()["state"] == state
        assert (await office_.call("POST", f"/ops/v1/plans/{plan['id']}/run")).status == 409
        assert office_.streams.records == []
        noted = (await office_.call("GET", "/ops/v1/audit")).json()["items"]
        assert [one["act"] for one in noted] == ["plan.cancel", "plan.pause"]

    scene(tmp_path, act)


@pytest.mark.parametrize(
    ("wanted", "status", "said"),
    [
        ({"reason": "sold-out"}, 422, "nothing is selected by reason sold-out"),
        ({"route": "stock", "reason": "sold-out"}, 422, "nothing is selected by route stock, reason sold-out"),
        ({"events": {"key": "k-0"}, "to": "all"}, 422, "nothing is selected by key k-0"),
        ({"ids": ["dl-2"]}, 422, "nothing is selected by ids (1); what was found (1) is past its retention"),
        ({"problem": "pr-x"}, 404, "no problem pr-x"),
    ],
)
def test_no_plan_is_made_of_nothing(tmp_path: Path, wanted: Any, status: int, said: str) -> None:
    async def act(office_: Office) -> None:
        office_.journal.project([DEAD._replace(dead_letter="dl-2", id="s-2", ref=8)], 2)
        answer = await office_.call("POST", "/ops/v1/plans", wanted)
        assert (answer.status, answer.json()) == (status, {"detail": said})
        assert (await office_.call("GET", "/ops/v1/plans")).json()["items"] == []

    scene(tmp_path, act)


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({}, 422),
        ({"ids": ["dl-9"]}, 404),
        ({"route": "stok"}, 404),
        ({"ids": ["dl-1"], "rate": 0}, 422),
        ({"id": 1}, 422),
    ],
)
def test_a_selection_of_nothing_in_particular_is_refused(tmp_path: Path, wanted: Any, status: int) -> None:
    async def act(office_: Office) -> None:
        assert (await office_.call("POST", "/ops/v1/plans", wanted)).status == status
        assert (await office_.call("GET", "/ops/v1/plans")).json()["items"] == []
        for path in ("", "/run"):
            method = "POST" if path else "GET"
            assert (await office_.call(method, f"/ops/v1/plans/rp-0{path}")).status == 404

    scene(tmp_path, act)
