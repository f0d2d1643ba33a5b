"""What lookups keep, in memory: rows made of events, and notes of what is parked."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence

from crossdock.pipeline.parking import Note, key_mark
from crossdock.pipeline.tables import FedRow
from routes.match import Reference


class MemoryArrivals:
    """See `crossdock.pipeline.awaited.Arrivals`; nothing is forgotten."""

    def __init__(self) -> None:
        self._arrived: set[tuple[str, Reference]] = set()

    async def put(self, connector: str, arrived: Sequence[Reference]) -> None:
        """See `Arrivals.put`."""
        self._arrived.update((connector, reference) for reference in arrived)

    async def has(self, connector: str, reference: Reference) -> bool:
        """See `Arrivals.has`."""
        return (connector, reference) in self._arrived


class MemoryNotes:
    """See `crossdock.pipeline.parking.Notes`."""

    def __init__(self) -> None:
        self._notes: dict[str, Note] = {}

    async def put(self, notes: Sequence[Note]) -> None:
        """See `Notes.put`."""
        self._notes |= {note.place: note for note in notes}

    async def mark(self, note: Note) -> None:
        """See `Notes.mark`."""
        if self._notes.get(note.place) == note:
            self._notes[note.place] = note._replace(sent=True)

    async def drop(self, letters: Collection[str]) -> None:
        """See `Notes.drop`."""
        self._notes = {place: note for place, note in self._notes.items() if note.letter not in letters}

    async def find(self, table: str = "", keys: Collection[str] = ()) -> AsyncIterator[list[Note]]:
        """See `Notes.find`."""
        wanted = [f"{table}.{key_mark(key)}." for key in keys] or [f"{table}." if table else ""]
        if found := [note for place, note in self._notes.items() if place.startswith(tuple(wanted))]:
            yield found


class MemoryRows:
    """See `crossdock.pipeline.tables.Rows`."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, FedRow]] = {}
        self._changed = asyncio.Condition()

    async def put(self, table: str, rows: Sequence[FedRow]) -> None:
        """See `Rows.put`."""
        present = self._rows.setdefault(table, {})
        for row in rows:
            present[row.key] = max(row, present.get(row.key, row), key=lambda one: one.age)
        async with self._changed:
            self._changed.notify_all()

    async def follow(self, table: str, apply: Callable[[list[FedRow]], None], whole: asyncio.Event) -> None:
        """See `Rows.follow`."""
        told: dict[str, FedRow] = {}
        while True:
            present = dict(self._rows.get(table, {}))
            if news := [row for key, row in present.items() if told.get(key) != row]:
                apply(news)
            told = present
            whole.set()
            async with self._changed:
                await self._changed.wait_for(lambda told=told: self._rows.get(table, {}) != told)  # type: ignore[misc]
