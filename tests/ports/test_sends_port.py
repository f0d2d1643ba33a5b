"""What the streams say of replays, asked of those in memory and of NATS."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from crossdock.adapters.log import Acks, NatsLog
from crossdock.adapters.memory import MemoryLog
from crossdock.adapters.memorysends import MemorySends
from crossdock.adapters.sends import NatsSends
from crossdock.kernel.stream import Log, Record
from crossdock.pipeline.outbox import Sends
from journal.entry import SUBJECT
from tests.realservers import clean
from tests.smallproject import project


class Opened(NamedTuple):
    log: Log
    sends: Sends


Open = Callable[[], AbstractAsyncContextManager[Opened]]


@pytest.fixture(params=["memory", "nats"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    url = request.getfixturevalue("nats_url") if request.param == "nats" else ""

    @asynccontextmanager
    async def on_nats() -> AsyncIterator[Opened]:
        async with clean(url) as (client, _):
            acks = Acks(client)
            await acks.start()
            loaded = project(tmp_path)
            yield Opened(NatsLog(acks), NatsSends(client, lambda: loaded))
            await acks.close()

    @asynccontextmanager
    async def in_memory() -> AsyncIterator[Opened]:
        log = MemoryLog()
        yield Opened(log, MemorySends(log))

    return on_nats if url else in_memory


def test_the_keys_of_what_was_sent_after_a_mark_are_known(opened: Open) -> None:
    async def scenario() -> None:
        async with opened() as (log, sends):
            before = await sends.newest()
            await log.append_all([Record("replay.stock", b"{}", "a"), Record("raw.stores.tills", b"{}", "b")])
            mark = await sends.newest()
            both = ["raw.stores.tills", "replay.stock"]
            assert await sends.since(before, both) == {"a", "b"}
            assert await sends.since(mark, both) == set()
            await log.append_all([Record("replay.stock", b"{}", "c"), Record("replay.other", b"{}", "d")])
            assert await sends.since(mark, both) == {"c"}
            assert await sends.since(before, ["replay.other"]) == {"d"}
            assert await sends.since(before, []) == set()
            assert (await sends.unread("stock"), await sends.unread("nowhere")) == (0, 0)

    asyncio.run(scenario())


def test_the_last_of_the_journal_is_known_and_nothing_of_one_that_is_empty(opened: Open) -> None:
    async def scenario() -> None:
        async with opened() as (log, sends):
            assert await sends.recorded() == 0
            stored = await log.append(Record(SUBJECT, b"", "a"))
            assert await sends.recorded() == stored.seq > 0

    asyncio.run(scenario())
