"""The operations API: a token for everything, what operators see and do, and that secrets stay out of its answers."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.asgi import Answer
from tests.console.opsmade import TOKEN, office


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
        await made.call("POST", "/ops/v1/routes/stock/pause", {"reason": "the ERP is maintained"})
        assert (await made.call("GET", "/ops/v1/audit")).json()["items"][0]["detail"] == {
            "reason": "the ERP is maintained"
        }
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
