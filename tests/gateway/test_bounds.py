"""Connections of the hot path have bounds and ends: long heads, slow and silent clients, disconnects, a stop."""

import asyncio
import signal
from pathlib import Path

import pytest

from crossdock.supervisor import protocol
from tests.gateway.wire import GET, Street, on_the_street, status_of


@pytest.mark.parametrize("before", [0, 2])
def test_a_head_without_end_is_cut(tmp_path: Path, before: int) -> None:
    async def scenario(street: Street) -> None:
        client = await street.client()
        client.send(*(street.post(f"b-{number}") for number in range(before)), b"POST /v1/events HTTP/1.1\r\n")
        assert await client.ids(before) == [f"b-{number}" for number in range(before)]
        for _ in range(protocol.MAX_HEAD // 1000 + 1):
            client.send(b"a: " + b"b" * 995 + b"\r\n")
        assert (await client.answer()).status == 431
        assert await client.closed()

    on_the_street(tmp_path, scenario)


def test_many_pipelined_events_are_not_taken_for_a_long_head(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        client, count = await street.client(), protocol.MAX_HEAD // 200
        requests = b"".join(street.post(f"m-{number}") for number in range(count))
        client.send(requests[:-300])
        await client.writer.drain()
        client.send(requests[-300:])
        assert (await client.ids(count))[-1] == f"m-{count - 1}"

    on_the_street(tmp_path, scenario)


@pytest.mark.parametrize("part", [20, 200, -5])
def test_a_request_that_takes_for_ever_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int) -> None:
    monkeypatch.setattr(protocol, "HEAD_WITHIN", 0.2)
    monkeypatch.setattr(protocol, "REQUEST_WITHIN", 0.2)

    async def scenario(street: Street) -> None:
        client = await street.client()
        client.send(street.post("a")[:part])
        answer = await client.answer()
        assert (answer.status, answer.headers["connection"]) == (408, "close")
        assert answer.json()["type"] == "urn:crossdock:problem:request_timeout"
        assert await client.closed()
        assert street.stored() == []

    on_the_street(tmp_path, scenario)


def test_a_request_that_takes_for_ever_is_refused_behind_the_answer_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_WITHIN", 0.2)

    async def scenario(street: Street) -> None:
        # given: a batch is with the broker, and the next request has begun
        client, slow = await street.client(), await street.client()
        street.log.open.clear()
        client.send(street.batch("in-batch"))
        await street.log.asked.wait()
        slow.send(b"GET")
        client.send(b"GET")
        # when: more than its time has passed
        assert (await slow.answer()).status == 408
        assert await status_of(await street.client(), b"GET") == 408  # a second look at all connections
        street.log.open.set()
        # then
        first, second = await client.answer(), await client.answer()
        assert (first.status, b"in-batch" in first.body, second.status) == (202, True, 408)
        assert await client.closed()
        assert street.stored() == ["in-batch"]

    on_the_street(tmp_path, scenario)


def test_a_silent_connection_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "IDLE", 0.2)

    async def scenario(street: Street) -> None:
        assert await (await street.client()).closed()

    on_the_street(tmp_path, scenario)


def test_an_event_that_waits_for_the_broker_is_not_an_idle_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "REQUEST_WITHIN", 0.2)
    monkeypatch.setattr(protocol, "IDLE", 0.2)

    async def scenario(street: Street) -> None:
        waits, idle = await street.client(), await street.client()
        street.log.open.clear()
        waits.send(street.post("a"))
        assert await idle.closed()
        street.log.open.set()
        assert await waits.ids(1) == ["a"]

    on_the_street(tmp_path, scenario)


def test_a_client_that_goes_away_midway_leaves_nothing_and_one_that_goes_later_leaves_its_event(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        early, late = await street.client(), await street.client()
        early.send(street.post("early")[:-3])
        street.log.open.clear()
        late.send(street.post("late"))
        await street.log.asked.wait()
        for client in (early, late):
            client.writer.transport.abort()
        while street.server.server_state.connections:  # noqa: ASYNC110  # uvicorn tells it no other way
            await asyncio.sleep(0.01)
        street.log.open.set()
        other = await street.client()
        other.send(street.post("other"))
        assert await other.ids(1) == ["other"]
        assert street.stored() == ["late", "other"]

    on_the_street(tmp_path, scenario)


def test_a_client_that_does_not_read_is_not_read_either(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        # given: it asks for far more than sockets and buffers hold, and reads nothing
        client = await street.narrow_client()
        request, written = street.post("r", body=b"{"), 0
        try:
            async with asyncio.timeout(1):
                while True:
                    client.send(request * 50)
                    written += 50
                    await client.writer.drain()
        except TimeoutError:
            pass
        # then: all that was taken is answered once it reads, from bounded memory, and others do not wait
        (connection,) = street.server.server_state.connections
        assert connection.transport.get_write_buffer_size() < 1 << 20
        other = await street.client()
        other.send(street.post("other"))
        assert await other.ids(1) == ["other"]
        assert await client.count(b"HTTP/1.1 400", written) == written

    on_the_street(tmp_path, scenario)


def test_a_stop_lets_answers_under_way_out_and_takes_nothing_new(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        # given: one event is with the broker, one half sent, one connection idle
        stored, half, idle = [await street.client() for _ in range(3)]
        street.log.open.clear()
        stored.send(street.post("stored"))
        request = street.post("half")
        half.send(request[:-5])
        idle.send(GET)
        assert (await idle.answer()).status == 200
        await street.log.asked.wait()
        # when
        street.server.handle_exit(signal.SIGTERM, None)
        assert await idle.closed()
        stored.send(street.post("too-late"))
        half.send(request[-5:])
        street.log.open.set()
        # then
        for client, name in ((stored, "stored"), (half, "half")):
            answer = await client.answer()
            assert (answer.json()["id"], answer.headers["connection"]) == (name, "close")
            assert await client.closed()
        assert sorted(street.stored()) == ["half", "stored"]

    on_the_street(tmp_path, scenario)


@pytest.mark.parametrize("path", ["/livez", "/v1/events"])
def test_fields_behind_a_body_are_left_out_and_bounded(tmp_path: Path, path: str) -> None:
    async def scenario(street: Street) -> None:
        # given
        client, head = await street.client(), f"POST {path} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
        # when a few
        client.send(head.encode() + b"0\r\na: b\r\nc: d\r\n\r\n")
        answer = await client.answer()
        assert answer.status in (401, 405)
        # when endless ones
        client.send(head.encode() + b"0\r\n")
        for _ in range(protocol.MAX_TRAILERS // 1000 + 2):
            client.send(b"a: " + b"b" * 995 + b"\r\n")
        # then
        statuses = [(await client.answer()).status]
        if statuses[0] != 431:  # it was answered before the end of its body
            statuses.append((await client.answer()).status)
        assert statuses[-1] == 431
        assert await client.closed()

    on_the_street(tmp_path, scenario)
