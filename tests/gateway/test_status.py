"""What became of my event, in my own words, and of nobody else's."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from crossdock.pipeline.resend import unsent
from gateway import status
from journal import entry
from journal.entry import Entry
from tests.asgi import call
from tests.gateway.asking import Desk, desk

ID = "/v1/events/s%2F1%20%E2%82%AC"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "PATIENCE", 0.1)


def line(outcome: str, route: str = "", partner: str = "stores", at: int = 1_000, **more: Any) -> Entry:
    stage = entry.DELIVER if route else entry.GATEWAY if outcome == entry.ACCEPTED else entry.PROCESS
    told = {"source": "tills", "id": "s/1 €", "origin": "/till/1", "type": "pos.sale", "raw": 1, **more}
    return Entry(at, stage, outcome, partner, route=route, **told)


async def asked(made: Desk, *lines: Entry, path: str = ID) -> dict[str, Any]:
    made.note(*lines)
    answer = await made.get(path)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json()
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
        ([(entry.QUARANTINED, "")], "quarantined"),
        ([(entry.QUARANTINED, ""), (entry.REPLAYED, ""), (entry.ROUTED, "")], "routed"),
        ([(entry.ROUTED, ""), (entry.DELIVERED, "a"), (entry.DEAD_LETTERED, "b")], "dead_lettered"),
        ([(entry.ROUTED, ""), (entry.DEAD_LETTERED, "b"), (entry.REPLAYED, "b")], "in_progress"),
        ([(entry.ROUTED, ""), (entry.DEAD_LETTERED, "b"), (entry.REPLAYED, "b"), (entry.DELIVERED, "b")], "delivered"),
        ([(entry.ROUTED, ""), (entry.DEAD_LETTERED, "b"), (entry.DISCARDED, "b")], "discarded"),
        ([(entry.ROUTED, ""), (entry.DUPLICATE, "")], "routed"),
        ([(entry.ACCEPTED, ""), (entry.DUPLICATE, "")], "duplicate"),
    ],
)
def test_the_status_is_that_of_the_event_as_a_whole(
    tmp_path: Path, outcomes: list[tuple[str, str]], expected: str
) -> None:
    async def scenario() -> None:
        lines = [line(outcome, route, at=number) for number, (outcome, route) in enumerate(outcomes)]
        made = desk(tmp_path)
        assert (await asked(made, *lines))["status"] == expected
        (listed,) = (await made.get("/v1/events")).json()["items"]
        assert listed["status"] == expected

    asyncio.run(scenario())


def test_a_replay_that_was_not_sent_leaves_the_status_as_it_was(tmp_path: Path) -> None:
    async def scenario() -> None:
        replayed = line(entry.REPLAYED, "b", at=3)._replace(stage=entry.REPLAY)
        lines = line(entry.ROUTED, at=1), line(entry.DEAD_LETTERED, "b", at=2), replayed, unsent(replayed)
        assert (await asked(desk(tmp_path), *lines))["status"] == "dead_lettered"

    asyncio.run(scenario())


def test_an_id_with_slashes_and_spaces_is_found_and_its_hops_are_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        dead = line(entry.DEAD_LETTERED, "stock", reason="refused", detail="HTTP 400 of http://10.0.0.7: stack trace")
        routed = line(entry.ROUTED)._replace(type="inventory.sold")
        found = await asked(desk(tmp_path), line(entry.ACCEPTED), routed, line(entry.SKIPPED, "other"), dead)
        at = {"at": "1970-01-01T00:00:01.000Z"}
        assert found == {
            "id": "s/1 €", "source": "/till/1", "type": "pos.sale", "accepted": at["at"], "status": "dead_lettered",
            "hops": [
                {**at, "stage": "gateway", "outcome": "accepted"},
                {**at, "stage": "process", "outcome": "routed", "type": "inventory.sold"},
                {**at, "stage": "deliver", "outcome": "dead_lettered", "route": "stock", "reason": "refused",
                 "detail": "the target refused it", "attempts": 1},
            ],
        }  # fmt: skip

    asyncio.run(scenario())


def test_retries_are_one_hop_that_says_when_the_next_is_due(tmp_path: Path) -> None:
    async def scenario() -> None:
        tries = [line(entry.RETRIED, "stock", at=1_000 * number, detail="HTTP 503 of 10.0.0.7") for number in (1, 2, 3)]
        made = desk(tmp_path)
        found = await asked(made, line(entry.ROUTED, at=500), *tries)
        assert found["hops"][1:] == [
            {"at": "1970-01-01T00:00:03.000Z", "stage": "deliver", "outcome": "retried", "route": "stock",
             "attempts": 3, "next": "1970-01-01T00:00:11.000Z"},
        ]  # fmt: skip
        found = await asked(made, line(entry.DELIVERED, "stock", at=9_000))
        assert found["hops"][-1]["attempts"] == 4

    asyncio.run(scenario())


def test_what_the_sender_can_correct_is_told_to_the_letter(tmp_path: Path) -> None:
    async def scenario() -> None:
        held = line(entry.QUARANTINED, reason="schema_violation", detail="/lines is required")
        hop = (await asked(desk(tmp_path), held))["hops"][0]
        assert (hop["reason"], hop["detail"]) == ("schema_violation", "/lines is required")

    asyncio.run(scenario())


def test_nothing_of_the_inside_is_told_of_a_reason_without_words(tmp_path: Path) -> None:
    async def scenario() -> None:
        dead = line(entry.DEAD_LETTERED, reason="transform_failed", detail="in /srv/project/x.py: 'supplier_margin'")
        assert "margin" not in str(await asked(desk(tmp_path), dead))

    asyncio.run(scenario())


def test_a_repeat_names_the_event_it_repeats(tmp_path: Path) -> None:
    async def scenario() -> None:
        first = line(entry.ACCEPTED, raw=7, at=5_000)._replace(id="first")
        repeat = [line(entry.ACCEPTED, raw=9, at=8_000), line(entry.DUPLICATE, raw=9, at=8_001, ref=7)]
        found = await asked(desk(tmp_path), first, *repeat)
        assert found["status"] == "duplicate"
        assert found["hops"][-1]["of"] == {"id": "first", "source": "/till/1", "accepted": "1970-01-01T00:00:05.000Z"}

    asyncio.run(scenario())


def test_an_id_that_two_sources_used_is_told_apart_by_source(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = desk(tmp_path)
        made.note(line(entry.ACCEPTED), line(entry.ACCEPTED, raw=2, origin="/till/2"))
        several = await made.get(ID)
        assert (several.status, several.json()["type"]) == (409, "urn:crossdock:problem:ambiguous_id")
        assert "/till/1, /till/2" in several.json()["detail"]
        one = await made.get(f"{ID}?source=%2Ftill%2F2")
        assert (one.json()["source"], len(one.json()["hops"])) == ("/till/2", 1)
        assert (await made.get(f"{ID}?source=/till/3")).status == 404

    asyncio.run(scenario())


def test_an_id_that_is_the_business_key_of_many_other_events_is_found_all_the_same(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = desk(tmp_path)
        made.note(*(line(entry.ROUTED, raw=n, id=f"other-{n}", key="s/1 €") for n in range(10, 1200)))
        assert len((await asked(made, line(entry.ACCEPTED, at=9_000)))["hops"]) == 1

    asyncio.run(scenario())


def test_a_partner_sees_only_its_own_events_and_others_are_like_unknown_ones(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = desk(tmp_path)
        await asked(made, line(entry.ROUTED))
        foreign, unknown = await made.get(ID, "acme"), await made.get("/v1/events/unknown", "acme")
        assert (foreign.status, foreign.body, foreign.headers) == (404, unknown.body, unknown.headers)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("limits", "sees"),
    [
        ({}, True),
        ({"sees": frozenset({"kiosks"})}, False),
        ({"types": frozenset({"pos.return"})}, False),
        ({"types": frozenset({"pos.sale"})}, True),
    ],
)
def test_a_key_sees_the_sources_and_types_it_is_limited_to(tmp_path: Path, limits: dict[str, Any], sees: bool) -> None:
    async def scenario() -> None:
        made = desk(tmp_path)
        made.note(line(entry.ACCEPTED), line(entry.ROUTED)._replace(type="inventory.sold"))
        made.callers["stores"] = made.callers["stores"]._replace(**limits)
        assert (await made.get(ID)).status == (200 if sees else 404)
        assert len((await made.get("/v1/events")).json()["items"]) == sees

    asyncio.run(scenario())


@pytest.mark.parametrize("path", [ID, "/v1/events"])
def test_a_key_without_the_scope_may_not_ask(tmp_path: Path, path: str) -> None:
    async def scenario() -> None:
        made = desk(tmp_path)
        made.callers["stores"] = made.callers["stores"]._replace(status=False)
        answer = await made.get(path)
        assert (answer.status, answer.json()["type"]) == (403, "urn:crossdock:problem:not_allowed")

    asyncio.run(scenario())


def test_a_look_up_waits_for_a_journal_that_is_a_moment_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "PATIENCE", 5.0)

    async def scenario() -> None:
        made = desk(tmp_path)
        asking = asyncio.create_task(made.get(ID))
        await asyncio.sleep(0.05)
        made.note(line(entry.ROUTED))
        assert (await asking).json()["status"] == "routed"

    asyncio.run(scenario())


@pytest.mark.parametrize("path", ["/v1/events/x", "/v1/events/%27%20OR%201=1", "/v1/events/", "/v1/events/a%00b"])
def test_an_unknown_event_is_a_problem(tmp_path: Path, path: str) -> None:
    async def scenario() -> None:
        answer = await desk(tmp_path).get(path)
        assert (answer.status, answer.json()["type"]) == (404, "urn:crossdock:problem:not_found")

    asyncio.run(scenario())


@pytest.mark.parametrize("path", ["/v1/catalog", "/v1/events/x", "/v1/events", "/v1/schemas/pos.sale/1.0"])
def test_look_ups_need_a_credential(tmp_path: Path, path: str) -> None:
    async def scenario() -> None:
        answer = await call(desk(tmp_path).app, "GET", path)
        assert (answer.status, "www-authenticate" in answer.headers) == (401, True)

    asyncio.run(scenario())


def test_a_journal_that_is_away_is_a_503_and_no_error_of_ours(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = desk(tmp_path)
        with made.journal._engine.begin() as connection:
            connection.exec_driver_sql("DROP VIEW entries")
        answer = await made.get(ID)
        assert (answer.status, "retry-after" in answer.headers) == (503, True)

    asyncio.run(scenario())
