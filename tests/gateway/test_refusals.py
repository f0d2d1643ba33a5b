"""What cannot be read any further is refused in its place: it answers nothing that is stored, and hides nothing."""

import asyncio
import json
from pathlib import Path

import pytest

from crossdock.supervisor.protocol import MAX_HEAD, BoundedProtocol
from tests.gateway.door import SALE, SOURCE_LIMIT, document
from tests.gateway.wire import GET, Street, on_the_street

GARBAGE = b"\x16\x03\x01\x00\r\n\r\n"
LONG_HEAD = b"GET /x HTTP/1.1\r\nA: " + b"x" * (MAX_HEAD + 4096)
BROKEN_BODY = b"POST /v1/events HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n"


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Return what is set when the server has seen what it cannot read."""
    seen, end = asyncio.Event(), BoundedProtocol._end

    def tell(self: BoundedProtocol, *given: object) -> None:
        end(self, *given)  # type: ignore[arg-type]
        seen.set()

    monkeypatch.setattr(BoundedProtocol, "_end", tell)
    return seen


@pytest.mark.parametrize(
    ("after", "status"),
    [(GARBAGE, "400"), (LONG_HEAD, "431"), (BROKEN_BODY, "400"), (GET + GARBAGE, "200 400")],
    ids=["garbage", "long head", "broken body", "request and garbage"],
)
def test_a_refusal_of_what_follows_a_batch_does_not_answer_the_batch(
    tmp_path: Path, refused: asyncio.Event, after: bytes, status: str
) -> None:
    async def scenario(street: Street) -> None:
        # given: a batch is with the broker
        client = await street.client()
        street.log.open.clear()
        client.send(street.batch("in-batch"))
        await street.log.asked.wait()
        # when
        client.send(after)
        await refused.wait()
        street.log.open.set()
        # then
        first, *rest = [await client.answer() for _ in ("202", *status.split())]
        assert first.status == 202 and b"in-batch" in first.body
        assert [str(answer.status) for answer in rest] == status.split()
        assert rest[-1].headers["connection"] == "close"
        assert await client.closed()
        assert street.stored() == ["in-batch"]

    on_the_street(tmp_path, scenario)


@pytest.mark.parametrize("last", [GARBAGE, BROKEN_BODY], ids=["garbage", "broken body"])
@pytest.mark.parametrize("between", [(), (GET,), (GET, GET)], ids=["none", "one", "two"])
def test_a_refusal_waits_for_the_answers_of_all_ways(
    tmp_path: Path, refused: asyncio.Event, between: tuple[bytes, ...], last: bytes
) -> None:
    async def scenario(street: Street) -> None:
        client = await street.client()
        street.log.open.clear()
        client.send(street.post("a"), street.post("b"), *between, last)
        await refused.wait()
        street.log.open.set()
        answers = [await client.answer() for _ in (1, 2, *between, last)]
        assert [answer.status for answer in answers] == [202, 202, *(200 for _ in between), 400]
        assert await client.closed()

    on_the_street(tmp_path, scenario)


@pytest.mark.parametrize("before", [(), ("a",)])
def test_a_body_that_cannot_be_read_is_refused_in_its_place(tmp_path: Path, before: tuple[str, ...]) -> None:
    async def scenario(street: Street) -> None:
        client = await street.client()
        client.send(*(street.post(id_) for id_ in before), BROKEN_BODY, street.post("never"))
        assert await client.ids(len(before) + 1) == [*before, "400"]
        assert await client.closed()
        assert street.stored() == list(before)

    on_the_street(tmp_path, scenario)


def test_nothing_is_taken_behind_an_answer_that_will_be_the_last(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        client = await street.client()
        street.log.open.clear()
        large = street.post("", body=json.dumps(document(data={**SALE, "receipt": "x" * SOURCE_LIMIT})).encode())
        client.send(street.post("a"), large, street.post("never"), street.batch("nor-this"))
        await street.log.asked.wait()
        street.log.open.set()
        assert await client.ids(2) == ["a", "413"]
        assert await client.closed()
        assert street.stored() == ["a"]

    on_the_street(tmp_path, scenario)


def test_an_acknowledgement_after_the_end_of_its_connection_starts_nothing_there(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        # given: a batch waits for an event of the same connection
        client = await street.client()
        street.log.open.clear()
        client.send(street.post("a"), street.batch("waits"), GET)
        await street.log.asked.wait()
        # when
        (connection,) = street.server.server_state.connections
        connection.transport.abort()
        assert await client.closed()
        street.log.open.set()
        # then
        other = await street.client()
        other.send(street.post("other"), street.batch("more"))
        assert [(await other.answer()).status for _ in range(2)] == [202, 202]
        assert street.stored() == ["a", "other", "more"]

    on_the_street(tmp_path, scenario)
