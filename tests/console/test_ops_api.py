"""The operations API: a token for everything, what operators see and do, and that secrets stay out of its answers."""

import asyncio
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from console.api import create_app
from console.desk import Desk
from console.identity import Access
from crossdock.adapters.memory import MemoryKeys, MemoryUses
from crossdock.adapters.memoryaudit import MemoryAudit
from crossdock.adapters.memorybackfills import MemoryBackfills
from crossdock.adapters.memoryrecords import MemoryRecords
from crossdock.adapters.memorysample import MemorySample
from crossdock.adapters.sql import SqlJournal
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Lag, Message
from crossdock.pipeline.backfiller import Backfiller
from crossdock.pipeline.drifting import Drifts
from crossdock.pipeline.driftstore import Known
from dlq.approvals import Approvals
from dlq.audit import Audit
from dlq.problems import Marks
from dlq.record import DeadLetter
from journal import entry
from journal.entry import Entry
from journal.ledger import Ledger
from tests.asgi import Answer, call
from tests.console.accessmade import open_access
from tests.console.office import Examined, OpenOffice, alarm, nothing_tried, replayer
from tests.pipeline.scene import FlakyLog
from tests.smallproject import project

TOKEN = "token-of-the-operator"
ACCEPTED = Entry(1, entry.GATEWAY, entry.ACCEPTED, "stores", "tills", "s-1", "/till/1", "pos.sale", raw=1)
ROUTED = Entry(
    2, entry.PROCESS, entry.ROUTED, "stores", "tills", "s-1", "/till/1", "inventory.sold", 1, 5, key="0042/7"
)
DEAD = Entry(
    3, entry.DELIVER, entry.DEAD_LETTERED, "stores", "tills", "s-1", "/till/1", "inventory.sold", 1, 5, "stock",
    "0042/7",
    "refused", "HTTP 400", 7, "dl-1",
)  # fmt: skip
CANONICAL = (
    b'{"specversion":"1.0","id":"s-1","source":"/till/1","type":"inventory.sold","dataschema":"x:/inventory.sold/1.0",'
    b'"data":{"location":"STORE-0042","lines":[],"n":9007199254740993}}'
)
LETTER = DeadLetter(
    "dl-1", "deliver", "stores", "tills", "stock", "s-1", "inventory.sold", "refused", "HTTP 400", (), 2, 1, 2, 5, 5,
    "event.inventory.sold", {"Crossdock-Raw": "1"}, CANONICAL, "0042/7",
)  # fmt: skip


@dataclass
class Office:
    """The application with all its ports in memory, and what was done."""

    app: Any
    keys: MemoryKeys
    streams: FlakyLog
    journal: SqlJournal
    drifts: Drifts
    pauses: list[tuple[str, bool]] = field(default_factory=list)
    unparked: list[str] = field(default_factory=list)

    async def call(self, method: str, path: str, body: Any = None, token: str = TOKEN) -> Answer:
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        return await call(self.app, method, path, headers, b"" if body is None else json.dumps(body).encode())


class Letters:
    """One dead letter."""

    async def get(self, seq: int) -> DeadLetter | None:
        return LETTER if seq == 7 else None


