"""The kind `sql`: writes events as rows of a staging table, and reads rows of a query in the order of a watermark."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.answers import visible
from connectors.batch import Batcher, Item
from connectors.port import Address, Connector, Database, Fault, Lot, Marked, Origin, Outside, Result, Staging
from connectors.spec import ConnectorSpec, Rehearsed
from connectors.sqlspec import SqlOptions, SqlPoll
from crossdock.kernel import jsontext
from crossdock.kernel.event import Event
from crossdock.kernel.expression import view
from crossdock.kernel.problems import Refused, Unavailable
from crossdock.kernel.tracing import NONE

CONNECTIONS = 4  # at most, and so many transactions at a time: a batch a transaction needs few
MAX_TIES = 10_000  # rows of one watermark that are told apart


def make_sql(spec: ConnectorSpec, outside: Outside) -> Connector:
    """Return the connector of a spec of this kind."""
    return SqlConnector(spec, _database(spec, outside, min(spec.in_flight, CONNECTIONS)))


def poll_sql(spec: ConnectorSpec, outside: Outside) -> Origin:
    """Return the origin of a spec of this kind."""
    return SqlOrigin(spec, _database(spec, outside, 1))


def _database(spec: ConnectorSpec, outside: Outside, connections: int) -> Database:
    options: SqlOptions = spec.options
    return outside.database(Address(options.url, spec.networks, options.tls, spec.timeout, connections))


def rehearse_sql(spec: ConnectorSpec, event: Event, key: str) -> Rehearsed:
    """Return the row that an event becomes."""
    options: SqlOptions = spec.options
    staging = options.staging
    assert staging is not None
    return Rehearsed("UPSERT", staging.table, {}, dict(zip(staging.columns, _values(options, event, key), strict=True)))


def _values(options: SqlOptions, event: Event, key: str) -> list[Any]:
    seen = view(event.extended(idempotencykey=key))
    return [column.value(seen) for column in options.columns]


class SqlConnector:
    """Writes rows, many in one transaction; where one row spoils that, each gets a transaction of its own."""

    def __init__(self, spec: ConnectorSpec, database: Database) -> None:
        self._spec = spec
        self._options: SqlOptions = spec.options
        self._database = database
        self._batcher = Batcher(self._send, self._options.most, self._options.within)

    async def deliver(self, event: Event, key: str, trace: Mapping[str, str] = NONE) -> Result:
        """Make one attempt; see `connectors.port`."""
        return await self._batcher.deliver(event, key)

    async def probe(self) -> Result:
        """Plan what will be asked of the database; see `connectors.port`."""
        try:
            found = await self._database.probe(self._options.staging, _all(self._options.poll))
        except Fault as fault:
            return self._failed(fault)
        return Result("delivered", 0, found)

    async def close(self) -> None:
        """Let what is under way end, then the connections."""
        await self._batcher.close()
        await self._database.close()

    async def _send(self, items: Sequence[Item]) -> list[Result]:
        made = [self._row(event, key) for event, key in items]
        rows = [row for row in made if not isinstance(row, Result)]
        results = iter(await self._put(rows) if rows else [])
        return [row if isinstance(row, Result) else next(results) for row in made]

    def _row(self, event: Event, key: str) -> list[Any] | Result:
        try:
            return _values(self._options, event, key)
        except Refused as error:
            return Result("permanent", 0, visible(str(error), self._spec.secrets))

    @property
    def _staging(self) -> Staging:
        assert self._options.staging is not None  # a route to a connector without a table is a problem of the content
        return self._options.staging

    async def _put(self, rows: Sequence[list[Any]]) -> list[Result]:
        try:
            await self._database.put(self._staging, rows)
        except Fault as fault:
            if fault.outcome == "permanent" and len(rows) > 1:
                return [result for row in rows for result in await self._put([row])]
            return [self._failed(fault)] * len(rows)
        return [Result("delivered", 0, f"in {self._staging.table}")] * len(rows)

    def _failed(self, fault: Fault) -> Result:
        return Result(fault.outcome, 0, visible(fault.detail, self._spec.secrets))


class SqlOrigin:
    """Reads from the watermark on, that included: what was read at it before is left out, what came since is not."""

    def __init__(self, spec: ConnectorSpec, database: Database) -> None:
        self._spec = spec
        self._poll: SqlPoll = spec.options.poll
        self._database = database

    async def take(self, position: str) -> Lot | None:
        """Return the next rows; see `connectors.port`."""
        start, seen = jsontext.own_loads(position.encode()) if position else ("", [])
        poll, known = self._poll, set(seen)
        try:
            rows = await self._database.read(poll.query, poll.watermark, start, poll.limit + len(seen))
        except Fault as fault:
            raise Unavailable(visible(fault.detail, self._spec.secrets)) from None
        fresh = [found for found in rows if found.mark != start or _digest(found) not in known][: poll.limit]
        if not fresh:
            return None
        end = fresh[-1].mark
        ties = [_digest(found) for found in fresh if found.mark == end] + (seen if end == start else [])
        if len(ties) > MAX_TIES:
            raise Unavailable(f"more than {MAX_TIES} rows have the watermark {end}: it has to be finer")
        name = f"rows from {start or 'the beginning'} on"
        return Lot(name, [found.row for found in fresh], jsontext.dumps([end, ties]).decode())

    async def done(self, lot: Lot) -> None:
        """Do nothing: the position says it all."""

    async def refuse(self, lot: Lot, why: str) -> None:
        """Do nothing: the rows stay where they are."""

    async def close(self) -> None:
        """Let go of the connections."""
        await self._database.close()


def _all(poll: SqlPoll | None) -> tuple[str, str] | None:
    return (poll.query, poll.watermark) if poll else None


def _digest(found: Marked) -> str:
    return hashlib.blake2b(jsontext.sorted_dumps(found.row), digest_size=8).hexdigest()
