"""Events that wait for a row of a lookup: as dead letters, with a note each, until the row appears and they go on."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Log
from crossdock.pipeline.resend import line_of, send
from dlq.ports import Letters
from dlq.record import replay
from transforms.lookups import Table

log = logging.getLogger(__name__)

MANY = 500  # keys of a table that are asked for one by one; for more, all notes of the table are read
AWAY = 1.0  # seconds


class Note(NamedTuple):
    """What a dead letter waits for: a row of a table by its key, valid at a moment if the table is dated.

    `letter` is its id and `ref` its sequence in DLQ; `sent` says that it was sent through again.
    """

    table: str
    key: str
    at: int | None
    letter: str
    ref: int
    sent: bool = False

    @property
    def place(self) -> str:
        """The place of the note, one for each row that a dead letter waits for."""
        return f"{self.table}.{key_mark(self.key)}.{self.letter}"


class Notes(Protocol):
    """The notes of what is parked."""

    async def put(self, notes: Sequence[Note]) -> None:
        """Store notes, each in the place of an earlier one.

        Raises:
            Unavailable: they were not all acknowledged.
        """

    async def mark(self, note: Note) -> None:
        """Say that a note was sent, unless another one is in its place by now, or none.

        Raises:
            Unavailable: the store does not answer.
        """

    async def drop(self, letters: Collection[str]) -> None:
        """Remove all notes of dead letters.

        Raises:
            Unavailable: the store does not answer.
        """

    def find(self, table: str = "", keys: Collection[str] = ()) -> AsyncIterator[list[Note]]:
        """Yield notes in lots: all, or those of a table, or those of some keys of it.

        Raises:
            Unavailable: the store does not answer.
        """


def key_mark(key: str) -> str:
    """Return what stands for a key of any length and letters in names of the broker."""
    return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()


class Parking:
    """Takes notes of what waits, and sends it through again when its row is there.

    A note is stored before its event is acknowledged and goes when the event was processed again, so a kill at any
    point leaves a note, and every start looks at all of them.
    """

    def __init__(self, notes: Notes, letters: Letters, streams: Log) -> None:
        self._tables: Mapping[str, Table] = {}
        self._notes = notes
        self._letters = letters
        self._streams = streams
        self._due: dict[str, set[str]] = {}  # keys by table; no keys for all of it, no table for everything
        self._woken = asyncio.Event()

    def use(self, tables: Mapping[str, Table]) -> None:
        """Take the tables by their id, in the place of those before, and look at everything that is parked."""
        self._tables = tables
        self._look_at_all()

    async def park(self, notes: Sequence[Note]) -> None:
        """Store notes of dead letters, waiting as long as the broker is away."""
        while True:
            try:
                await self._notes.put(notes)
                break
            except Unavailable as error:
                log.warning("waiting to park: %s", error)
                await asyncio.sleep(AWAY)
        for note in notes:
            if self._ready(note):  # the row came between the look and the note
                self.appeared(note.table, [note.key])

    async def settle(self, letters: Collection[str]) -> None:
        """Remove the notes of dead letters that were sent through again and are being processed."""
        while True:
            try:
                return await self._notes.drop(letters)
            except Unavailable as error:
                log.warning("waiting to settle: %s", error)
                await asyncio.sleep(AWAY)

    def appeared(self, table: str, keys: Collection[str]) -> None:
        """Hear that rows of a table are new or changed."""
        if not keys:
            return
        known = self._due.get(table)
        if known is None:
            known = self._due[table] = set(keys)
        elif known:
            known.update(keys)
        if len(known) > MANY:
            known.clear()
        self._woken.set()

    async def run(self) -> None:
        """Send what can go on until cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            due, self._due = self._due, {}
            try:
                for table, keys in due.items():
                    await self._look(table, keys)
            except Unavailable as error:
                log.warning("parked events: %s", error)
                self._look_at_all()
                await asyncio.sleep(AWAY)

    def _look_at_all(self) -> None:
        self._due[""] = set()
        self._woken.set()

    async def _look(self, table: str, keys: Collection[str]) -> None:
        async for notes in self._notes.find(table, keys):
            for note in notes:
                if not note.sent and self._ready(note):
                    await self._send(note)

    def _ready(self, note: Note) -> bool:
        """Tell whether its row is there; a table that the content has no more is nothing to wait for."""
        table = self._tables.get(note.table)
        return table is None or table.find(note.key, note.at) is not None

    async def _send(self, note: Note) -> None:
        letter = await self._letters.get(note.ref)
        if letter is None:
            log.error("the parked dead letter %s is past its retention", note.letter)
            await self._notes.drop([note.letter])
            return
        await send(replay(letter, f"parked-{note.ref}"), line_of(letter, note.ref), self._streams)
        await self._notes.mark(note)
