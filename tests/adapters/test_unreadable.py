"""Poison in JOURNAL: the projection names it and goes on, whether it cannot be read or the store refuses it."""

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import DataError, IntegrityError, OperationalError, ProgrammingError

from crossdock.adapters import sieve
from crossdock.adapters.memoryrecords import MemoryRecords
from crossdock.adapters.projector import Projector
from crossdock.adapters.sieve import Sieve, is_of_data
from crossdock.adapters.sql import SqlJournal
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Message
from crossdock.pipeline import unreadable
from crossdock.pipeline.unreadable import Unreadable
from journal.entry import SUBJECT, Entry, pack
from tests.adapters.test_projector import AGES, journal, projecting, reached, twice, write
from tests.realservers import clean, until

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


class Refusing(SqlJournal):
    """A journal that raises what it is told to raise when an entry has one of some ids."""

    def __init__(self, folder: Path, fault: Exception, *refused: str) -> None:
        super().__init__(f"sqlite:///{folder}/journal.db")
        self.fault, self.ids, self.tried = fault, set(refused), 0

    def project(self, entries: Sequence[Entry], position: int) -> None:
        self._look(entries)
        super().project(entries, position)

    def try_out(self, entries: Sequence[Entry]) -> None:
        self.tried += 1
        self._look(entries)
        super().try_out(entries)

    def _look(self, entries: Sequence[Entry]) -> None:
        if any(line.id in self.ids for line in entries):
            raise self.fault


@pytest.mark.parametrize(
    "fault",
    [
        DataError("insert", {}, sqlite3.DataError("a NUL")), psycopg.DataError("a NUL"), OverflowError(),
        ProgrammingError("insert", {}, sqlite3.ProgrammingError("type 'dict' is not supported")),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
    ],
    ids=lambda fault: type(fault).__name__,
)  # fmt: skip
def test_of_a_message_only_the_entry_that_the_store_refuses_is_left_out(
    nats_url: str, tmp_path: Path, fault: Exception
) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _):
            store, records = Refusing(tmp_path, fault, "x-170", "e2"), MemoryRecords()
            many = [Entry(n, "gateway", "accepted", id=f"x-{n}", raw=n) for n in range(500)]
            await write(client, 1, 2)
            await client.jetstream().publish(SUBJECT, pack(many))
            await write(client, 4)
            # when
            async with projecting(client, store, records):
                kept = [line.id for line in many if line.id != "x-170"]
                assert await reached(store, 4) == [*twice(1), *kept, *twice(4)]
            # then
            named = await Unreadable(records, Metrics().unreadable).all()
            said = f"the store refuses entry {{}} of it: {type(fault).__name__}"
            assert [(one["seq"], one["why"]) for one in named] == [(3, said.format(171)), (2, said.format("1, 2"))]
            store.close()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "fault",
    [
        TypeError("x"), ValueError("x"), LookupError("x"), IntegrityError("insert", {}, sqlite3.IntegrityError("x")),
        ProgrammingError("insert", {}, sqlite3.ProgrammingError("Cannot operate on a closed database.")),
        OperationalError("insert", {}, sqlite3.OperationalError("disk is full")), psycopg.OperationalError("away"),
    ],
    ids=lambda fault: type(fault).__name__,
)  # fmt: skip
def test_a_mistake_of_the_program_or_a_store_that_is_away_is_never_held_against_an_entry(fault: Exception) -> None:
    assert not is_of_data(fault)


def test_after_a_mistake_of_the_program_everything_is_tried_again(nats_url: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with clean(nats_url) as (client, _):
            store, records = Refusing(tmp_path, TypeError("a mistake"), "e2"), MemoryRecords()
            await write(client, 1, 2, 3)
            with pytest.raises(TypeError, match="a mistake"):
                await Projector(client, store, AGES, Unreadable(records, Metrics().unreadable)).run()
            store.ids.clear()
            async with projecting(client, store, records):
                assert await reached(store, 3) == twice(1, 2, 3)
            assert await records.all() == {}
            store.close()

    asyncio.run(scenario())


def test_after_many_that_are_refused_in_a_row_no_more_is_left_out_until_one_is_taken(tmp_path: Path) -> None:
    lines = [Entry(n, "gateway", "accepted", id=f"x-{n}", raw=n) for n in range(300)]
    store = Refusing(tmp_path, OverflowError(), *(line.id for line in lines[1:290]))
    filtering = Sieve(store)
    # given as many in a row as may be
    assert [*filtering.refused(lines[: sieve.MOST + 1])] == [*range(1, sieve.MOST + 1)]
    # when more come, however often it is asked
    before = store.tried
    for _ in range(2):
        with pytest.raises(Unavailable, match="refuses every entry: OverflowError"):
            filtering.refused(lines[200:290])
    # then not all of them are tried
    assert store.tried - before < 20
    # and once the store is seen to take one it begins anew
    assert [*filtering.refused(lines[280:])] == [*range(10)]
    assert (store.position(), store.recent(5)) == (0, [])
    store.close()


def test_what_too_many_of_were_refused_is_stored_once_the_store_takes_it(
    nats_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sieve, "MOST", 3)

    async def scenario() -> None:
        async with clean(nats_url) as (client, _):
            store, records = Refusing(tmp_path, OverflowError(), "e2", "e3", "e4"), MemoryRecords()
            await write(client, 1, 2, 3, 4)
            async with projecting(client, store, records):
                await until(lambda: "it is not they" in caplog.text)
                assert (store.position(), await records.all()) == (0, {})
                store.ids.clear()
                assert await reached(store, 4) == twice(1, 2, 3, 4)
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
        # but when one is dismissed
        await noted.dismiss(2)
        for seq in (10, 11):
            await noted.note(Message(seq, SUBJECT, b"x", {}, 1, 5.0), "no JSON")
        assert [one["seq"] for one in await noted.all()] == [10, 3, 1]

    asyncio.run(scenario())


def test_when_the_names_of_old_messages_have_expired_new_ones_are_named_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unreadable, "MOST", 1)

    async def scenario() -> None:
        records, now = MemoryRecords(), [0.0]
        noted = Unreadable(records, Metrics().unreadable, lambda: now[0])
        await noted.note(Message(1, SUBJECT, b"x", {}, 1, 5.0), "no JSON")
        await records.remove("1")  # as the broker does after `retention.journal`
        now[0] += unreadable.FRESH
        await noted.note(Message(2, SUBJECT, b"x", {}, 1, 5.0), "no JSON")
        assert [one["seq"] for one in await noted.all()] == [2]

    asyncio.run(scenario())


def test_how_many_there_are_is_known_without_the_store_for_a_minute() -> None:
    class Counting(MemoryRecords):
        asked = 0

        async def all(self, under: str = "") -> dict[str, tuple[bytes, int]]:
            self.asked += 1
            return await super().all(under)

    async def scenario() -> None:
        records, now = Counting(), [0.0]
        noted = Unreadable(records, Metrics().unreadable, lambda: now[0])
        for _ in range(9):
            await noted.all()
        assert records.asked == 1
        now[0] += unreadable.FRESH
        await noted.all()
        assert records.asked == 2

    asyncio.run(scenario())
