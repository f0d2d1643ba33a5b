"""Lookup tables that are the answer to a query: read whole at the start, and again every so often."""

import asyncio
import logging
import sqlite3
import time as clock
from datetime import date, datetime, time
from decimal import Decimal
from itertools import count
from typing import Any, cast

from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Refused, Unavailable, refuse
from crossdock.pipeline.tables import Appeared
from transforms.lookuprows import Line, index
from transforms.lookups import Sql, Table, settled

log = logging.getLogger(__name__)

MAX_ROWS = 500_000
MAX_CHARACTERS = 64 << 20  # of all values as text
AT_ONCE = 1_000
PATIENCE = 60  # seconds for a query
ANSWERS_WITHIN = 10  # seconds for a connection
LOOK_EVERY = 100_000  # instructions of SQLite's machine, a millisecond or so


class SqlTable:
    """Keeps one table; what cannot be read leaves the rows as they were."""

    def __init__(self, table: Table, appeared: Appeared, metrics: Metrics) -> None:
        assert isinstance(table.origin, Sql)
        self._table = table
        self._sql = table.origin
        self._appeared = appeared
        self._size = metrics.lookup_rows.labels(table.name)
        self._loaded = metrics.lookup_loaded.labels(table.name)

    async def load(self) -> None:
        """Read the table.

        Raises:
            Unavailable: the database does not answer, or not with a table.
        """
        old = self._table.rows
        try:
            rows, changed = await asyncio.to_thread(_read, self._sql, self._table.name, old)
        except (SQLAlchemyError, Refused, OSError) as error:
            raise Unavailable(f"lookup {self._table.name}: {_said(error)}") from None
        self._table.rows = rows
        self._size.set(len(rows))
        self._loaded.set_to_current_time()
        self._appeared(self._table.id, changed)

    async def run(self) -> None:
        """Read it again and again until cancelled."""
        while True:
            await asyncio.sleep(self._sql.refresh)
            try:
                await self.load()
            except Unavailable as error:
                log.error("%s; the rows of before stay", error)


def _read(sql: Sql, name: str, old: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the rows, and the keys of those that are not as before."""
    with _engine(sql.url).connect() as connection:
        _only_read(connection)
        answer = connection.execution_options(yield_per=AT_ONCE).execute(text(sql.query))
        header, lines, characters = list(answer.keys()), list[Line](), 0
        key = header.index(sql.columns.key) if sql.columns.key in header else 0
        for number, row in zip(count(1), answer, strict=False):
            values = [_value(value) for value in row]
            values[key] = _key(values[key], number)
            characters += sum(len(str(value)) for value in values)
            if number > MAX_ROWS or characters > MAX_CHARACTERS:
                raise refuse("too_large", f"more than {MAX_ROWS} rows or {MAX_CHARACTERS >> 20} MiB", "select less")
            lines.append((number, values))
    rows = index(header, lines, sql.columns, name)
    return rows, [key_ for key_, row in rows.items() if old.get(key_) != row]


def _engine(address: str) -> Engine:
    url = make_url(address)
    if url.get_backend_name() == "postgresql":
        url = url.update_query_dict({"connect_timeout": str(ANSWERS_WITHIN), **url.query})
    return create_engine(url, poolclass=NullPool)


def _only_read(connection: Connection) -> None:
    """Have the database refuse writes, and end what takes too long."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
        end, driver = clock.monotonic() + PATIENCE, cast(sqlite3.Connection, connection.connection.driver_connection)
        driver.set_progress_handler(lambda: clock.monotonic() > end, LOOK_EVERY)
    else:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{PATIENCE}s'")


def _value(value: Any) -> Any:
    """Return a column's value as expressions can hold it: exact decimals and times as text."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return settled(value) if value is None or isinstance(value, bool | int | float | str | dict | list) else str(value)


def _key(value: Any, number: int) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise refuse("bad_lookup", f"row {number} has no key that is a text or a whole number")
    return str(value)


def _said(error: Exception) -> str:
    """Return what is wrong, in the words of the driver; no password is in them."""
    lines = str(getattr(error, "orig", None) or error).splitlines()
    if lines == ["interrupted"]:  # SQLite's whole answer when the progress handler ends a query
        return f"the query took longer than {PATIENCE} s"
    return lines[0] if lines else type(error).__name__
