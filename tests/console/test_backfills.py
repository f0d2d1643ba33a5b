"""The operations API of backfills and of what is given up."""

import asyncio
from pathlib import Path

from crossdock.kernel.event import Event, encode_structured
from crossdock.kernel.stream import Record
from journal.entry import SUBJECT, unpack
from tests.console.opsmade import Office, office

PATH = "/ops/v1/routes/stock/backfill"


async def stored(made: Office, number: int) -> None:
    for n in range(number):
        event = Event(f"s-{n}", "/till", "inventory.sold", {"location": "A", "lines": [1, 2]})
        await made.streams.append(Record("event.inventory.sold", encode_structured(event), f"e{n}"))


def test_a_backfill_is_planned_made_and_shown(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = office(tmp_path)
        await stored(made, 3)
        assert (await made.call("GET", PATH)).status == 404
        planned = (await made.call("POST", PATH, {"from": "beginning", "dry_run": True})).json()
        assert (planned["total"], planned["sent"], planned["state"]) == (3, 0, "planned")
        assert planned["delivered"] == 0
        assert len(made.streams.records) == 3
        begun = (await made.call("POST", PATH, {"from": "2026-01-01T00:00Z", "to": "2999-01-01"})).json()
        assert (begun["total"], begun["state"]) == (3, "running")
        async with asyncio.timeout(5):
            while (shown := (await made.call("GET", PATH)).json())["state"] == "running":  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert (shown["state"], shown["sent"]) == ("done", 3)
        assert [r.subject for r, _ in made.streams.records].count("replay.stock") == 3
        assert (await made.call("DELETE", PATH)).json()["state"] == "done"

    asyncio.run(scenario())


def test_what_is_no_time_or_no_route_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = office(tmp_path)
        for body in ({"from": "yesterday"}, {"to": "soon"}):
            answer = await made.call("POST", PATH, body)
            assert answer.status == 422
            assert "is no date and time such as" in answer.json()["detail"]
        for method in ("GET", "POST", "DELETE"):
            assert (await made.call(method, "/ops/v1/routes/nowhere/backfill", {})).status == 404

    asyncio.run(scenario())


def test_what_a_person_gives_up_is_discarded_with_the_reason_and_only_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = office(tmp_path)
        answer = await made.call("POST", "/ops/v1/discards", {"ids": ["dl-1"], "reason": "booked by hand"})
        assert answer.json()["items"] == [{"id": "dl-1", "event_id": "s-1", "outcome": "discarded"}]
        (line,) = [one for r, _ in made.streams.records if r.subject == SUBJECT for one in unpack(r.payload)]
        assert (line.outcome, line.detail, line.route, line.dead_letter) == (
            "discarded",
            "booked by hand",
            "stock",
            "dl-1",
        )
        assert made.unparked == ["dl-1"]
        made.journal.project([line], 2)
        again = await made.call("POST", "/ops/v1/discards", {"ids": ["dl-1"], "reason": "again"})
        assert [item["outcome"] for item in again.json()["items"]] == ["skipped"]
        for body in ({"ids": ["dl-1"]}, {"ids": [], "reason": "x"}, {"ids": ["dl-1"], "reason": ""}):
            assert (await made.call("POST", "/ops/v1/discards", body)).status == 422
        assert (await made.call("POST", "/ops/v1/discards", {"ids": ["dl-2"], "reason": "x"})).status == 404

    asyncio.run(scenario())
