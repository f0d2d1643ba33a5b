"""Composition of a worker's lookups: tables, filled before the first event, and what is parked for their rows."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
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
from transforms.lookups import Fed, Sql, Table, tables

log = logging.getLogger(__name__)


class Tables:
    """Fills the tables of a project and keeps them up to date; `parking` is for the process step."""

    def __init__(self, here: Base) -> None:
        self.parking = Parking(NatsNotes(here.client), NatsLetters(here.client), here.streams)
        self._here = here
        self._rows = NatsRows(here.client)
        self._running: list[asyncio.Task[None]] = []

    async def open(self, project: Project, processes: bool) -> None:
        """Fill the tables of a project and follow them instead of those before.

        The worker that processes feeds them too, and runs the parking, whose tables are those of the process step.

        Raises:
            Unavailable: a database or the broker does not answer in time.
        """
        for lookup in (one for each in project.lookups for one in each.by_name.values()):
            lookup.missed = self._here.metrics.lookup_misses.labels(lookup.table.name, lookup.unresolved).inc
        found = tables(project.lookups)
        before, self._running = self._running, []
        fed = [table for table in found.values() if isinstance(table.origin, Fed)]
        try:
            await self._mirror(fed)
            self._start(*await self._asked([table for table in found.values() if isinstance(table.origin, Sql)]))
        except BaseException:  # what was in force stays so
            await _end(self._running)
            self._running = before
            raise
        for table in found.values():
            self._here.metrics.lookup_rows.labels(table.name).set(len(table.rows))
        if processes:
            await self._drop_others({table_consumer(table).name for table in fed})
            self._start(self.parking, *map(self._feed, fed))
        await _end(before)

    async def close(self) -> None:
        """Follow nothing any more."""
        await _end(self._running)

    async def _mirror(self, wanted: Sequence[Table]) -> None:
        """Wait until each table holds what is stored."""
        mirrors = [TableMirror(table, self._rows, self.parking.appeared, self._here.metrics) for table in wanted]
        self._start(*mirrors)
        for mirror in mirrors:
            await mirror.whole.wait()

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

    def _start(self, *parts: Part) -> None:
        self._running += [asyncio.create_task(_run(part)) for part in parts]


async def _run(part: Part) -> None:
    try:
        await part.run()
    except Exception:
        log.exception("a part of the lookups broke: this worker ends and is started again")
        raise SystemExit(1) from None


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
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
