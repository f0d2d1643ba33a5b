"""My events, oldest first, page by page."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway import status
from journal import entry
from journal.entry import Entry
from tests.gateway.asking import Desk, desk


def accepted(number: int, at: int, partner: str = "stores", **more: Any) -> Entry:
    told = {"source": "tills", "id": f"s-{number}", "origin": "/till/1", "type": "pos.sale", **more}
    return Entry(at, entry.GATEWAY, entry.ACCEPTED, partner, raw=number, **told)


async def ids(made: Desk, query: str = "", who: str = "stores") -> list[str]:
    answer = await made.get(f"/v1/events{query}", who)
    assert answer.status == 200, answer.body
    return [item["id"] for item in answer.json()["items"]]


async def all_pages(made: Desk, query: str) -> list[list[str]]:
    pages, cursor = [], ""
    while True:
        answer = (await made.get(f"/v1/events?{query}{cursor}")).json()
        pages.append([item["id"] for item in answer["items"]])
        if answer["next"] is None:
            return pages
        cursor = f"&cursor={answer['next']}"


def test_events_are_listed_by_time_of_acceptance_with_their_status(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = desk(tmp_path)
        routed = Entry(2_500, entry.PROCESS, entry.ROUTED, "stores", "tills", "s-9", "/till/1", "inventory.sold", raw=9)
        made.note(accepted(8, 3_000), accepted(9, 2_000), routed)
        answer = (await made.get("/v1/events")).json()
        assert answer == {
            "items": [
                {"id": "s-9", "source": "/till/1", "type": "pos.sale", "accepted": "1970-01-01T00:00:02.000Z",
                 "status": "routed"},
                {"id": "s-8", "source": "/till/1", "type": "pos.sale", "accepted": "1970-01-01T00:00:03.000Z",
                 "status": "accepted"},
            ],
            "next": None,
        }  # fmt: skip

    asyncio.run(scenario())


def test_an_event_whose_gateway_was_killed_before_it_noted_it_is_listed_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = desk(tmp_path)
        failed = Entry(2_500, entry.PROCESS, entry.DEAD_LETTERED, "stores", "tills", "s-1", "/till/1", "pos.sale", 1)
        made.note(failed, failed._replace(at=3_000, outcome=entry.ROUTED))
        assert await ids(made) == ["s-1"]

    asyncio.run(scenario())


def test_pages_hold_every_event_once_and_those_of_one_millisecond_too(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = desk(tmp_path)
        made.note(*(accepted(number, 1_000 + number // 4) for number in range(1, 12)))
        pages = await all_pages(made, "limit=3")
        assert pages[0] == ["s-1", "s-2", "s-3"]
        assert [one for page in pages for one in page] == [f"s-{number}" for number in range(1, 12)]

    asyncio.run(scenario())


def test_since_until_source_and_status_narrow_the_list(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = desk(tmp_path)
        made.note(*(accepted(number, number * 1_000, origin=f"/till/{number % 2}") for number in range(1, 7)))
        assert await ids(made, "?since=1970-01-01T00:00:03Z&until=1970-01-01T01:00:05%2B01:00") == ["s-3", "s-4"]
        assert await ids(made, "?source=/till/0") == ["s-2", "s-4", "s-6"]
        assert await ids(made, "?status=delivered") == []
        assert await ids(made, "?status=accepted&source=/till/1&limit=1") == ["s-1"]

    asyncio.run(scenario())


def test_a_filter_that_few_events_fit_costs_a_bounded_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "SCAN", 200)

    async def scenario() -> None:
        made = desk(tmp_path)
        made.note(*(accepted(number, number) for number in range(1, 500)), accepted(500, 500, origin="/till/2"))
        pages = await all_pages(made, "source=/till/2")
        assert (len(pages) > 1, pages[-1], pages[0]) == (True, ["s-500"], [])

    asyncio.run(scenario())


def test_a_partner_lists_only_its_own_even_with_the_cursor_of_another(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = desk(tmp_path)
        made.note(*(accepted(number, number) for number in range(1, 5)), accepted(5, 5, "acme", source="acme"))
        cursor = (await made.get("/v1/events?limit=2")).json()["next"]
        assert await ids(made, f"?cursor={cursor}", "acme") == ["s-5"]
        assert await ids(made, "", "acme") == ["s-5"]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=1001", "limit=1e2", "limit=-1", "limit=", "limit=%D9%A1", "since=yesterday",
        "since=2026-11-21", "since=2026-13-21T00:00:00Z", "since=2026-11-21T09:30:00",
        "until=2026-11-21T09:30:00+01:00",
        "status=lost", "status=", "source=", "source=a%00b",
        "cursor=", "cursor=AAAA", "cursor=MS4x%0A", "cursor=%F0%9F%92%A9", "cursor=MS4xIA",
        "cursor=MDEuMQ", "cursor=OTk5OTk5OTk5OTk5OTk5OTk5OS4x", "limit=1&limit=2", "sinse=2026-11-21T09:30:00Z",
    ],
)  # fmt: skip
def test_a_parameter_that_does_not_fit_is_refused(tmp_path: Path, query: str) -> None:
    async def scenario() -> None:
        answer = await desk(tmp_path).get(f"/v1/events?{query}")
        assert (answer.status, answer.json()["type"]) == (400, "urn:crossdock:problem:invalid_request")

    asyncio.run(scenario())
