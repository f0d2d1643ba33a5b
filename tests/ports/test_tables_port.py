"""What every store of rows and of notes promises, asked of those in memory and of NATS."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from crossdock.adapters.memorytables import MemoryNotes, MemoryRows
from crossdock.adapters.parked import NatsNotes
from crossdock.adapters.tablerows import NatsRows
from crossdock.pipeline.parking import Note, Notes
from crossdock.pipeline.tables import FedRow, Rows
from tests.realservers import clean

Opened = Callable[[], AbstractAsyncContextManager[tuple[Rows, Notes]]]
LONG = "ß" * 1000 + " > * ."


@pytest.fixture(params=["memory", "nats"])
def opened(request: pytest.FixtureRequest) -> Opened:
    url = request.getfixturevalue("nats_url") if request.param == "nats" else ""

    @asynccontextmanager
    async def on_nats() -> AsyncIterator[tuple[Rows, Notes]]:
        async with clean(url) as (client, _):
            yield NatsRows(client), NatsNotes(client)

    @asynccontextmanager
    async def in_memory() -> AsyncIterator[tuple[Rows, Notes]]:
        yield MemoryRows(), MemoryNotes()

    return on_nats if url else in_memory


class Follower:
    """A table as one worker sees it."""

    def __init__(self, rows: Rows, table: str) -> None:
        self.present: dict[str, FedRow] = {}
        self.whole = asyncio.Event()
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(rows.follow(table, self._apply, self.whole))

    async def sees(self, **expected: object) -> None:
        async with asyncio.timeout(5):
            while {key: row.row for key, row in self.present.items()} != expected:
                self._changed.clear()
                await self._changed.wait()

    async def end(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _apply(self, rows: list[FedRow]) -> None:
        self.present |= {row.key: row for row in rows}
        self._changed.set()


async def found(notes: Notes, table: str = "", keys: Collection[str] = ()) -> set[Note]:
    return {note async for lot in notes.find(table, keys) for note in lot}


def test_the_row_that_happened_last_holds_in_whatever_order_they_come(opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as (rows, _):
            await rows.put("events-1", [FedRow("a", 20, 2, "new"), FedRow("a", 10, 3, "old"), FedRow("b", 1, 1, {})])
            await rows.put("events-1", [FedRow("a", 15, 4, "older"), FedRow("b", 1, 5, {"n": 2**63})])
            await rows.put("events-1", [FedRow("b", 1, 1, {})])
            follower = Follower(rows, "events-1")
            await follower.sees(a="new", b={"n": 2**63})
            await follower.end()

    asyncio.run(scenario())


def test_a_follower_has_everything_before_it_is_whole_and_hears_of_what_comes_then(opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as (rows, _):
            await rows.put("events-1", [FedRow(str(n), n, n, n) for n in range(700)])
            await rows.put("events-2", [FedRow("other", 1, 1, 1)])
            follower = Follower(rows, "events-1")
            async with asyncio.timeout(5):
                await follower.whole.wait()
            assert len(follower.present) == 700
            await rows.put("events-1", [FedRow(LONG, 1, 1, "x")])
            await follower.sees(**{str(n): n for n in range(700)}, **{LONG: "x"})
            await follower.end()

    asyncio.run(scenario())


def test_a_table_without_rows_is_whole(opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as (rows, _):
            follower = Follower(rows, "events-1")
            async with asyncio.timeout(5):
                await follower.whole.wait()
            await follower.end()

    asyncio.run(scenario())


def test_notes_are_found_by_table_and_key_and_go_with_their_letter(opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as (_, notes):
            one, two = Note("csv-1", "99", None, "dl-1", 5), Note("csv-1", LONG, 1_000_000, "dl-2", 6)
            three = Note("sql-2", "99", None, "dl-3", 7)
            assert await found(notes) == set()
            await notes.put([one, two, three])
            assert await found(notes) == {one, two, three}
            assert await found(notes, "csv-1") == {one, two}
            assert await found(notes, "csv-1", [LONG, "none"]) == {two}
            await notes.mark(one)
            assert await found(notes, "csv-1", ["99"]) == {one._replace(sent=True)}
            await notes.drop(["dl-1", "dl-3", "dl-9"])
            assert await found(notes) == {two}

    asyncio.run(scenario())


def test_only_the_note_that_was_sent_is_marked_and_none_that_came_in_its_place(opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as (_, notes):
            sent, again = Note("csv-1", "99", None, "dl-1", 5), Note("csv-1", "99", None, "dl-1", 6)
            await notes.put([sent])
            await notes.put([again])
            await notes.mark(sent)
            assert await found(notes) == {again}
            await notes.drop(["dl-1"])
            await notes.mark(again)
            assert await found(notes) == set()

    asyncio.run(scenario())