def office(root: Path, away: bool = False, access: Access | None = None) -> Office:
    keys, streams, journal, pauses = MemoryKeys(), FlakyLog(), SqlJournal("sqlite://"), list[tuple[str, bool]]()
    unparked: list[str] = []

    async def ledger() -> Ledger:
        if away:
            raise Unavailable("nats: away")
        return Ledger([{"source": "tills"}], [], [])

    async def lags() -> dict[str, Lag]:
        return {"stock": Lag("route-stock", 3), "process": Lag("process", 2)}

    async def past(since: int, after: int, limit: int) -> list[Message]:
        found = [streams.message(seq) for seq in range(1, len(streams.records) + 1)]
        if not (since or after):
            return found[-limit:]
        return [m for m in found if m.seq > after and m.time * 1000 >= since][:limit]

    async def pause(name: str, paused: bool) -> None:
        pauses.append((name, paused))

    async def unpark(letters: Collection[str]) -> None:
        unparked.extend(letters)

    async def stored(_: str, seq: int) -> Message | None:
        return streams.message(seq) if 0 < seq <= len(streams.records) else None

    backfills = MemoryBackfills(streams)
    desk = Desk(
        project=project(root), journal=journal, keys=keys, last_uses=MemoryUses().last, letters=Letters(),
        streams=streams, stored=stored, past=past, ledger=ledger, prove=lambda _: ledger(),
        last_ledger=lambda: None, lags=lags,
        states=lambda: {"stock": {"breaker": "open", "behind": True}}, polls=dict, pause=pause,
        metrics=lambda: b"crossdock_x 1\n", asyncapi=lambda: {"asyncapi": "3.0.0"},
        office=OpenOffice(), backfiller=Backfiller(backfills, backfills, streams, lambda: desk.project),
        audit=Audit(MemoryAudit()), marks=Marks(MemoryRecords()), alerts=alarm(lambda: desk.project),
        rehearse=nothing_tried, unpark=unpark,
        examiner=Examined(lambda: desk.project), approvals=Approvals(MemoryRecords()), second_person={},
        replayer=replayer(journal, Letters(), streams, lambda: desk.project),
        drifts=Drifts(MemorySample(streams), Known(MemoryRecords()), lambda: desk.project), processes=journal.processes,
        conformance=journal.processes.pairs,
    )  # fmt: skip
    journal.project([ACCEPTED, ROUTED, DEAD], 1)
    return Office(create_app(desk, access or open_access(TOKEN)), keys, streams, journal, desk.drifts, pauses, unparked)


def answers(root: Path, method: str, path: str, body: Any = None) -> Answer:
    return asyncio.run(office(root).call(method, path, body))


