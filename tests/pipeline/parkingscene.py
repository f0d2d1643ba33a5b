"""The small project with a lookup that parks: the process step, and its parking on memory ports."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from crossdock.adapters.memory import MemoryLog, MemorySeen
from crossdock.adapters.memorytables import MemoryNotes
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.stream import Record, Stored
from crossdock.pipeline.parking import Note, Parking
from crossdock.pipeline.process import Processor
from crossdock.pipeline.recorder import Recorder
from dlq.record import DeadLetter, parse
from tests.pipeline.scene import ProcessScene
from tests.realservers import until
from tests.smallproject import edited
from transforms.lookups import Table, tables

PARKED = edited(
    "transforms/sale.yaml", "{item: lookups/items.csv}", "{item: {csv: lookups/items.csv, unresolved: park}}"
)
NEW = {"gtin": "99", "sku": "CAKE", "name": "Cake"}


class Letters:
    """The dead letters of a log, by sequence."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    async def get(self, seq: int) -> DeadLetter | None:
        return parse(self._log.message(seq).payload)


class Split(MemoryLog):
    """Appends to RAW what goes there, all else to the log of the scene."""

    def __init__(self, raw: MemoryLog, others: MemoryLog) -> None:
        super().__init__()
        self._raw, self._others = raw, others

    async def append(self, record: Record) -> Stored:
        return await (self._raw if record.subject.startswith("raw.") else self._others).append(record)


class Scene(ProcessScene):
    """The process step with a parking; `restart` begins another one, as after a kill."""

    def __init__(self, root: Path, notes: MemoryNotes | None = None) -> None:
        super().__init__(root, PARKED)
        self.notes = notes or MemoryNotes()
        self.table: Table = next(iter(tables(self.project.lookups).values()))
        self.restart()

    def restart(self) -> None:
        self.parking = Parking(self.notes, Letters(self.log), Split(self.raw, self.log))
        recorder = Recorder(self.log)
        self.processor = Processor(self.project, MemorySeen(), self.log, recorder, Metrics(), self.parking)

    def appears(self, key: str = "99") -> None:
        self.table.rows = {**self.table.rows, key: NEW}
        self.parking.appeared(self.table.id, [key])

    @asynccontextmanager
    async def waking(self) -> AsyncIterator[None]:
        running = asyncio.create_task(self.parking.run())
        try:
            yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def kept(self) -> list[Note]:
        return [note async for lot in self.notes.find() for note in lot]

    async def replayed(self, number: int) -> None:
        """Wait until so many copies are in RAW and noted as sent, then process what is new there."""
        await until(lambda: len(self.raw.records) >= number, within=5)
        async with asyncio.timeout(5):
            while not all(note.sent for note in await self.kept()):  # noqa: ASYNC110  only the notes tell
                await asyncio.sleep(0)
        await self.run(await self.inbox.fetch(100, 0.1))
