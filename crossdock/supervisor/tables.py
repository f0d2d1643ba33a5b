"""Composition of a worker's lookups: tables, filled before the first event, and what is parked for their rows."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from tenacity import before_sleep_log, retry, retry_if_exception_type, stop_after_delay, wait_exponential

from crossdock.adapters.consumers import TABLE, Consumer, consumers, table_consumer
from crossdock.adapters.inbox import NatsInbox
from crossdock.adapters.letters import NatsLetters
from crossdock.adapters.parked import NatsNotes
from crossdock.adapters.tablerows import NatsRows
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import EVENTS
from crossdock.pipeline.parking import Parking
from crossdock.pipeline.tables import TableFeed, TableMirror
from crossdock.project import Project
from crossdock.supervisor.base import START_PATIENCE, Base
from crossdock.worker import Part
from transforms.lookups import Fed, Table, tables

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Filled:
    """A table that is filled, and what keeps it up to date."""

    table: Table
    tasks: list[asyncio.Task[None]]


class Tables:
    """Fills the tables of a project and keeps them up to date; `parking` is for the process step."""

    def __init__(self, here: Base) -> None:
        self.parking = Parking(NatsNotes(here.client), NatsLetters(here.client), here.streams)
        self._here = here
        self._rows = NatsRows(here.client)
        self._filled: list[_Filled] = []
        self._used: list[_Filled] = []  # by the content that came last
        self._parking: asyncio.Task[None] | None = None

    async def open(self, project: Project, processes: bool) -> None:
        """Fill the tables of a project; one that the content before has too is kept as it is. `tidy` follows.

        The worker that processes feeds them too, and runs the parking, whose tables are those of the process step.

        Raises:
            Unavailable: a database or the broker does not answer in time.
        """
        wanted = tables(project.lookups)
        kept = [one for one in self._filled if _same(one.table, wanted.get(one.table.id))]
        here_already = {one.table.id: one.table for one in kept}
        for lookup in (one for each in project.lookups for one in each.by_name.values()):
            lookup.table = here_already.get(lookup.table.id, lookup.table)
            lookup.missed = self._here.metrics.lookup_misses.labels(lookup.table.name, lookup.unresolved).inc
        new = [_Filled(one, []) for name, one in wanted.items() if one.origin is not None and name not in here_already]
        try:
            await self._fill(new, processes)
        except BaseException:  # what was in force stays so
            await _end(new)
            raise
        for table in tables(project.lookups).values():
            self._here.metrics.lookup_rows.labels(table.name).set(len(table.rows))
        if processes and self._parking is None:
            self._parking = asyncio.create_task(_run(self.parking))
        self._filled += new
        self._used = [*kept, *new]

    async def tidy(self, processes: bool) -> None:
        """Keep up only what the content that came last uses, once nothing works by that before.

        Raises:
            Unavailable: the broker does not answer; to be done again.
        """
        gone = [one for one in self._filled if one not in self._used]
        self._filled = self._used
        await _end(gone)
        if processes:
            await self._drop_others({table_consumer(one.table).name for one in self._used if _is_fed(one)})

    async def close(self) -> None:
        """Follow nothing any more."""
        if self._parking is not None:
            self._parking.cancel()
            await asyncio.gather(self._parking, return_exceptions=True)
        await _end(self._filled)

    async def _fill(self, new: Sequence[_Filled], processes: bool) -> None:
        """Wait until each table holds what is stored, or what its database answers."""
        fed = [one for one in new if _is_fed(one)]
        mirrors = [TableMirror(one.table, self._rows, self.parking.appeared, self._here.metrics) for one in fed]
        for one, mirror in zip(fed, mirrors, strict=True):
            one.tasks.append(asyncio.create_task(_run(mirror)))
        for mirror in mirrors:
            await mirror.whole.wait()
        asked = [one for one in new if not _is_fed(one)]
        for one, part in zip(asked, await self._asked([one.table for one in asked]), strict=True):
            one.tasks.append(asyncio.create_task(_run(part)))
        if processes:
            for one in fed:
                one.tasks.append(asyncio.create_task(_run(self._feed(one.table))))

    def _feed(self, table: Table) -> TableFeed:
        return TableFeed(table, partial(self._inbox, table_consumer(table)), self._rows, self._here.metrics)

    async def _asked(self, wanted: Sequence[Table]) -> list[Part]:
        """Wait until each database has answered, and return what asks it again."""
        if not wanted:
            return []
        from crossdock.adapters.sqllookups import SqlTable  # noqa: PLC0415  SQLAlchemy costs a quarter of a second

        found = [SqlTable(table, self.parking.appeared, self._here.metrics) for table in wanted]
        await asyncio.gather(*(_patiently(one.load) for one in found))
        return list(found)

    async def _inbox(self, consumer: Consumer) -> NatsInbox:
        await self._here.topology.consumer(consumer)
        return await NatsInbox(self._here.client, consumer.stream, consumer.name).start()

    async def _drop_others(self, wanted: set[str]) -> None:
        """Remove the consumers of tables that the content has no more; their rows stay."""
        for info in await consumers(self._here.client):
            if info.name.startswith(TABLE) and info.name not in wanted:
                await self._here.topology.drop(Consumer(EVENTS, info.name, ()))


async def _run(part: Part) -> None:
    try:
        await part.run()
    except Exception:
        log.exception("a part of the lookups broke: this worker ends and is started again")
        raise SystemExit(1) from None


def _same(present: Table, wanted: Table | None) -> bool:
    """Tell whether a table is filled as it is wanted now; the id of one that is made of events says all of it."""
    if wanted is None or (present.name, present.dated) != (wanted.name, wanted.dated):
        return False
    return isinstance(wanted.origin, Fed) or present.origin == wanted.origin


def _is_fed(one: _Filled) -> bool:
    return isinstance(one.table.origin, Fed)


async def _end(filled: Sequence[_Filled]) -> None:
    tasks = [task for one in filled for task in one.tasks]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _patiently(act: Callable[[], Awaitable[None]]) -> None:
    """Repeat what needs a database that may still be starting."""
    patient = retry(
        retry=retry_if_exception_type(Unavailable),
        wait=wait_exponential(multiplier=0.05, max=1),
        stop=stop_after_delay(START_PATIENCE),
        before_sleep=before_sleep_log(log, logging.WARNING),
        reraise=True,
    )
    await patient(act)()
