"""What cannot be read as an event, from an older version or damaged: it stops no plan and no page."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from crossdock.kernel.stream import RAW_SEQ, SOURCE, Message, Record
from journal import entry
from journal.entry import SUBJECT
from tests.console.opsmade import ROUTED, Office, office
from tests.console.test_plans import made
from tests.console.test_rehearsals import tried

AT = 1_790_000_000_000


def scene(tmp_path: Path, act: Callable[[Office], Awaitable[None]]) -> None:
    async def scenario() -> None:
        await act(office(tmp_path))

    asyncio.run(scenario())


@pytest.mark.parametrize("payload", [b"", b"no JSON", b"[]", b"7", b"{}", b'{"specversion":"1.0"}', b'"text"'])
def test_a_dry_run_tells_of_past_events_that_it_cannot_read(tmp_path: Path, payload: bytes) -> None:
    async def act(here: Office) -> None:
        await here.streams.append(Record("event.inventory.sold", payload, "k", {SOURCE: "tills", RAW_SEQ: "11"}))
        seen = ROUTED._replace(at=AT, id="p-1", raw=11, seq=1)
        here.journal.project([seen._replace(stage=entry.GATEWAY, outcome=entry.ACCEPTED, seq=0), seen], 2)
        plan = await made(here, events={"from": "2026-09-01T00:00Z"}, to="all")
        answer = await tried(here, plan["id"])
        assert (answer.status, answer.json()["looked_at"]) == (200, 0)
        examples = answer.json()["patch_unfit"]["examples"]
        assert examples == [{"id": "EVENTS 1", "why": "it cannot be read as an event"}]

    scene(tmp_path, act)


def test_messages_of_the_journal_that_were_stepped_over_are_listed_and_shown_to_operators(tmp_path: Path) -> None:
    async def act(here: Office) -> None:
        await here.unreadable.note(Message(4, SUBJECT, b"x\xff", {}, 1, 5.0), "no JSON")
        (found,) = (await here.call("GET", "/ops/v1/journal/unreadable")).json()["items"]
        assert (await here.call("GET", "/ops/v1/journal/unreadable?limit=0")).json() == {"total": 1, "items": []}
        assert found == {"seq": 4, "at": 5000, "why": "no JSON", "bytes": 2}
        assert (await here.call("GET", "/ops/v1/journal/unreadable/5")).status == 404
        answer = await here.call("GET", "/ops/v1/journal/unreadable/4")
        assert (answer.status, "retention" in answer.json()["detail"]) == (404, True)
        # when
        for number in range(3):
            await here.streams.append(Record("event.x", b"{}", f"k{number}"))
        await here.streams.append(Record(SUBJECT, b"x\xff" * 40_000, "poison"))
        shown = (await here.call("GET", "/ops/v1/journal/unreadable/4")).json()
        # then
        assert (shown["text"][:10], len(shown["text"]), shown["left_out"]) == ("x\\xffx\\xff", 65_536, 134_464)
        noted = (await here.call("GET", "/ops/v1/audit?act=journal.read")).json()["items"]
        assert [one["on"] for one in noted] == ["4", "4"]
        # and when somebody knows of it
        assert (await here.call("DELETE", "/ops/v1/journal/unreadable/4")).json() == found
        assert (await here.call("GET", "/ops/v1/journal/unreadable")).json()["total"] == 0
        assert (await here.call("DELETE", "/ops/v1/journal/unreadable/4")).status == 404
        noted = (await here.call("GET", "/ops/v1/audit?act=journal.dismiss")).json()["items"]
        assert [one["on"] for one in noted] == ["4"]

    scene(tmp_path, act)