def test_every_path_but_the_probe_and_the_sign_in_needs_the_token(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = office(tmp_path)
        routes = [(method, route.path) for route in made.app.routes for method in route.methods]
        routes = [(method, path) for method, path in routes if path != "/ops/v1/session"]
        assert len(routes) > 12
        for method, path in routes:
            for token in ("", "wrong", TOKEN[:-1], TOKEN + "x", "tökén"):
                answer = await made.call(method, path.replace("{", "").replace("}", ""), {}, token)
                assert (answer.status == 401) is (path != "/livez"), path
        assert (made.keys.records(), made.pauses, made.streams.records) == ([], [], [])

    asyncio.run(scenario())


def test_the_overview_shows_sums_lags_breakers_and_the_last_events(tmp_path: Path) -> None:
    found = answers(tmp_path, "GET", "/ops/v1/overview").json()
    (source,), (route,) = found["sources"], found["routes"]
    assert (source["source"], source["accepted"], source["routed"]) == ("tills", 1, 1)
    assert (route["route"], route["lag"], route["dead_lettered"]) == ("stock", 3, 1)
    assert (route["breaker"], route["behind"]) == ("open", True)
    assert found["waiting"] == 5
    assert (found["lag"], found["dead_letters"], found["recent"][0]["outcome"]) == (2, 1, "dead_lettered")


def test_the_connectors_are_shown_with_the_lanes_that_lead_to_them(tmp_path: Path) -> None:
    (erp,) = answers(tmp_path, "GET", "/ops/v1/connectors").json()["items"]
    assert (erp["connector"], erp["kind"], erp["polls"]) == ("erp", "http", [])
    assert [(one["route"], one["breaker"]) for one in erp["routes"]] == [("stock", "open")]


@pytest.mark.parametrize("key", ["s-1", "0042/7"])
def test_a_trace_shows_every_hop(tmp_path: Path, key: str) -> None:
    found = answers(tmp_path, "GET", f"/ops/v1/events/{key.replace('/', '%2F')}").json()
    assert found["event"] == {
        "id": "s-1", "source": "/till/1", "partner": "stores", "type": "pos.sale", "business_keys": ["0042/7"],
    }  # fmt: skip
    assert [(hop["stage"], hop["outcome"]) for hop in found["hops"]] == [
        ("gateway", "accepted"), ("process", "routed"), ("deliver", "dead_lettered"),
    ]  # fmt: skip
    assert found["hops"][2]["dead_letter"] == "dl-1"


@pytest.mark.parametrize("key", ["nobody", "", "%25"])
def test_nothing_is_traced_that_is_not_named(tmp_path: Path, key: str) -> None:
    assert answers(tmp_path, "GET", f"/ops/v1/events/{key}").status == 404


def test_dead_letters_are_listed_by_state_and_bounded(tmp_path: Path) -> None:
    assert [one["id"] for one in answers(tmp_path, "GET", "/ops/v1/dead-letters?state=open").json()["items"]] == [
        "dl-1"
    ]
    assert answers(tmp_path / "b", "GET", "/ops/v1/dead-letters?route=other").status == 404
    assert answers(tmp_path / "d", "GET", "/ops/v1/dead-letters?state=bogus").status == 422
    for limit in ("0", "-1", "x"):
        assert answers(tmp_path / f"c{limit}", "GET", f"/ops/v1/dead-letters?limit={limit}").status == 422


def test_a_dead_letter_is_shown_with_its_numbers_as_they_are(tmp_path: Path) -> None:
    found = answers(tmp_path, "GET", "/ops/v1/dead-letters/dl-1").json()
    assert (found["state"], found["reason"], found["canonical"]["data"]["n"]) == ("open", "refused", 9007199254740993)
    assert answers(tmp_path / "b", "GET", "/ops/v1/dead-letters/dl-9").status == 404


@pytest.mark.parametrize("selection", [{"ids": ["dl-1"]}, {"route": "stock"}, {"reason": "refused"}])
def test_a_replay_is_planned_dry_and_then_sent(tmp_path: Path, selection: dict[str, Any]) -> None:
    async def scenario() -> None:
        made = office(tmp_path)
        planned = await made.call("POST", "/ops/v1/replays", {**selection, "dry_run": True})
        assert (planned.json()["dry_run"], made.streams.records) == (True, [])
        done = await made.call("POST", "/ops/v1/replays", selection)
        assert done.json() == {"dry_run": False, "items": [{"id": "dl-1", "event_id": "s-1", "outcome": "sent"}]}
        assert [record.subject for record, _ in made.streams.records] == ["journal.entries", "replay.stock"]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("body", "status"), [({}, 422), ({"ids": []}, 422), ({"ids": "dl-1"}, 422), ({"ids": ["dl-9"]}, 404), ([], 422)]
)
def test_a_replay_of_nothing_in_particular_sends_nothing(tmp_path: Path, body: Any, status: int) -> None:
    async def scenario() -> None:
        made = office(tmp_path)
        assert (await made.call("POST", "/ops/v1/replays", body)).status == status
        assert made.streams.records == []

    asyncio.run(scenario())


def test_a_route_is_paused_and_resumed(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = office(tmp_path)
        assert (await made.call("POST", "/ops/v1/routes/stock/pause")).json() == {"route": "stock", "paused": True}
        assert (await made.call("POST", "/ops/v1/routes/stock/resume")).json() == {"route": "stock", "paused": False}
        unknown = await made.call("POST", "/ops/v1/routes/stok/pause")
        assert unknown.status == 404 and "stock" in unknown.json()["detail"]
        assert unknown.json()["detail"] and (await made.call("GET", "/ops/v1/routes/stock/pause")).status == 405

    asyncio.run(scenario())


def test_no_answer_holds_a_secret_of_ours(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = office(tmp_path)
        created = (await made.call("POST", "/ops/v1/keys", {"partner": "stores"})).json()["key"]
        secret = created.split("_", 2)[2]
        for path in [
            "overview",
            "events/s-1",
            "dead-letters",
            "dead-letters/dl-1",
            "ledger",
            "keys",
            "asyncapi.json",
        ]:
            text = (await made.call("GET", f"/ops/v1/{path}")).body.decode()
            assert TOKEN not in text and secret not in text, path

    asyncio.run(scenario())


def test_a_broker_that_is_away_is_said_as_503(tmp_path: Path) -> None:
    async def scenario() -> None:
        answer = await office(tmp_path, away=True).call("GET", "/ops/v1/ledger")
        assert (answer.status, answer.json()) == (503, {"detail": "nats: away"})

    asyncio.run(scenario())
