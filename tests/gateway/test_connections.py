"""The hot path on real sockets: order and framing, whatever the client sends."""

import json
from pathlib import Path

import pytest

from tests.gateway.door import BODY_LIMIT, document
from tests.gateway.wire import GET, Street, on_the_street, status_of


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def test_a_kept_connection_takes_one_event_after_the_other(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        client = await street.client()
        for number in range(3):
            client.send(street.post(f"e-{number}"))
            answer = await client.answer()
            assert (answer.status, answer.json()) == (202, {"id": f"e-{number}", "status": "accepted"})
            assert {"date", "server", "content-type", "content-length"} == set(answer.headers)
            assert answer.headers["content-type"] == "application/json"
        assert street.stored() == ["e-0", "e-1", "e-2"]

    on_the_street(tmp_path, scenario)


def test_a_request_in_single_bytes_is_put_together(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        client = await street.client()
        for byte in street.post("slow"):
            client.send(bytes([byte]))
            await client.writer.drain()
        assert await client.ids(1) == ["slow"]

    on_the_street(tmp_path, scenario)


@pytest.mark.parametrize(
    ("version", "lines"),
    [("1.1", ["Connection: close"]), ("1.0", []), ("1.0", ["Connection: keep-alive"])],
)
def test_a_connection_ends_where_the_client_or_its_version_says_so(
    tmp_path: Path, version: str, lines: list[str]
) -> None:
    async def scenario(street: Street) -> None:
        client = await street.client()
        client.send(street.post("last", *lines, version=version), street.post("never"))
        answer = await client.answer()
        assert (answer.json()["id"], answer.headers["connection"]) == ("last", "close")
        assert await client.closed()
        assert street.stored() == ["last"]

    on_the_street(tmp_path, scenario)


def test_pipelined_requests_are_stored_together_and_answered_in_order(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        client, names = await street.client(), [f"p-{number}" for number in range(200)]
        client.send(*(street.post(name) for name in names))
        assert await client.ids(200) == names
        assert street.stored() == names

    on_the_street(tmp_path, scenario)


def test_pipelined_requests_of_all_ways_are_answered_in_order(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        client = await street.client()
        street.log.open.clear()
        many = street.batch("in-batch")
        client.send(street.post("a"), street.post("b"), GET, street.post("c"), many, street.post("bad", body=b"{"), GET)
        client.send(street.post("d"))
        await street.log.asked.wait()
        street.log.open.set()
        answers = [await client.answer() for _ in range(8)]
        assert [answer.status for answer in answers] == [202, 202, 200, 202, 202, 400, 200, 202]
        said = [answer.body.decode() for answer in answers]
        assert all(name in text for name, text in zip("ab", said, strict=False))
        assert '"c"' in said[3] and "in-batch" in said[4] and '"d"' in said[7] and said[2] == said[6] == "ok"
        client.send(street.post("e"))
        assert await client.ids(1) == ["e"]

    on_the_street(tmp_path, scenario)


def test_a_refusal_between_pipelined_events_keeps_its_place(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        client = await street.client()
        street.log.open.clear()
        client.send(street.post("a"), street.post("", body=b"{"), street.post("b"))
        await street.log.asked.wait()
        street.log.open.set()
        assert await client.ids(3) == ["a", "400", "b"]

    on_the_street(tmp_path, scenario)


def test_a_chunked_body_is_taken_and_bounded(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        client = await street.client()
        body = json.dumps(document("c")).encode()
        head = street.post("", "Transfer-Encoding: chunked", body=b"", length=False)
        client.send(head, chunked(body[:7], body[7:]), street.post("after"))
        assert await client.ids(2) == ["c", "after"]
        client.send(head, b"%x\r\n" % (BODY_LIMIT + 1), b" " * (BODY_LIMIT + 1))
        answer = await client.answer()
        assert (answer.status, answer.headers["connection"]) == (413, "close")
        assert await client.closed()

    on_the_street(tmp_path, scenario)


def test_a_client_that_waits_for_leave_gets_it(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        client = await street.client()
        head, _, body = street.post("x", "Expect: 100-continue").partition(b"\r\n\r\n")
        client.send(head, b"\r\n\r\n")
        assert (await client.answer()).status == 100
        client.send(body)
        assert await client.ids(1) == ["x"]

    on_the_street(tmp_path, scenario)


def test_a_length_over_the_limit_is_refused_before_the_body_comes(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        client = await street.client()
        client.send(street.post("", f"Content-Length: {BODY_LIMIT + 1}", body=b"", length=False))
        answer = await client.answer()
        assert (answer.status, answer.headers["connection"]) == (413, "close")
        assert await client.closed()

    on_the_street(tmp_path, scenario)


BROKEN = {
    "no http": b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\r\n\r\n",
    "two lengths": b"POST /v1/events HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "length and chunks": b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "negative length": b"POST /v1/events HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "length in words": b"POST /v1/events HTTP/1.1\r\nContent-Length: two\r\n\r\n",
    "a bare line feed in a header": b"POST /v1/events HTTP/1.1\r\nA: b\n c: d\r\n\r\n",
    "a nul in a header": b"POST /v1/events HTTP/1.1\r\nA: \0\r\n\r\n",
}


@pytest.mark.parametrize("case", BROKEN)
def test_bad_framing_is_refused_behind_the_answers_that_are_under_way(tmp_path: Path, case: str) -> None:
    async def scenario(street: Street) -> None:
        client = await street.client()
        street.log.open.clear()
        client.send(street.post("a"), BROKEN[case], street.post("never"))
        await street.log.asked.wait()
        street.log.open.set()
        first, second = await client.answer(), await client.answer()
        assert (first.status, first.json()["id"], second.status) == (202, "a", 400)
        assert second.headers["connection"] == "close"
        assert await client.closed()
        assert street.stored() == ["a"]

    on_the_street(tmp_path, scenario)


def test_other_methods_and_keys_take_the_long_way_to_the_same_answers(tmp_path: Path) -> None:
    async def scenario(street: Street) -> None:
        client = await street.client()
        good = street.post("g")
        assert await status_of(client, good.replace(b"POST ", b"DELETE ", 1)) == 405
        assert await status_of(client, good.replace(b"Bearer cdk", b"Bearer cdx", 1)) == 401
        assert await status_of(client, good.replace(b"Host:", b"Content-Type: a/b\r\nHost:", 1)) == 400
        assert await status_of(client, good.replace(b"application/cloudevents+json", b"text/xml", 1)) == 415
        assert await status_of(client, good.replace(b"/v1/events", b"/v1/events?a=b", 1)) == 202
        assert street.stored() == ["g"]
        await street.door.keys.remove(street.door.key.split("_")[1])
        assert await status_of(client, good) == 401

    on_the_street(tmp_path, scenario)


def test_an_error_of_ours_is_a_500_and_closes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(street: Street) -> None:
        def broken(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(street.door.ingest, "take", broken)
        client = await street.client()
        client.send(street.post("x"))
        assert (await client.answer()).status == 500
        assert await client.closed()

    on_the_street(tmp_path, scenario)
