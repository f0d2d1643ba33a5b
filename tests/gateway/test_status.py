"""What became of my event, what I may send, and the description of the gateway."""

import asyncio
from pathlib import Path

import pytest

from gateway import status
from journal import entry
from journal.entry import Entry
from tests.asgi import call
from tests.gateway.door import Door, door


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "PATIENCE", 0.1)


def line(outcome: str, route: str = "", partner: str = "stores", at: int = 1_000, **more: object) -> Entry:
    stage = entry.DELIVER if route else entry.PROCESS
    return Entry(at, stage, outcome, partner, "tills", "s/1 €", raw=1, route=route, **more)  # type: ignore[arg-type]


async def asked(made: Door, *lines: Entry) -> dict[str, object]:
    made.journal.project(lines, made.journal.position() + 1)
    answer = await made.get("/v1/events/s%2F1%20%E2%82%AC")
    assert answer.status == 200
    found: dict[str, object] = answer.json()
    return found


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([(entry.ACCEPTED, "")], "accepted"),
        ([(entry.ROUTED, "")], "routed"),
        ([(entry.ROUTED, ""), (entry.SKIPPED, "a")], "routed"),
        ([(entry.ROUTED, ""), (entry.DELIVERED, "a")], "delivered"),
        ([(entry.ROUTED, ""), (entry.DELIVERED, "a"), (entry.RETRIED, "b")], "in_progress"),
        ([(entry.ROUTED, ""), (entry.RETRIED, "a"), (entry.DELIVERED, "a")], "delivered"),
        ([(entry.DEAD_LETTERED, "")], "dead_lettered"),
        ([(entry.ROUTED, ""), (entry.DELIVERED, "a"), (entry.DEAD_LETTERED, "b")], "dead_lettered"),
        ([(entry.ROUTED, ""), (entry.DEAD_LETTERED, "b"), (entry.REPLAYED, "b")], "in_progress"),
        ([(entry.ROUTED, ""), (entry.DEAD_LETTERED, "b"), (entry.REPLAYED, "b"), (entry.DELIVERED, "b")], "delivered"),
        ([(entry.ROUTED, ""), (entry.DUPLICATE, "")], "routed"),
    ],
)
def test_the_status_is_that_of_the_event_as_a_whole(
    tmp_path: Path, outcomes: list[tuple[str, str]], expected: str
) -> None:
    async def scenario() -> None:
        lines = [line(outcome, route, at=number) for number, (outcome, route) in enumerate(outcomes)]
        assert (await asked(await door(tmp_path), *lines))["status"] == expected

    asyncio.run(scenario())


def test_an_id_with_slashes_and_spaces_is_found_and_its_hops_are_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        dead = line(entry.DEAD_LETTERED, "stock", reason="refused", detail="HTTP 400: internal text of the target")
        found = await asked(await door(tmp_path), line(entry.ROUTED), line(entry.SKIPPED, "other"), dead)
        assert found["id"] == "s/1 €"
        assert found["hops"] == [
            {"at": "1970-01-01T00:00:01.000Z", "stage": "process", "outcome": "routed"},
            {"at": "1970-01-01T00:00:01.000Z", "stage": "deliver", "outcome": "dead_lettered", "route": "stock",
             "reason": "refused"},
        ]  # fmt: skip

    asyncio.run(scenario())


def test_a_partner_sees_only_its_own_events(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        await asked(made, line(entry.ROUTED))
        assert (await made.get("/v1/events/s%2F1%20%E2%82%AC", made.other_key)).status == 404

    asyncio.run(scenario())


def test_a_look_up_waits_for_a_journal_that_is_a_moment_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "PATIENCE", 5.0)

    async def scenario() -> None:
        made = await door(tmp_path)
        asking = asyncio.create_task(made.get("/v1/events/s%2F1%20%E2%82%AC"))
        await asyncio.sleep(0.05)
        made.journal.project([line(entry.ROUTED)], 1)
        assert (await asking).json()["status"] == "routed"

    asyncio.run(scenario())


@pytest.mark.parametrize("path", ["/v1/events/x", "/v1/events/%27%20OR%201=1", "/v1/events/"])
def test_an_unknown_event_is_a_problem(tmp_path: Path, path: str) -> None:
    async def scenario() -> None:
        answer = await (await door(tmp_path)).get(path)
        assert (answer.status, answer.json()["type"]) == (404, "urn:crossdock:problem:not_found")

    asyncio.run(scenario())


def test_the_catalog_names_what_this_partner_may_send(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        assert (await made.get("/v1/catalog")).json() == {
            "partner": "stores",
            "sources": [
                {
                    "source": "tills",
                    "accept": "cloudevents",
                    "types": [{"type": "pos.sale", "versions": ["1.0"], "default": "1.0"}],
                    "limits": {"body": 2048, "batch": 5},
                }
            ],
        }
        assert [one["source"] for one in (await made.get("/v1/catalog", made.other_key)).json()["sources"]] == ["acme"]

    asyncio.run(scenario())


@pytest.mark.parametrize("path", ["/v1/catalog", "/v1/events/x"])
def test_look_ups_need_a_key(tmp_path: Path, path: str) -> None:
    async def scenario() -> None:
        answer = await call((await door(tmp_path)).app, "GET", path)
        assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")

    asyncio.run(scenario())


def test_the_description_holds_the_hot_path_and_the_shape_of_problems(tmp_path: Path) -> None:
    async def scenario() -> None:
        found = (await call((await door(tmp_path)).app, "GET", "/openapi.json")).json()
        assert found["openapi"].startswith("3.1")
        post = found["paths"]["/v1/events"]["post"]
        assert {"202", "400", "401", "403", "413", "415", "422", "503"} <= post["responses"].keys()
        assert "errors" in found["components"]["schemas"]["Problem"]["properties"]
        assert {"/v1/catalog", "/livez", "/readyz"} <= found["paths"].keys()

    asyncio.run(scenario())
