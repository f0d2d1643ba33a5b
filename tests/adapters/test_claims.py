"""Bodies larger than the broker takes: stored as objects before what names them, and whole again for whoever reads."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable

import pytest
from nats.aio.client import Client

from crossdock.adapters import claims
from crossdock.adapters.consumers import PROCESS, PROCESS_CONSUMER
from crossdock.adapters.inbox import NatsInbox
from crossdock.adapters.letters import NatsLetters
from crossdock.adapters.log import Acks, NatsLog
from crossdock.adapters.past import past
from crossdock.adapters.topology import Topology
from crossdock.adapters.whole import read
from crossdock.kernel.problems import Problem, Unavailable
from crossdock.kernel.stream import CLAIM, DLQ, RAW, Message, Record, lost
from dlq.record import raw_letter, record, replay
from tests.realservers import RETENTION, clean

Scenario = Callable[[Client, NatsLog, Topology], Awaitable[None]]


def with_log(url: str, scenario: Scenario) -> None:
    async def run() -> None:
        async with clean(url) as (client, topology):
            acks = Acks(client)
            await acks.start()
            try:
                await scenario(client, NatsLog(acks), topology)
            finally:
                await acks.close()

    asyncio.run(run())


def large(size: int = 5 << 20) -> bytes:
    return os.urandom(size)


def raw(key: str, body: bytes) -> Record:
    return Record("raw.stores.tills", body, key, {"content-type": "application/json"})


async def inbox_of(client: Client, topology: Topology) -> NatsInbox:
    await topology.consumer(PROCESS_CONSUMER)
    return await NatsInbox(client, RAW, PROCESS).start()


async def fetched(inbox: NatsInbox, number: int) -> list[Message]:
    found: list[Message] = []
    while len(found) < number:  # a fetch brings what is there by then
        found += await inbox.fetch(number - len(found), 5)
    return found


async def objects(client: Client) -> int:
    return int((await client.jetstream().stream_info(claims.STREAM)).state.messages)


def test_a_large_body_comes_back_byte_for_byte_between_small_ones(nats_url: str) -> None:
    async def scenario(client: Client, log: NatsLog, topology: Topology) -> None:
        # given
        inbox, body = await inbox_of(client, topology), large()
        # when
        stored = await log.append_all([raw("a", b"1"), raw("b", body), raw("c", b"3")])
        # then
        messages = await fetched(inbox, 3)
        assert [message.payload for message in messages] == [b"1", body, b"3"]
        assert [one.seq for one in stored] == [message.seq for message in messages]
        assert messages[1].headers["content-type"] == "application/json" and CLAIM not in messages[1].headers
        assert (await client.jetstream().stream_info(RAW)).state.bytes < 10_000

    with_log(nats_url, scenario)


def test_other_clients_of_the_broker_read_it_as_an_object(nats_url: str) -> None:
    async def scenario(client: Client, log: NatsLog, _: Topology) -> None:
        body = large(2 << 20)
        await log.append(raw("a", body))
        stored = await client.jetstream().get_msg(RAW, 1)
        name, _, size = (stored.headers or {})[CLAIM].partition(" ")
        store = await client.jetstream().object_store(claims.BUCKET)
        found = await store.get(name)
        assert (found.data, found.info.size, int(size)) == (body, len(body), len(body))
        assert stored.data is not None and name.encode() in stored.data

    with_log(nats_url, scenario)


def test_bodies_up_to_the_limit_stay_in_their_messages(nats_url: str) -> None:
    async def scenario(client: Client, log: NatsLog, _: Topology) -> None:
        await log.append(raw("a", b"x" * claims.LARGE))
        assert await objects(client) == 0
        await log.append(raw("b", b"x" * (claims.LARGE + 1)))
        assert await objects(client) == 5

    with_log(nats_url, scenario)


def test_the_same_body_is_stored_once_and_anew_before_it_could_go(
    nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(client: Client, log: NatsLog, topology: Topology) -> None:
        # given
        body, inbox = large(1 << 20), await inbox_of(client, topology)
        await log.append_all([raw("a", body), raw("b", body)])
        assert await objects(client) == 5
        # when its name is given again after half a day
        later = time.time() + claims.RENEWED
        monkeypatch.setattr(time, "time", lambda: later)
        await log.append(raw("c", body))
        # then
        assert await objects(client) == 10
        assert [message.payload for message in await fetched(inbox, 3)] == [body] * 3

    with_log(nats_url, scenario)


def test_objects_live_longer_than_anything_that_names_them_and_follow_the_retention(nats_url: str) -> None:
    async def scenario(client: Client, log: NatsLog, _: Topology) -> None:
        assert (await client.jetstream().stream_info(claims.STREAM)).config.max_age == 3600.0 + claims.MARGIN
        await Topology(client, 1, RETENTION | {DLQ: 86400.0}).streams()
        assert (await client.jetstream().stream_info(claims.STREAM)).config.max_age == 86400.0 + claims.MARGIN

    with_log(nats_url, scenario)


@pytest.mark.parametrize("harm", ["the note is gone", "a piece is gone", "another piece", "no bucket"])
def test_a_lost_body_leaves_a_message_that_says_so(nats_url: str, harm: str) -> None:
    async def scenario(client: Client, log: NatsLog, topology: Topology) -> None:
        # given
        inbox, jetstream = await inbox_of(client, topology), client.jetstream()
        await log.append_all([raw("a", large()), raw("b", b"2")])
        note = await jetstream.get_msg(claims.STREAM, (await jetstream.stream_info(claims.STREAM)).state.last_seq)
        first = await jetstream.get_msg(claims.STREAM, 1)
        # when
        if harm == "the note is gone":
            await jetstream.delete_msg(claims.STREAM, note.seq or 0)
        elif harm == "a piece is gone":
            await jetstream.delete_msg(claims.STREAM, 3)
        elif harm == "another piece":
            await jetstream.delete_msg(claims.STREAM, 2)
            await jetstream.publish(str(first.subject), b"x" * claims.PIECE)
        else:
            await jetstream.delete_stream(claims.STREAM)
        # then
        one, two = await fetched(inbox, 2)
        why = lost(one)
        assert why is not None and why.problems[0].code == "body_lost" and "5242880 bytes" in why.problems[0].message
        assert (two.payload, lost(two)) == (b"2", None)

    with_log(nats_url, scenario)


def test_a_body_that_is_back_is_whole_again(nats_url: str) -> None:
    async def scenario(client: Client, log: NatsLog, topology: Topology) -> None:
        # given a dead letter of a message whose object was away
        inbox, body, jetstream = await inbox_of(client, topology), large(1 << 20), client.jetstream()
        await log.append(raw("a", body))
        note = await jetstream.get_msg(claims.STREAM, (await jetstream.stream_info(claims.STREAM)).state.last_seq)
        await jetstream.delete_msg(claims.STREAM, note.seq or 0)
        (message,) = await inbox.fetch(1, 5)
        letter = raw_letter(message, None, (Problem("body_lost", ""),), partner="p", source="s", at=1, revision="")
        # when it is there again, and the letter is replayed
        await jetstream.publish(str(note.subject), note.data or b"")
        await log.append(replay(letter, "1"))
        # then
        (again,) = await inbox.fetch(1, 5)
        assert (again.payload, again.origin) == (body, 1)

    with_log(nats_url, scenario)


def test_a_dead_letter_of_a_large_body_is_one_and_comes_back(nats_url: str) -> None:
    async def scenario(client: Client, log: NatsLog, _: Topology) -> None:
        # given
        message = Message(7, "raw.stores.tills", large(), {}, 1, 1.0)
        letter = raw_letter(message, None, (Problem("bad", "no"),), partner="p", source="s", at=1, revision="")
        # when
        stored = await log.append(record(letter))
        # then
        assert await NatsLetters(client).get(stored.seq) == letter
        await client.jetstream().purge_stream(claims.STREAM)
        assert await NatsLetters(client).get(stored.seq) is None

    with_log(nats_url, scenario)


def test_who_looks_at_the_past_gets_large_bodies_in_parts(nats_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(client: Client, log: NatsLog, _: Topology) -> None:
        monkeypatch.setattr(claims, "MOST", 4 << 20)
        bodies = [large(2 << 20) for _ in range(3)]
        await log.append_all([raw(f"k{number}", body) for number, body in enumerate(bodies)])
        seen, after = list[bytes](), 0
        while found := await past(client, 1, after, 10):
            assert len(found) < 3
            seen += [message.payload for message in found]
            after = found[-1].seq
        assert seen == bodies

    with_log(nats_url, scenario)


def test_what_looks_through_whole_streams_leaves_large_bodies_where_they_are(nats_url: str) -> None:
    async def scenario(client: Client, log: NatsLog, _: Topology) -> None:
        await log.append(raw("a", large()))
        ((message,),) = [batch async for batch in read(client, RAW)]
        ((bare,),) = [batch async for batch in read(client, RAW, headers_only=True)]
        assert CLAIM in message.headers and len(message.payload) < 200 and bare.payload == b""

    with_log(nats_url, scenario)


def test_while_the_broker_is_away_nothing_large_is_taken_for_lost_or_stored(nats_url: str) -> None:
    async def scenario(client: Client, log: NatsLog, _: Topology) -> None:
        # given
        await log.append(raw("a", large()))
        stored = await client.jetstream().get_msg(RAW, 1)
        message = Message(1, "raw.stores.tills", b"", stored.headers or {}, 1, 1.0)
        # when
        await client.close()
        # then
        with pytest.raises(Unavailable):
            await claims.brought(client, message)
        with pytest.raises(Unavailable):
            await log.append(raw("b", large()))

    with_log(nats_url, scenario)
