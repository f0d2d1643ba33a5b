"""What a caller and a source may send, as the gateway applies it."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from crossdock.kernel.apikeys import make_key
from gateway import traffic
from gateway.traffic import KEPT_BACK, REFUSALS, Pace
from tests.asgi import Answer, call
from tests.gateway.door import STRUCTURED, Door, document, door
from tests.gateway.test_bad_input import problem_of
from tests.gateway.wire import Street, on_the_street
from tests.smallproject import TILLS, edited

RATE = edited(TILLS, "[pos.sale]\n", "[pos.sale]\nlimits: {rate: 1/m, burst: 3}\n")
QUOTA = edited(TILLS, "[pos.sale]\n", "[pos.sale]\nlimits: {quota: 2/d}\n")
ONE = edited(TILLS, "[pos.sale]\n", "[pos.sale]\nlimits: {concurrent: 1}\n")
EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded"


async def limited(root: Path, changes: Mapping[str, str | None]) -> Door:
    return await door(root, changes=changes)


def exceeded(answer: Answer, *policies: str) -> None:
    assert (answer.status, answer.headers["content-type"]) == (429, "application/problem+json")
    found = answer.json()
    assert (found["type"], found["violated-policies"]) == (EXCEEDED, list(policies))
    assert int(answer.headers["retry-after"]) >= 1


def test_every_answer_of_a_limited_source_tells_what_is_left(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await limited(tmp_path, RATE)
        answer = await made.post(document("a"))
        assert answer.headers["ratelimit-policy"] == '"rate";q=3;w=180'
        assert answer.headers["ratelimit"].startswith('"rate";r=2;t=')
        other = await made.post(document("a"), key=made.other_key)
        assert "ratelimit" not in other.headers

    asyncio.run(scenario())


def test_who_is_over_the_limit_is_turned_away_before_the_event_is_read(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await limited(tmp_path, RATE)
        for id_ in "abc":
            assert (await made.post(document(id_))).status == 202
        exceeded(await made.post(b"{ this is never read"), "rate")
        exceeded(await made.post([document("d")], "application/cloudevents-batch+json"), "rate")
        assert (await made.post(document("e"), key=made.other_key)).status == 202
        assert len(made.stored()) == 4

    asyncio.run(scenario())


def test_refusals_of_a_second_go_out_at_once_and_those_beyond_wait_their_turn() -> None:
    now = [100.0]
    pace = Pace(lambda: now[0])
    assert [pace.delay("hammer") for _ in range(REFUSALS)] == [0.0] * REFUSALS
    late = [pace.delay("hammer") for _ in range(5 * REFUSALS)]
    assert late == sorted(late) and late[0] == pytest.approx(1 / REFUSALS) and late[-1] == KEPT_BACK
    assert pace.delay("other") == 0.0
    now[0] += 1 + KEPT_BACK
    assert pace.delay("hammer") == 0.0


@pytest.mark.parametrize("short", [True, False])
def test_a_refusal_that_is_kept_back_holds_no_room_meanwhile(
    short: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traffic, "REFUSALS", 1)  # even a slow machine makes more of them in a second

    async def scenario(street: Street) -> None:
        client, free = await street.client(), street.budget.proven
        request = street.post("a") if short else street.batch("a")
        # given
        client.send(request * 4)
        for _ in range(4):
            await client.answer()
        # when
        began = time.monotonic()
        client.send(request * 2)
        held = [(await client.answer()).status]
        if short:
            assert street.budget.proven == free
        held.append((await client.answer()).status)
        # then
        assert held == [429, 429]
        assert time.monotonic() - began > 0.8 * KEPT_BACK
        assert street.budget.proven == free

    on_the_street(tmp_path, scenario, changes=RATE)


def test_a_batch_is_taken_whole_and_owed(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await limited(tmp_path, QUOTA)
        batch = [document(str(number)) for number in range(5)]
        answer = await made.post(batch, "application/cloudevents-batch+json")
        assert (answer.status, answer.json()["accepted"]) == (202, 5)
        exceeded(await made.post(document("x")), "quota")

    asyncio.run(scenario())


def test_a_key_has_a_limit_of_its_own(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await door(tmp_path)
        key, record = make_key("stores", 1)
        await made.keys.put(replace(record, rate=1))
        answers = [await made.post(document(str(number)), key=key) for number in range(3)]
        assert [answer.status for answer in answers] == [202, 429, 429]
        exceeded(answers[2], "key")
        assert (await made.post(document("z"))).status == 202

    asyncio.run(scenario())


def test_no_more_requests_than_may_be_are_under_way(tmp_path: Path) -> None:
    async def scenario() -> None:
        # given a request whose body is still to come
        made = await limited(tmp_path, ONE)
        began, rest = asyncio.Event(), asyncio.Event()
        raw = json.dumps(document("slow")).encode()
        scope = {
            "type": "http", "http_version": "1.1", "method": "POST", "path": "/v1/events", "raw_path": b"/v1/events",
            "query_string": b"", "headers": [(b"x-api-key", made.key.encode()), (b"content-type", STRUCTURED.encode())],
            "client": ("127.0.0.1", 1), "root_path": "", "scheme": "http", "server": ("127.0.0.1", 80),
        }  # fmt: skip
        sent = []

        async def receive() -> Mapping[str, object]:
            began.set()
            await rest.wait()
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(message: Mapping[str, object]) -> None:
            sent.append(message)

        slow: asyncio.Task[None] = asyncio.create_task(made.app(scope, receive, send))  # type: ignore[arg-type]
        await began.wait()
        # when
        answer = await made.post(document("quick"))
        # then
        exceeded(answer, "concurrent")
        rest.set()
        await slow
        assert sent[0]["status"] == 202
        assert (await made.post(document("quick"))).status == 202

    asyncio.run(scenario())


def test_what_is_refused_for_another_reason_still_says_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await limited(tmp_path, RATE)
        problem_of(
            await call(made.app, "POST", "/v1/events", {"x-api-key": made.key}, b"{"), 415, "unsupported_media_type"
        )

    asyncio.run(scenario())
