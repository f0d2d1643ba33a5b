"""The audit log on every store of it, in memory and on NATS: a chain, whoever writes, from which nothing is taken."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from nats.js.errors import APIError

from crossdock.adapters.audit import AUDIT, NatsAudit, make_stream
from crossdock.adapters.memoryaudit import MemoryAudit
from dlq.audit import NONE, Audit, AuditStore, decode
from tests.realservers import clean, patiently

Open = Callable[[], AbstractAsyncContextManager[AuditStore]]


@pytest.fixture(params=["memory", "nats"])
def opened(request: pytest.FixtureRequest) -> Open:
    url = request.getfixturevalue("nats_url") if request.param == "nats" else ""

    @asynccontextmanager
    async def on_nats() -> AsyncIterator[AuditStore]:
        async with clean(url) as (client, _):
            await patiently(lambda: make_stream(client, 1))
            yield NatsAudit(client)

    @asynccontextmanager
    async def in_memory() -> AsyncIterator[AuditStore]:
        yield MemoryAudit()

    return on_nats if url else in_memory


def test_an_entry_is_stored_after_the_one_that_its_writer_saw_and_after_no_other(opened: Open) -> None:
    async def scenario() -> None:
        async with opened() as store:
            assert (await store.last(), await store.page(0, 9)) == ((0, None), [])
            assert await store.append(b"a", 0)
            assert not await store.append(b"b", 0)
            assert await store.append(b"c", 1)
            assert not await store.append(b"d", 9)
            assert await store.last() == (2, b"c")
            assert await store.page(0, 9) == [(1, b"a"), (2, b"c")]
            assert (await store.page(0, 1), await store.page(1, 1), await store.page(2, 1)) == (
                [(1, b"a")], [(2, b"c")], [],
            )  # fmt: skip

    asyncio.run(scenario())


def test_writers_at_the_same_moment_make_one_chain(opened: Open) -> None:
    async def scenario() -> None:
        async with opened() as store:
            writers = [Audit(store) for _ in range(4)]
            acts = [one.note("ann", "", "replay", f"r-{n}", {"ids": ["ü"]}) for one in writers for n in range(5)]
            await asyncio.gather(*acts)
            stored = [decode(raw) for _, raw in await store.page(0, 99)]
            assert [one.number for one in stored] == list(range(1, 21))
            assert [one.before for one in stored] == [NONE, *(one.hash for one in stored[:-1])]
            assert sorted(one.on for one in stored) == sorted([f"r-{n}" for n in range(5)] * 4)
            verdict = await Audit(store).verify()
            assert (verdict.entries, verdict.hash, verdict.problems) == (20, stored[-1].hash, ())

    asyncio.run(scenario())


def test_the_broker_removes_nothing_and_cannot_be_told_to(nats_url: str) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _):
            await patiently(lambda: make_stream(client, 1))
            await Audit(NatsAudit(client)).note("ann", "", "pause", "stock", {})
            await make_stream(client, 1)
            jetstream = client.jetstream()
            config = (await jetstream.stream_info(AUDIT)).config
            for act in (
                jetstream.delete_msg(AUDIT, 1),
                jetstream.purge_stream(AUDIT),
                jetstream.update_stream(config.evolve(deny_delete=False)),
                jetstream.update_stream(config.evolve(deny_purge=False)),
            ):
                with pytest.raises(APIError):
                    await act
            assert (await Audit(NatsAudit(client)).verify()).entries == 1

    asyncio.run(scenario())
