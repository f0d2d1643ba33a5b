"""Replays that wait are found on real streams with each message read once, whatever becomes of the streams."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from nats.aio.client import Client

from crossdock.adapters import underway
from crossdock.adapters.log import Acks, NatsLog
from crossdock.adapters.pages import read
from crossdock.adapters.positions import Positions
from crossdock.adapters.underway import UnderWay
from crossdock.kernel.stream import ACT, ORIGIN, RAW, Record
from dlq.record import Place
from tests.realservers import clean

SOME = 5
WANTED: dict[Place, str] = {("", number): "raw.*.tills" for number in range(1, SOME + 1)}


def at(processed: int) -> Positions:
    return Positions(processed, {}, frozenset(), {})


def copy(number: int) -> Record:
    return Record("raw.stores.tills", b"{}", f"k{number}", {ORIGIN: str(number), ACT: f"rp-{number}"})


def run(url: str, scenario: Callable[[Client, NatsLog], Awaitable[None]]) -> None:
    async def act() -> None:
        async with clean(url) as (client, _):
            acks = Acks(client)
            await acks.start()
            await scenario(client, NatsLog(acks))
            await acks.close()

    asyncio.run(act())


def test_what_waits_is_read_once_however_many_lots_ask(nats_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []

    async def counted(*args: Any, **named: Any) -> Any:
        messages = await read(*args, **named)
        told.extend(message.seq for message in messages)
        return messages

    async def scenario(client: Client, log: NatsLog) -> None:
        monkeypatch.setattr(underway, "read", counted)
        found = UnderWay(client)
        await log.append_all([copy(number) for number in range(1, SOME)])
        for number in range(1, SOME + 1):
            lot = {("", number): "raw.*.tills"}
            assert await found.of(at(0), lot) == ({("", number): f"rp-{number}"} if number < SOME else {})
        await log.append(copy(SOME))
        assert await found.of(at(3), WANTED) == {("", 4): "rp-4", ("", 5): "rp-5"}
        assert told == [1, 2, 3, 4, 5]

    run(nats_url, scenario)


def test_what_was_deleted_waits_no_more_and_what_is_past_its_retention_neither(nats_url: str) -> None:
    async def scenario(client: Client, log: NatsLog) -> None:
        found = UnderWay(client)
        await log.append_all([copy(number) for number in range(1, SOME + 1)])
        assert (await found.of(at(0), WANTED)).keys() == WANTED.keys()
        await client.jetstream().delete_msg(RAW, 3)
        assert [seq for _, seq in await found.of(at(0), WANTED)] == [1, 2, 4, 5]
        await client.jetstream().purge_stream(RAW, seq=5)
        assert [seq for _, seq in await found.of(at(0), WANTED)] == [5]

    run(nats_url, scenario)


def test_when_a_consumer_or_a_stream_begins_anew_what_waits_is_found_again(nats_url: str) -> None:
    async def scenario(client: Client, log: NatsLog) -> None:
        found, jetstream = UnderWay(client), client.jetstream()
        await log.append_all([copy(number) for number in range(1, SOME + 1)])
        assert await found.of(at(SOME), WANTED) == {}
        assert (await found.of(at(0), WANTED)).keys() == WANTED.keys()
        # and of a stream that was made anew
        config = (await jetstream.stream_info(RAW)).config
        await jetstream.delete_stream(RAW)
        await jetstream.add_stream(config)
        assert await found.of(at(0), WANTED) == {}
        await log.append(copy(2))
        assert await found.of(at(0), WANTED) == {("", 2): "rp-2"}

    run(nats_url, scenario)
