"""Messages in bulk over a nats-py connection: parsed as sent however they are cut, written in order, safely framed."""

import asyncio
from collections.abc import Sequence
from typing import Any

import nats
import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st
from nats.errors import BadHeaderError, BadSubjectError, ConnectionClosedError, MaxPayloadError, ProtocolError

from crossdock.adapters import wire
from crossdock.adapters.wire import BulkParser, frame, frame_with_headers, read_headers

Got = tuple[bytes, bytes, bytes, bytes]


class Slow:
    """Stands for nats-py's client: what the parser does not hand over itself."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.pings = 0

    async def _process_msg(self, *message: Any) -> None:
        self.messages.append(message)

    async def _process_ping(self) -> None:
        self.pings += 1


def sent(subject: bytes, sid: int, reply: bytes, header: bytes, payload: bytes) -> bytes:
    words = [subject, b"%d" % sid, *([reply] if reply else [])]
    if header:
        return b"HMSG %b %d %d\r\n%b%b\r\n" % (b" ".join(words), len(header), len(header + payload), header, payload)
    return b"MSG %b %d\r\n%b\r\n" % (b" ".join(words), len(payload), payload)


HEADERS = st.sampled_from([b"", b"NATS/1.0\r\na: b\r\n\r\n", b"NATS/1.0 100 Idle\r\n\r\n"])
MESSAGES = st.tuples(
    st.sampled_from([b"event.a", b"_INBOX.x.1"]),
    st.sampled_from([b"", b"$JS.ACK.a.b"]),
    HEADERS,
    st.binary(max_size=80),
)


@given(st.lists(MESSAGES, max_size=8), st.lists(st.integers(1, 40), min_size=1))
def test_messages_are_the_same_wherever_the_bytes_are_cut(messages: Sequence[Got], cuts: list[int]) -> None:
    client, got = Slow(), []
    parser = BulkParser(client)  # type: ignore[arg-type]
    parser.handlers[b"7"] = lambda *message: got.append(message)
    stream = b"".join(b"PING\r\n" + sent(subject, 7, reply, head, body) for subject, reply, head, body in messages)

    async def scenario() -> None:
        at, turn = 0, 0
        while at < len(stream):
            size = cuts[turn % len(cuts)]
            await parser.parse(stream[at : at + size])
            at, turn = at + size, turn + 1

    asyncio.run(scenario())
    assert got == list(messages)
    assert client.pings == len(messages)


def test_a_message_for_another_subscription_goes_to_nats_py() -> None:
    client = Slow()
    asyncio.run(BulkParser(client).parse(sent(b"a", 3, b"r", b"", b"x") + sent(b"b", 4, b"", b"NATS/1.0\r\n\r\n", b"")))  # type: ignore[arg-type]
    assert client.messages == [(3, b"a", b"r", b"x", None), (4, b"b", b"", b"", b"NATS/1.0\r\n\r\n")]


def test_a_handler_that_fails_does_not_end_the_reading() -> None:
    got: list[bytes] = []

    def handler(_: bytes, __: bytes, ___: bytes, payload: bytes) -> None:
        got.append(payload)
        raise ValueError

    parser = BulkParser(Slow())  # type: ignore[arg-type]
    parser.handlers[b"1"] = handler
    asyncio.run(parser.parse(sent(b"a", 1, b"", b"", b"x") + sent(b"a", 1, b"", b"", b"y")))
    assert got == [b"x", b"y"]


def test_the_rest_of_a_lost_connection_is_forgotten() -> None:
    got: list[bytes] = []
    parser = BulkParser(Slow())  # type: ignore[arg-type]
    parser.handlers[b"1"] = lambda *message: got.append(message[3])

    async def scenario() -> None:
        await parser.parse(sent(b"a", 1, b"", b"", b"half of this is lost")[:-9])
        parser.reset()
        await parser.parse(sent(b"a", 1, b"", b"", b"whole"))

    asyncio.run(scenario())
    assert got == [b"whole"]


def test_a_line_without_end_is_an_error_and_not_a_leak() -> None:
    with pytest.raises(ProtocolError):
        asyncio.run(BulkParser(Slow()).parse(b"x" * 20_000))  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["a\r\nNats-Rollup: all", "a\nb", "a\rb"])
def test_a_line_break_in_a_header_is_refused(value: str) -> None:
    with pytest.raises(BadHeaderError):
        frame_with_headers("event.a", "", {"Crossdock-Id": value}, b"")


@pytest.mark.parametrize("subject", ["", "a b", "a\r\nPUB x"])
def test_a_subject_that_would_break_the_framing_is_refused(subject: str) -> None:
    with pytest.raises(BadSubjectError):
        frame_with_headers(subject, "", {}, b"")


def test_headers_are_read_as_they_were_written() -> None:
    written = frame_with_headers("event.a", "", {"content-type": "text/plain; a: b", "Crossdock-Id": "ü"}, b"")
    block = written[written.index(b"NATS/1.0") : -2]
    assert read_headers(block) == ("", {"content-type": "text/plain; a: b", "Crossdock-Id": "ü"})
    assert read_headers(b"NATS/1.0 404 No Messages\r\n\r\n") == ("404 No Messages", {})


def test_what_is_written_to_a_connection_that_closed_unheard_of_is_refused_and_what_waited_waits(nats_url: str) -> None:
    async def scenario() -> None:
        client: Any = await nats.connect(nats_url)
        wire.parser_of(client)
        client._reading_task.cancel()  # nobody hears that it closes
        client._transport.close()
        await client._transport.wait_closed()
        client._pending, client._pending_data_size = [b"PING\r\n"], 6
        with pytest.raises(ConnectionClosedError):
            wire.write(client, [frame("wire.bulk", "", b"1")])
        assert client._pending == [b"PING\r\n"]
        client._pending, client._pending_data_size = [], 0
        await client.close()

    uvloop.run(scenario())


def test_it_shares_a_connection_with_nats_py(nats_url: str) -> None:
    async def scenario() -> None:
        client = await nats.connect(nats_url)
        got: asyncio.Queue[Got] = asyncio.Queue()
        mine = await wire.subscribe(client, "wire.bulk", lambda *message: got.put_nowait(message))
        theirs = await client.subscribe("wire.plain")
        await client.publish("wire.bulk", b"0", headers={"n": "0"})
        wire.write(client, [frame("wire.bulk", "reply.to", b"1"), frame("wire.plain", "", b"2")])
        async with asyncio.timeout(5):
            assert [(await got.get())[1:] for _ in range(2)] == [
                (b"", b"NATS/1.0\r\nn: 0\r\n\r\n", b"0"),
                (b"reply.to", b"", b"1"),
            ]
            assert (await theirs.next_msg()).data == b"2"
        await wire.unsubscribe(client, mine)
        await client.publish("wire.bulk", b"3")
        await client.flush()
        assert got.empty()
        with pytest.raises(MaxPayloadError):
            wire.write(client, [frame("wire.bulk", "", bytes(client.max_payload + 1))])
        await client.close()

    asyncio.run(scenario())
