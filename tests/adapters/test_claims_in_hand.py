"""How many large bodies an inbox holds at a time."""

import asyncio

import pytest
from nats.aio.client import Client

from crossdock.adapters import claims
from crossdock.adapters.log import NatsLog
from crossdock.adapters.topology import Topology
from tests.adapters.test_claims import fetched, inbox_of, large, raw, with_log


def test_an_inbox_holds_so_much_and_goes_on_when_some_is_acknowledged(
    nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(client: Client, log: NatsLog, topology: Topology) -> None:
        monkeypatch.setattr(claims, "MOST", 4 << 20)
        monkeypatch.setattr(claims, "PAUSE", 30.0)
        inbox, bodies = await inbox_of(client, topology), [large(2 << 20) for _ in range(4)]
        await log.append_all([raw(f"k{number}", body) for number, body in enumerate(bodies)])
        # when
        messages = await fetched(inbox, 2) + await inbox.fetch(10, 0.2)
        # then
        assert [message.payload for message in messages] == bodies[:2]
        waiting = asyncio.create_task(inbox.fetch(10, 10))
        await asyncio.sleep(0)
        inbox.ack(messages[:1])
        assert [message.payload for message in await asyncio.wait_for(waiting, 2)] == bodies[2:3]
        # and when those in hand stay there for long
        monkeypatch.setattr(claims, "PAUSE", 0.0)
        assert [message.payload for message in await inbox.fetch(10, 5)] == bodies[3:]

    with_log(nats_url, scenario)
