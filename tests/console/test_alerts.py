"""`/ops/v1/alerts`: what stands and why, who knows, whether a channel works; acts are noted before they are done."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from fastapi import FastAPI

from console.access import gate
from console.alerts import add_alerts
from console.desk import Desk
from console.door import Door
from crossdock.adapters.memoryaudit import MemoryAudit
from dlq.audit import Audit
from tests.alerts.scene import World, world
from tests.asgi import Answer, call
from tests.console.accessmade import open_access

HIGH: dict[str, float | None] = {"route stock": 250.0, "route orders": 3.0}


class Office:
    """The paths of alerts, in a world whose clock is set."""

    def __init__(self, here: World) -> None:
        self.here, self.engine = here, here.engine()
        self.audit = Audit(MemoryAudit())
        self.app = FastAPI()
        project = SimpleNamespace(alerts=here.alerts)
        desk = SimpleNamespace(project=project, alerts=self.engine, audit=self.audit)
        add_alerts(self.app, cast(Desk, desk), gate)
        self.app.add_middleware(Door, access=open_access("t"))

    async def call(self, method: str, path: str = "", body: bytes = b"") -> Answer:
        headers = {"authorization": "Bearer t", "content-type": "application/json"}
        return await call(self.app, method, f"/ops/v1/alerts{path}", headers, body)

    async def shown(self) -> dict[str, Any]:
        return cast(dict[str, Any], (await self.call("GET")).json())

    async def acts(self) -> list[tuple[str, str]]:
        return [(one.act, one.on) for one in (await self.audit.newest(10, 0, "", ""))[0]]


def scene(tmp_path: Path, act: Callable[[Office], Awaitable[None]]) -> None:
    async def scenario() -> None:
        made = Office(world(tmp_path))
        made.here.figures_ = dict(HIGH)
        await made.here.look(made.engine)
        await made.here.look(made.engine, seconds=60)
        await act(made)

    asyncio.run(scenario())


def test_what_fires_is_shown_with_its_figure_page_and_what_to_do(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        (one,) = (await made.shown())["firing"]
        assert one["id"].startswith("al-")
        assert (one["alert"], one["severity"], one["figure"]) == ("erp-lag", "page", 250)
        assert one["subject"] == {"sort": "route", "name": "stock"}
        assert one["text"] == "events wait for route stock: 250 events, allowed 100 events"
        assert (one["page"], one["do"]) == ("https://ops.example/routes/stock", "Call the ERP team")
        assert one["fired"] - one["since"] == 60_000
        assert one["acknowledged"] is None

    scene(tmp_path, act)


def test_what_has_ended_is_recent(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        made.here.figures_ = {"route stock": 1.0, "route orders": 500.0}
        await made.here.look(made.engine, seconds=5)
        shown = await made.shown()
        assert [(one["state"], one["subject"]["name"]) for one in shown["recent"]] == [("resolved", "stock")]
        assert [one["subject"]["name"] for one in shown["pending"]] == ["orders"]
        assert shown["firing"] == []

    scene(tmp_path, act)


def test_rules_and_channels_are_shown_with_what_is_wrong_with_them(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        made.here.away, made.here.unknown = {"two"}, "journal: away"
        await made.here.look(made.engine, seconds=3600)
        shown = await made.shown()
        (rule,) = shown["rules"]
        assert (rule["alert"], rule["for"], rule["to"], rule["fault"], rule["firing"]) == (
            "erp-lag", 60, ["one", "two"], "journal: away", 1,
        )  # fmt: skip
        assert rule["at"].startswith("alerts/a.yaml:2")
        channels = {one["channel"]: one for one in shown["channels"]}
        assert channels.keys() == {"log", "one", "two"}
        assert (channels["one"]["last"]["ok"], channels["log"]["last"]) == (True, None)

    scene(tmp_path, act)


def test_who_acknowledges_is_noted_and_shown(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        (one,) = (await made.shown())["firing"]
        answer = await made.call("POST", f"/{one['id']}/acknowledge", b'{"note": "on it", "for": "2h"}')
        by = answer.json()["acknowledged"]
        assert (by["note"], by["until"] - by["at"], bool(by["who"])) == ("on it", 7_200_000, True)
        assert await made.acts() == [("alert.acknowledge", one["id"])]
        answer = await made.call("POST", f"/{one['id']}/acknowledge", b'{"for": "0s"}')
        assert answer.json()["acknowledged"] is None

    scene(tmp_path, act)


def test_an_alert_that_never_stood_and_a_span_that_is_none_are_refused(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        (one,) = (await made.shown())["firing"]
        assert (await made.call("POST", "/al-000000000000/acknowledge", b"{}")).status == 404
        assert (await made.call("POST", f"/{one['id']}/acknowledge", b'{"for": "soon"}')).status == 422
        assert await made.acts() == []

    scene(tmp_path, act)


def test_a_channel_is_tried_and_what_came_of_it_is_told_and_kept(tmp_path: Path) -> None:
    async def act(made: Office) -> None:
        assert (await made.call("POST", "/test", b'{"channel": "two"}')).json()["ok"]
        assert made.here.got[-1][1].state == "test"
        made.here.away = {"two"}
        answer = (await made.call("POST", "/test", b'{"channel": "two"}')).json()
        assert (answer["ok"], answer["detail"]) == (False, "HTTP 503")
        last = {one["channel"]: one["last"] for one in (await made.shown())["channels"]}["two"]
        assert last["detail"] == "HTTP 503"
        assert await made.acts() == [("alert.test", "two"), ("alert.test", "two")]
        refused = await made.call("POST", "/test", b'{"channel": "tow"}')
        assert (refused.status, "log, one, two" in refused.json()["detail"]) == (404, True)

    scene(tmp_path, act)
