"""Past events of a real broker: the newest, those since a time, those after a sequence."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from nats.aio.client import Client

from crossdock.adapters.log import Acks, NatsLog
from crossdock.adapters.past import past
from crossdock.kernel.stream import RAW, Record
from tests.realservers import clean

Scenario = Callable[[Client, NatsLog], Awaitable[None]]


def with_log(url: str, scenario: Scenario) -> None:
    async def run() -> None:
        async with clean(url) as (client, _):
            acks = Acks(client)
            await acks.start()
            await scenario(client, NatsLog(acks))
            await acks.close()

    asyncio.run(run())


def records(first: int, last: int) -> list[Record]:
    return [Record("raw.stores.tills", str(i).encode(), f"k{i}") for i in range(first, last + 1)]


@pytest.mark.parametrize(
    ("after", "limit", "bodies"),
    [(0, 2, [b"4", b"5"]), (0, 100, [b"1", b"2", b"3", b"4", b"5"]), (2, 2, [b"3", b"4"]), (4, 9, [b"5"]), (5, 9, [])],
)
def test_the_newest_or_those_after_a_sequence_are_read(
    nats_url: str, after: int, limit: int, bodies: list[bytes]
) -> None:
    async def scenario(client: Client, log: NatsLog) -> None:
        await log.append_all(records(1, 5))
        assert [message.payload for message in await past(client, 0, after, limit)] == bodies
        assert await client.jetstream().consumers_info(RAW) == []

    with_log(nats_url, scenario)


def test_those_since_a_time_are_read_from_the_oldest(nats_url: str) -> None:
    async def scenario(client: Client, log: NatsLog) -> None:
        await log.append_all(records(1, 3))
        stored = await past(client, 0, 0, 3)
        between = int(stored[-1].time * 1000) + 1
        await asyncio.sleep(max(0.0, between / 1000 - time.time()) + 0.002)  # the broker's clock has to pass it
        await log.append_all(records(4, 6))
        assert [message.payload for message in await past(client, between, 0, 2)] == [b"4", b"5"]

    with_log(nats_url, scenario)
