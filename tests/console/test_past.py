"""`GET /ops/v1/raw`: events as they were accepted, page by page, as `crossdock plan` reads them."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from console import past
from crossdock.kernel.stream import ORIGIN, Record
from crossdock.plan import past as plan_past
from crossdock.plan.past import fetch_past
from tests.console.opsmade import Office, office

RAW = "raw.stores.tills"
HEADERS = {"content-type": "application/json", "ce-id": "1", "Nats-Msg-Id": "k"}


def ask(root: Path, *records: Record, query: str = "") -> Any:
    async def scenario() -> Any:
        made = await filled(root, *records)
        return (await made.call("GET", f"/ops/v1/raw?{query}")).json()

    return asyncio.run(scenario())


async def filled(root: Path, *records: Record) -> Office:
    made = office(root)
    await made.streams.append_all(records)
    return made


def numbered(number: int) -> list[Record]:
    return [Record(RAW, str(i).encode(), f"k{i}", HEADERS) for i in range(1, number + 1)]


def test_an_event_is_told_with_its_source_its_envelope_and_its_bytes(tmp_path: Path) -> None:
    (item,) = ask(tmp_path, Record(RAW, b'{"n": 9007199254740993}', "k", HEADERS))["items"]
    assert item.pop("at") > 0
    assert item == {
        "seq": 1, "partner": "stores", "source": "tills", "headers": {"content-type": "application/json", "ce-id": "1"},
        "body": '{"n": 9007199254740993}',
    }  # fmt: skip


def test_bytes_that_are_no_text_are_told_as_base64(tmp_path: Path) -> None:
    (item,) = ask(tmp_path, Record(RAW, b"\xff", "k"))["items"]
    assert item["body_base64"] == "/w=="


def test_what_was_replayed_is_told_once(tmp_path: Path) -> None:
    page = ask(tmp_path, *numbered(2), Record(RAW, b"1", "again", {ORIGIN: "1"}))
    assert ([item["seq"] for item in page["items"]], page["last"]) == ([1, 2], 3)


def test_a_page_ends_where_it_is_asked_to(tmp_path: Path) -> None:
    page = ask(tmp_path, *numbered(5), query="after=1&limit=2")
    assert ([item["body"] for item in page["items"]], page["last"]) == (["2", "3"], 3)


def test_a_page_has_a_bound_in_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "MOST_BYTES", 1)
    assert ask(tmp_path, *numbered(3))["last"] == 1


def test_nothing_is_an_empty_page(tmp_path: Path) -> None:
    assert ask(tmp_path) == {"items": [], "last": 0}


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "after=-1", "since=yesterday"])
def test_a_query_that_makes_no_sense_is_refused(tmp_path: Path, query: str) -> None:
    async def scenario() -> None:
        assert (await office(tmp_path).call("GET", f"/ops/v1/raw?{query}")).status == 422

    asyncio.run(scenario())


@pytest.mark.parametrize(("number", "expected"), [(5, "56789"), (9, "123456789"), (50, "123456789"), (1, "9")])
def test_a_plan_of_the_newest_begins_where_they_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, expected: str
) -> None:
    monkeypatch.setattr(plan_past, "PAGE", 2)
    made = asyncio.run(filled(tmp_path, *numbered(9)))
    found = fetch_past(lambda path: asyncio.run(made.call("GET", path)).json(), 0, number)
    assert b"".join(one.body for one in found).decode() == expected


def test_a_plan_of_the_newest_of_nothing_is_nothing(tmp_path: Path) -> None:
    made = office(tmp_path)
    assert not list(fetch_past(lambda path: asyncio.run(made.call("GET", path)).json(), 0, 5))


def test_a_plan_reads_page_after_page_up_to_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "MOST_BYTES", 2)
    made = asyncio.run(filled(tmp_path, *numbered(9)))
    asked = []

    def get(path: str) -> Any:
        asked.append(path)
        return asyncio.run(made.call("GET", path)).json()

    found = list(fetch_past(get, 1, 5))
    assert [one.body for one in found] == [b"1", b"2", b"3", b"4", b"5"]
    assert len(asked) == 3
