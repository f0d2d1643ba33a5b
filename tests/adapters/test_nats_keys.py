"""Keys on all gateways: each hears of new and revoked ones within a second, whatever its watch went through."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from nats.aio.client import Client
from nats.js.api import ConsumerInfo

from crossdock.adapters.keys import NatsKeys
from crossdock.adapters.topology import KEYS, Topology
from crossdock.kernel.apikeys import KeyRecord
from tests.realservers import RETENTION, clean, connected, patiently, until

BUCKET = f"KV_{KEYS}"
ONE, TWO = KeyRecord("aa", "stores", "digest", 1), KeyRecord("bb", "acme", "digest", 2)


@asynccontextmanager
async def book(client: Client) -> AsyncIterator[NatsKeys]:
    """Open the key book of one process."""
    keys = NatsKeys(client)
    await keys.start()
    try:
        yield keys
    finally:
        await keys.close()


@dataclass
class Line:
    """A line to the broker that can be cut: what comes while it is cut is turned away."""

    address: tuple[str, int]
    cut: bool = False
    ends: set[asyncio.StreamWriter] = field(default_factory=set)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.cut:
            writer.close()
            return
        answers, onward = await asyncio.open_connection(*self.address)
        self.ends |= {writer, onward}
        await asyncio.gather(pump(reader, onward), pump(answers, writer))

    def break_off(self) -> None:
        self.cut = True
        for end in self.ends:
            end.transport.abort()
        self.ends.clear()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(1 << 16):
            writer.write(piece)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def far_away(url: str) -> AsyncIterator[tuple[Client, Line]]:
    """Connect over a line that can be cut."""
    parts = urlsplit(url)
    line = Line((parts.hostname or "", parts.port or 0))
    server = await asyncio.start_server(line.take, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, connected(url.replace(f":{parts.port}", f":{port}")) as client:
        yield client, line
        line.break_off()


async def watches(client: Client) -> list[ConsumerInfo]:
    return await client.jetstream().consumers_info(BUCKET)


def test_another_gateway_hears_of_new_and_revoked_keys_within_a_second(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _), book(client) as here:
            await here.put(ONE)
            async with book(client) as there:
                assert there.find("aa") == ONE
                await here.put(TWO)
                await until(lambda: there.find("bb") == TWO, within=1)
                await here.replace(TWO, replace(TWO, rolled_to="cc"))
                await until(lambda: there.find("bb") == replace(TWO, rolled_to="cc"), within=1)
                await here.remove("aa")
                await until(lambda: there.find("aa") is None, within=1)

    asyncio.run(scenario())


def test_what_was_revoked_while_a_gateway_was_cut_off_is_gone_within_a_second_of_its_return(nats_url: str) -> None:
    async def scenario() -> None:
        async with (
            clean(nats_url) as (client, _),
            far_away(nats_url) as (remote, line),
            book(client) as here,
            book(remote) as there,
        ):
            # given
            await here.put(ONE)
            await here.put(TWO)
            await until(lambda: there.find("bb") == TWO, within=1)
            # when
            line.break_off()
            await until(lambda: not remote.is_connected)
            await here.remove("aa")
            line.cut = False
            await until(lambda: remote.is_connected)
            # then
            await until(lambda: there.find("aa") is None, within=1)
            assert there.find("bb") == TWO
            await here.remove("bb")
            await until(lambda: there.find("bb") is None, within=1)

    asyncio.run(scenario())


def test_a_watch_that_dies_unnoticed_hides_a_revocation_for_less_than_a_second(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _), book(client) as here, book(client) as there:
            # given
            await here.put(ONE)
            await until(lambda: there.find("aa") == ONE, within=1)
            # when
            for watch in await watches(client):
                await client.jetstream().delete_consumer(BUCKET, watch.name)
            await here.remove("aa")
            # then
            await until(lambda: there.find("aa") is None, within=1)

    asyncio.run(scenario())


def test_a_bucket_that_was_lost_takes_its_keys_with_it(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _), book(client) as keys:
            # given
            await keys.put(ONE)
            # when
            await client.jetstream().delete_stream(BUCKET)
            await patiently(Topology(client, 1, RETENTION).streams)
            # then
            await until(lambda: keys.find("aa") is None, within=2)
            async with book(client) as other:
                await other.put(TWO)
                await until(lambda: keys.find("bb") == TWO, within=2)

    asyncio.run(scenario())


def test_a_record_that_cannot_be_read_is_not_valid_and_stops_nothing(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _), book(client) as keys:
            # given
            bucket = await client.jetstream().key_value(KEYS)
            await keys.put(ONE)
            # when
            await bucket.put("aa", b"{")
            await bucket.put("bb", b'{"id":"bb","partner":"acme","digest":"digest","created":2,"later":{}}')
            # then
            await until(lambda: keys.find("bb") == TWO, within=1)
            assert keys.records() == [TWO]

    asyncio.run(scenario())


def test_an_old_answer_does_not_bring_a_revoked_key_back(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _), book(client) as here, book(client) as there:
            # given
            await here.put(ONE)
            old = await (await client.jetstream().key_value(KEYS)).get("aa")
            await here.remove("aa")
            await until(lambda: there.find("aa") is None, within=1)
            # when
            for keys in (here, there):
                keys._apply(old)  # a replica that lags behind may still answer so
            # then
            assert (here.find("aa"), there.find("aa")) == (None, None)

    asyncio.run(scenario())


def test_following_ends_when_it_is_told_to_though_the_connection_has_gone_before(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url), connected(nats_url) as client:
            # given
            keys = NatsKeys(client)
            await keys.start()
            # when
            await client.drain()
            # then
            ended, _ = await asyncio.wait([asyncio.create_task(keys.close())], timeout=5)
            assert ended

    asyncio.run(scenario())
