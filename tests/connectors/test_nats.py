"""The kind `nats` against a real broker: what is published, what failures mean, and what a poll brings."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from connectors import reading
from connectors.kinds import open_connector, open_origin
from connectors.port import Connector, Result
from connectors.spec import ConnectorSpec
from crossdock.adapters.log import Acks
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.yamlfile import parse
from crossdock.supervisor import datafolder
from crossdock.supervisor.outside import Outward
from tests.connectors.conformance import EVENT, SECRET, Bench, conforms
from tests.realservers import connected, nats_server

TO_SHOP = "subject: shop.stock"
NUMBERS = count()  # keys that no test has twice: what a stream drops outlives its messages


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with nats_server(tmp_path_factory.mktemp("bus")) as (url, _):
        yield url


def spec(url: str, keys: str = TO_SHOP) -> ConnectorSpec:
    address, auth = url, ""
    if "@" in url:
        credentials, _, host = url.removeprefix("nats://").rpartition("@")
        user, _, password = credentials.partition(":")
        address, auth = f"nats://{host}", f"auth: {{user: {user!r}, password: {password!r}}}"
    where = f"url: {address}\n{auth}" if url else ""
    text = f"connector: bus\nkind: nats\ntimeout: 2s\nnetworks: [127.0.0.0/8]\n{where}\n{keys}\n"
    return reading.make(parse(text.encode(), "connectors/bus.yaml"))


def connector(url: str, keys: str = TO_SHOP) -> Connector:
    return open_connector(spec(url, keys), Outward())


@asynccontextmanager
async def shop(url: str) -> AsyncIterator[Client]:
    """Connect past Crossdock to a broker whose stream SHOP is empty."""
    async with connected(url) as client:
        jetstream = client.jetstream()
        await jetstream.add_stream(name="SHOP", subjects=["shop.>"], max_msg_size=4000, duplicate_window=60)
        await jetstream.purge_stream("SHOP")
        with suppress(NotFoundError):
            await jetstream.delete_consumer("SHOP", "from-bus")
        yield client


def run(url: str, act: Callable[[Client], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with shop(url) as client:
            return await act(client)

    return asyncio.run(main())


async def deliver(made: Connector, event: Event = EVENT) -> Result:
    result = await made.deliver(event, f"k{next(NUMBERS)}")
    await made.close()
    return result


def test_the_kind_conforms(server: str) -> None:
    away = f"nats://me:{SECRET}@127.0.0.1:{datafolder.free_port()}"

    async def act(client: Client) -> None:
        async def effects() -> list[Any]:
            state = (await client.jetstream().stream_info("SHOP")).state
            return [None] * state.messages

        big = EVENT._replace(id="9", data={"text": "x" * 5000})
        await conforms(Bench(lambda: connector(server), lambda: connector(away), effects, refused=big))

    run(server, act)


def test_an_event_is_published_in_binary_mode_with_its_key_as_the_id_that_the_stream_drops(server: str) -> None:
    async def act(client: Client) -> Any:
        await deliver(connector(server, "subject: {expression: '\"shop.\" & sku'}"))
        return await client.jetstream().get_last_msg("SHOP", "shop.A-1")

    message = run(server, act)
    assert message.headers["Nats-Msg-Id"].startswith("k")
    assert message.data == b'{"sku":"A-1","quantity":3}'
    assert {"ce-source": "/tills/7", "ce-id": "1", "ce-type": "inventory.sold"}.items() <= message.headers.items()


@pytest.mark.parametrize("subject", ['"shop.*"', '"shop. x"', '"a..b"', "nothing", "quantity"])
def test_what_is_no_subject_of_a_message_is_permanent(server: str, subject: str) -> None:
    keys = f"subject: {{expression: {subject!r}}}"

    result = run(server, lambda _: deliver(connector(server, keys)))

    assert (result.outcome, result.detail.split(":")[0]) == ("permanent", "bad_subject")


def test_no_event_gets_into_the_streams_of_crossdock_itself(server: str) -> None:
    keys = "subject: {expression: '\"raw.stores.tills\"'}"

    async def act(client: Client) -> Result:
        return await deliver(open_connector(spec("", keys), Outward(client)))

    assert run(server, act).detail == "bad_subject: raw.stores.tills is Crossdock's own"


def test_the_own_broker_is_used_where_no_url_is_given_and_stays_connected(server: str) -> None:
    async def act(client: Client) -> tuple[Result, bool]:
        return await deliver(open_connector(spec(""), Outward(client))), client.is_connected

    result, connected_ = run(server, act)
    assert (result.outcome, connected_) == ("delivered", True)


def test_without_a_stream_an_event_waits_unless_none_has_to_store_it(server: str) -> None:
    async def act(_: Client) -> list[str]:
        keys = ["subject: nowhere.at.all", "subject: nowhere.at.all\nstored: false"]
        return [(await deliver(connector(server, one))).outcome for one in keys]

    assert run(server, act) == ["retry", "delivered"]


def test_a_wrong_password_is_said_without_showing_it(server: str) -> None:
    host = server.rpartition("@")[2]

    result = run(server, lambda _: deliver(connector(f"nats://crossdock:{SECRET}@{host}")))

    assert (result.outcome, SECRET in result.detail, "uthorization" in result.detail) == ("retry", False, True)


def test_an_address_that_is_not_allowed_is_not_dialled(server: str) -> None:
    made = spec(server.replace("127.0.0.1", "localhost"))
    closed = ConnectorSpec(made.name, made.kind, made.options)

    result = run(server, lambda _: deliver(open_connector(closed, Outward())))

    assert (result.outcome, result.detail.split(":")[0]) == ("permanent", "private_address")


def test_a_connection_that_broke_is_made_anew(tmp_path: Path) -> None:
    async def act() -> list[str]:
        with_server = nats_server(tmp_path)
        url, process = await asyncio.to_thread(with_server.__enter__)
        async with connected(url) as client:
            await client.jetstream().add_stream(name="SHOP", subjects=["shop.>"])
        made = connector(url)
        outcomes: list[str] = [(await made.deliver(EVENT, "1")).outcome]
        process.kill()
        process.wait()
        outcomes.append((await made.deliver(EVENT, "2")).outcome)
        await made.close()
        return outcomes

    assert asyncio.run(act()) in (["delivered", "retry"], ["delivered", "in_doubt"])


POLL = "poll: {subject: shop.orders.>, limit: 2}"


def test_messages_come_until_they_are_stored_and_say_their_subject_and_headers(server: str) -> None:
    async def act(client: Client) -> tuple[Any, ...]:
        for number in range(3):
            await client.jetstream().publish(f"shop.orders.{number}", b'{"n":%d}' % number, headers={"X-Kind": "new"})
        first = open_origin(spec(server, POLL), Outward())
        lot = await first.take("")
        assert lot is not None
        await first.done(lot)
        await first.close()
        second = open_origin(spec(server, POLL), Outward())
        rest = await second.take("")
        assert rest is not None
        await second.done(rest)
        nothing = await second.take("")
        await second.close()
        return lot.items, lot.headers[0]["subject"], lot.headers[0]["x-kind"], rest.items, nothing

    assert run(server, act) == ([{"n": 0}, {"n": 1}], "shop.orders.0", "new", [{"n": 2}], None)


def test_the_own_broker_is_polled_over_the_connection_that_the_hot_path_uses(server: str) -> None:
    async def act(client: Client) -> tuple[Any, ...]:
        acks = Acks(client)
        await acks.start()
        await client.jetstream().publish("shop.orders.1", b'{"n":1}')
        origin = open_origin(spec("", POLL), Outward(client))
        lot = await origin.take("")
        assert lot is not None
        await origin.done(lot)
        nothing = await origin.take("")
        await origin.close()
        await acks.close()
        return lot.items, nothing, client.is_connected

    assert run(server, act) == ([{"n": 1}], None, True)


def test_a_message_that_is_no_json_is_told_as_a_fault_and_harms_no_other(server: str) -> None:
    async def act(client: Client) -> Any:
        await client.jetstream().publish("shop.orders.1", b"{broken")
        await client.jetstream().publish("shop.orders.2", b"{}")
        origin = open_origin(spec(server, POLL), Outward())
        lot = await origin.take("")
        await origin.close()
        return lot

    lot = run(server, act)
    assert (lot.items, len(lot.faults), "{broken" in lot.faults[0]) == ([{}], 1, True)


def test_an_origin_whose_broker_is_away_says_so() -> None:
    url = f"nats://me:{SECRET}@127.0.0.1:{datafolder.free_port()}"

    async def act() -> None:
        await open_origin(spec(url, POLL), Outward()).take("")

    with pytest.raises(Unavailable) as caught:
        asyncio.run(act())
    assert SECRET not in str(caught.value)
