"""Poison in JOURNAL: the projection names it and goes on, whether it cannot be read or the store refuses it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy.exc import DataError

from crossdock.adapters.memoryrecords import MemoryRecords
from crossdock.adapters.sql import SqlJournal
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.stream import Message
from crossdock.pipeline import unreadable
from crossdock.pipeline.unreadable import Unreadable
from journal.entry import SUBJECT, Entry
from tests.adapters.test_projector import journal, projecting, reached, twice, write
from tests.realservers import clean

POISON = (
    b"", b"no JSON", b"[]", b"null", b'{"count":1}', b'{"count":"1","columns":{}}', b'{"count":2,"columns":{"at":[5]}}',
    b'{"count":1,"columns":{"at":"x"}}', b'{"count":1,"columns":{"at":-1}}', b'{"count":1,"columns":{"raw":1.5}}',
    b'{"count":1,"columns":{"raw":9223372036854775808}}', b'{"count":1,"columns":{"id":[null]}}', b'{"entries":[7]}',
    b'{"count":1000000000000,"columns":{}}', b'{"entries":[{"id":{}}]}', b"[" * 5000,
)  # fmt: skip


def test_what_cannot_be_read_is_named_and_stepped_over_once(nats_url: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _):
            store, records = journal(tmp_path), MemoryRecords()
            await write(client, 1)
            for payload in POISON:
                await client.jetstream().publish(SUBJECT, payload)
            await write(client, 2)
            # when
            async with projecting(client, store, records):
                assert await reached(store, len(POISON) + 2) == twice(1, 2)
            # then
            named = await Unreadable(records, Metrics().unreadable).all()
            assert [one["seq"] for one in named] == list(range(len(POISON) + 1, 1, -1))
            assert all(one["why"] and one["at"] and one["bytes"] == len(POISON[one["seq"] - 2]) for one in named)
            store.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("fault", [DataError("insert", {}, Exception("a NUL")), TypeError("a list"), OverflowError()])
def test_what_a_store_refuses_is_stepped_over_and_its_neighbours_are_not(
    nats_url: str, tmp_path: Path, fault: Exception
) -> None:
    class Refusing(SqlJournal):
        def project(self, entries: Sequence[Entry], position: int) -> None:
            if any(line.id == "e2" for line in entries):
                raise fault
            super().project(entries, position)

    async def scenario() -> None:
        async with clean(nats_url) as (client, _):
            store, records = Refusing(f"sqlite:///{tmp_path}/journal.db"), MemoryRecords()
            await write(client, 1, 2, 3)
            async with projecting(client, store, records):
                assert await reached(store, 3) == twice(1, 3)
            (named,) = await Unreadable(records, Metrics().unreadable).all()
            assert (named["seq"], named["why"]) == (2, f"the store refuses it: {type(fault).__name__}")
            store.close()

    asyncio.run(scenario())


def test_of_too_many_that_cannot_be_read_some_are_named_and_all_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unreadable, "MOST", 3)

    async def scenario() -> None:
        metrics = Metrics()
        noted = Unreadable(MemoryRecords(), metrics.unreadable)
        for seq in range(1, 10):
            await noted.note(Message(seq, SUBJECT, b"x", {}, 1, 5.0), "no JSON")
        assert [one["seq"] for one in await noted.all()] == [3, 2, 1]
        assert "crossdock_journal_unreadable_total 9.0" in metrics.text().decode()

    asyncio.run(scenario())
