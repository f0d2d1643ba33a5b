"""Replay plans over past events: what they select, whom they send it to, and what came of each."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from console import selections
from console.masking import shown_patch
from crossdock.kernel.event import Event, encode_structured
from crossdock.kernel.stream import RAW_SEQ, SOURCE, Record
from dlq import plans
from journal import entry
from journal.entry import Entry
from tests import smallproject
from tests.console.letterscene import changes
from tests.console.opsmade import DEAD, ROUTED, Office, office
from tests.console.test_plans import ended, made

AT = 1_790_000_000_000


def scene(tmp_path: Path, act: Callable[[Office], Awaitable[None]]) -> None:
    async def scenario() -> None:
        here = office(tmp_path)
        data = {"location": "STORE-1", "lines": [{"item": "TEA"}, {"item": "COFFEE"}]}
        records = []
        for number in range(1, 4):  # the streams hold three events, of which the first two were delivered
            event = Event(f"p-{number}", "/till/1", "inventory.sold", data, extensions={"partner": "stores"})
            headers = {SOURCE: "tills", RAW_SEQ: str(number + 10)}
            records.append(Record("event.inventory.sold", encode_structured(event), f"e{number}", headers))
        await here.streams.append_all(records)
        here.journal.project([line for number in range(1, 4) for line in lines(number)], 2)
        await act(here)

    asyncio.run(scenario())


def lines(number: int) -> list[Entry]:
    """Return what the journal has of one event; the third was given up at its route."""
    routed = ROUTED._replace(at=AT + number, id=f"p-{number}", raw=number + 10, seq=number, key=f"key-{number}")
    accepted = routed._replace(stage=entry.GATEWAY, outcome=entry.ACCEPTED, type="pos.sale", seq=0)
    last = routed._replace(stage=entry.DELIVER, outcome=entry.DELIVERED, route="stock")
    if number == 3:
        last = last._replace(outcome=entry.DEAD_LETTERED, dead_letter="dl-1", ref=7, reason="refused")
    return [accepted, routed, last]


@pytest.mark.parametrize(
    ("events", "total"),
    [
        ({"from": "2026-09-01T00:00Z", "to": "2027-09-01T00:00Z"}, 3),
        ({"key": "key-2"}, 1),
        ({"partner": "stores", "from": "2026-09-01T00:00Z"}, 3),
        ({"partner": "carriers"}, 0),
        ({"source": "tills", "type": "pos.sale", "from": "2026-09-01T00:00Z"}, 3),
        ({"type": "inventory.sold", "from": "2026-09-01T00:00Z"}, 3),
        ({"type": "inventory.moved"}, 0),
        ({"route": "stock", "outcome": "delivered"}, 2),
        ({"to": "2020-01-01T00:00Z"}, 1),
    ],
)
def test_past_events_are_counted_exactly(
    tmp_path: Path, events: dict[str, str], total: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selections, "PAGE", 2)

    async def act(here: Office) -> None:
        counted = (await here.call("POST", "/ops/v1/plans", {"events": events, "to": "all", "dry_run": True})).json()
        assert counted == {"dry_run": True, "total": total, "past_retention": 0}
        assert (await here.call("GET", "/ops/v1/plans")).json()["items"] == []
        if total:
            plan = await made(here, events=events, to="all")
            assert (plan["of"], plan["total"], plan["asked"]) == ("events", total, {"events": events})
        assert len(here.streams.records) == 3

    scene(tmp_path, act)


def test_only_what_failed_is_sent_unless_all_is_asked_for(tmp_path: Path) -> None:
    async def act(here: Office) -> None:
        failed = await made(here, events={"from": "2026-09-01T00:00Z"})
        assert (failed["of"], failed["total"]) == ("letters", 1)
        everywhere = await made(here, problem="", ids=["dl-1"], to="all")
        assert (everywhere["of"], everywhere["total"]) == ("events", 1)
        other = await made(here, ids=["dl-1"], routes=[])
        assert (other["of"], other["asked"]) == ("letters", {"ids": 1})

    scene(tmp_path, act)


def test_what_was_sent_is_told_by_target_and_what_failed_again_by_name(tmp_path: Path) -> None:
    async def act(here: Office) -> None:
        plan = await made(here, events={"from": "2026-09-01T00:00Z"}, to="all", routes=["stock"], rate=10_000)
        assert (await here.call("POST", f"/ops/v1/plans/{plan['id']}/run")).status == 200
        done = await ended(here, plan["id"])
        assert (done["sent"], done["skipped"], done["gone"]) == (3, 0, 0)
        sent = [record for record, _ in here.streams.records if record.subject == "replay.stock"]
        assert [record.headers["Crossdock-Origin"] for record in sent] == ["1", "2", "3"]
        # when the journal hears of it: one was delivered, one failed again, one is under way
        now = done["begun"] + 1
        again = [line for record, _ in here.streams.records for line in told(record)]
        came = [lines(1)[2], lines(3)[2]._replace(detail="HTTP 400", dead_letter="dl-3")]
        here.journal.project([*again, *(line._replace(at=now + 1000) for line in came)], 3)
        shown = (await here.call("GET", f"/ops/v1/plans/{plan['id']}")).json()
        sums = {"target": "stock", "delivered": 1, "failed_again": 1, "under_way": 1}
        assert shown["report"] == {"counted": 3, "targets": [sums]}
        page = (await here.call("GET", f"/ops/v1/plans/{plan['id']}/items")).json()
        (item,) = page["items"]
        assert (item["place"], item["id"], item["event_id"], item["detail"]) == (2, "dl-3", "p-3", "HTTP 400")
        delivered = (await here.call("GET", f"/ops/v1/plans/{plan['id']}/items?outcome=delivered")).json()
        assert ([one["event_id"] for one in delivered["items"]], delivered["next"]) == (["p-1"], 0)

    scene(tmp_path, act)


def test_an_event_that_came_to_one_route_may_come_to_another_later(tmp_path: Path) -> None:
    async def act(here: Office) -> None:
        plan = await made(here, events={"from": "2026-09-01T00:00Z"}, to="all", from_stage="raw", rate=10_000)
        assert (await here.call("POST", f"/ops/v1/plans/{plan['id']}/run")).status == 200
        now = (await ended(here, plan["id"]))["begun"] + 1000
        came = [lines(n)[2]._replace(at=now, outcome=entry.DELIVERED) for n in (1, 2, 3)]
        again = [line._replace(stage=entry.REPLAY, outcome=entry.REPLAYED, route="") for line in came]
        here.journal.project([*again, *(lines(n)[1]._replace(at=now) for n in (1, 2, 3))], 3)
        for position, route in ((4, "stock"), (5, "orders")):
            # when the journal hears of one route
            here.journal.project([line._replace(route=route) for line in came], position)
            shown = (await here.call("GET", f"/ops/v1/plans/{plan['id']}")).json()["report"]["targets"]
            # then
            assert {"target": route, "delivered": 3} in shown

    scene(tmp_path, act)


def told(record: Record) -> list[Entry]:
    return entry.unpack(record.payload) if record.subject == entry.SUBJECT else []


def test_a_page_ends_where_it_is_asked_to_and_the_next_begins_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "PIECE", 2)

    async def act(here: Office) -> None:
        letters = [DEAD._replace(dead_letter=f"dl-{n}", id=f"s-{n}", at=n) for n in range(1, 6)]
        here.journal.project(letters, 3)
        plan = await made(here, ids=[f"dl-{n}" for n in range(1, 6)], rate=10_000)
        await here.call("POST", f"/ops/v1/plans/{plan['id']}/run")
        await ended(here, plan["id"])
        found, after = list[str](), 0
        while True:
            path = f"/ops/v1/plans/{plan['id']}/items?outcome=still_open&limit=2&after={after}"
            page = (await here.call("GET", path)).json()
            found += [one["id"] for one in page["items"]]
            after = page["next"]
            if not after:
                break
        assert sorted(found) == [f"dl-{n}" for n in range(1, 6)]

    scene(tmp_path, act)


def test_a_plan_warns_when_it_was_not_tried_dry_by_what_is_in_force(tmp_path: Path) -> None:
    async def act(here: Office) -> None:
        plan = await made(here, events={"key": "key-1"}, to="all")
        assert plan["warnings"] == ["it was not tried dry"]
        tried = (await here.call("POST", f"/ops/v1/plans/{plan['id']}/dry-run")).json()
        assert (tried["looked_at"], tried["delivered_already"]) == (1, {"count": 1, "ids": ["p-1"]})
        (warning,) = (await here.call("GET", f"/ops/v1/plans/{plan['id']}")).json()["warnings"]
        assert warning.startswith("it was tried dry by revision abc, but")

    scene(tmp_path, act)


PATCH = [{"op": "replace", "path": "/data/note", "value": 9007199254740993}]


@pytest.mark.parametrize(
    "wanted",
    [
        {"events": {}},
        {"events": {"from": "yesterday"}},
        {"events": {"key": "k"}, "ids": ["dl-1"]},
        {"events": {"key": "k", "colour": "red"}},
        {"ids": ["dl-1"], "to": "some"},
        {"ids": ["dl-1"], "patch": [{"op": "paint"}]},
        {"ids": ["dl-1"], "patch": PATCH, "to": "all"},
        {"ids": ["dl-1"], "patch": PATCH, "from_stage": "raw"},
    ],
)
def test_what_cannot_be_planned_is_said(tmp_path: Path, wanted: dict[str, Any]) -> None:
    async def act(here: Office) -> None:
        answer = await here.call("POST", "/ops/v1/plans", wanted)
        assert (answer.status, bool(answer.json()["detail"])) == (422, True)
        assert (await here.call("POST", "/ops/v1/plans", {"ids": ["dl-1"], "routes": ["stok"]})).status == 404

    scene(tmp_path, act)


def test_a_patch_is_kept_exactly_and_told_by_its_name_only(tmp_path: Path) -> None:
    async def act(here: Office) -> None:
        plan = await made(here, ids=["dl-1"], patch=PATCH)
        assert (plan["edit"][:3], "patch" in plan, "patch" in plan["asked"]) == ("ed-", False, False)

    scene(tmp_path, act)


def test_the_audit_log_has_the_patch_of_a_plan_that_is_run(tmp_path: Path) -> None:
    async def act(here: Office) -> None:
        plan = await made(here, ids=["dl-1"], patch=PATCH)
        await here.call("POST", f"/ops/v1/plans/{plan['id']}/run")
        await ended(here, plan["id"])
        (noted,) = (await here.call("GET", "/ops/v1/audit?act=plan.run")).json()["items"]
        assert (noted["detail"]["edit"], json.loads(noted["detail"]["patch"])) == (plan["edit"], PATCH)

    scene(tmp_path, act)


def test_a_patch_of_events_of_many_types_is_covered_where_any_schema_calls_a_place_personal(tmp_path: Path) -> None:
    personal = smallproject.project(tmp_path, changes()).personal_anywhere
    patch = [{"op": "add", "path": path, "value": {"customer": "Ada"}} for path in ("/data", "/data/customer")]
    patch.append({"op": "add", "path": "/data/till", "value": "7"})
    assert [one["value"] for one in shown_patch(patch, personal)] == [{"customer": "***"}, "***", "7"]
