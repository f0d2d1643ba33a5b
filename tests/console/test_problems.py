"""`/ops/v1/problems`: dead letters of one cause are one problem, which people own, resolve and see again."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from journal import entry
from journal.store import CauseCount
from tests.console.opsmade import DEAD, Office, office

NOW = int(time.time() * 1000)


def failed(made: Office, number: int, detail: str, *, at: int = NOW, partner: str = "stores") -> None:
    """Let a delivery end as a dead letter."""
    line = DEAD._replace(at=at, partner=partner, detail=detail, dead_letter=f"dl-{number}")
    made.journal.project([line], made.journal.position() + 1)


def scene(tmp_path: Path, act: Callable[[Office], Awaitable[None]]) -> None:
    async def scenario() -> None:
        await act(office(tmp_path))

    asyncio.run(scenario())


async def listed(made: Office, query: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await made.call("GET", f"/ops/v1/problems{query}")).json()["items"]
    return items


def test_dead_letters_of_one_cause_are_one_problem(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        for number, detail in enumerate(["HTTP 422: order 1", "HTTP 422: order 2", "HTTP 409: twice"], 2):
            failed(made, number, detail, partner="web" if number == 3 else "stores")
        failed(made, 5, "HTTP 422: order 3", at=NOW - 7_200_000)
        first, *rest = await listed(made)
        assert (first["reason"], first["place"], first["route"], first["stage"]) == (
            "refused", "HTTP 422", "stock", "deliver",
        )  # fmt: skip
        assert (first["open"], first["total"], first["last_hour"]) == (3, 3, 2)
        assert (first["first_seen"], first["last_seen"]) == (NOW - 7_200_000, NOW)
        assert (first["partners"], first["sample"], first["state"]) == (["stores", "web"], "dl-2", "open")
        assert [one["place"] for one in rest] == ["HTTP 409", "HTTP 400"]
        letters = (await made.call("GET", f"/ops/v1/dead-letters?problem={first['id']}")).json()["items"]
        assert [(one["id"], one["problem"]) for one in letters] == [(i, first["id"]) for i in ("dl-3", "dl-2", "dl-5")]

    scene(tmp_path, act)


def test_what_is_resolved_opens_again_when_it_fails_again(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        (problem,) = await listed(made)
        path = f"/ops/v1/problems/{problem['id']}"
        done = (await made.call("PATCH", path, {"state": "resolved"})).json()
        assert (done["state"], done["regressed"], done["open"]) == ("resolved", False, 1)
        assert await listed(made, "?state=open") == []
        failed(made, 2, "HTTP 400", at=int(time.time() * 1000) + 60_000)
        (again,) = await listed(made, "?state=open")
        assert (again["id"], again["regressed"], again["open"]) == (problem["id"], True, 2)

    scene(tmp_path, act)


def test_who_owns_it_until_when_and_the_notes_are_kept_and_noted_in_the_audit(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        (problem,) = await listed(made)
        path = f"/ops/v1/problems/{problem['id']}"
        said = {"state": "acknowledged", "owner": "ann", "due": NOW - 1, "note": "asked the ERP team"}
        await made.call("PATCH", path, said)
        shown = (await made.call("GET", path)).json()
        assert (shown["state"], shown["owner"], shown["due"], shown["overdue"]) == (
            "acknowledged",
            "ann",
            NOW - 1,
            True,
        )
        assert [(one["who"], one["text"]) for one in shown["notes"]] == [("token", "asked the ERP team")]
        (noted,) = (await made.call("GET", "/ops/v1/audit")).json()["items"]
        assert (noted["act"], noted["on"], noted["detail"]) == ("problem.change", problem["id"], said)
        assert len(await listed(made, "?owner=ann&route=stock&reason=refused")) == 1
        assert await listed(made, "?owner=bob") == []

    scene(tmp_path, act)


@pytest.mark.parametrize(
    "said", [{}, {"state": "done"}, {"due": -1}, {"stat": "open"}, {"note": ""}, {"owner": "x" * 101}]
)
def test_what_says_nothing_is_refused(tmp_path: Path, said: dict[str, Any]) -> None:
    async def act(made: Office) -> None:
        (problem,) = await listed(made)
        assert (await made.call("PATCH", f"/ops/v1/problems/{problem['id']}", said)).status == 422
        assert (await made.call("PATCH", "/ops/v1/problems/pr-0", {"state": "open"})).status == 404
        assert (await made.call("GET", "/ops/v1/audit")).json()["items"] == []

    scene(tmp_path, act)


def test_what_ended_is_counted_and_no_longer_open(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        made.journal.project([DEAD._replace(at=9, outcome=entry.DELIVERED)], 2)
        (problem,) = await listed(made)
        assert (problem["open"], problem["resolved"], problem["total"]) == (0, 1, 1)
        (count,) = made.journal.causes(0)
        assert isinstance(count, CauseCount)

    scene(tmp_path, act)
