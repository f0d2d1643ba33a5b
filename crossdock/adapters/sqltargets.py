"""Databases outside: PostgreSQL, MySQL, MariaDB and SQLite through SQLAlchemy, in threads of their own."""

import asyncio
import socket
import sqlite3
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from math import ceil
from typing import Any, TypeVar, cast
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from connectors.port import Address, Fault, Marked, Staging
from connectors.sqlspec import SERVERS
from crossdock.adapters import sqltext
from crossdock.adapters.dialling import resolve
from crossdock.adapters.sqlfaults import fault_of, said

RECYCLE = 300  # seconds after which an idle connection is not trusted any more
_DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "mariadb": "mysql+pymysql"}
# A value that does not fit its column is an error and not cut; times without a zone are in UTC.
_MYSQL_SESSION = "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'), time_zone = '+00:00'"

T = TypeVar("T")


class _Attempt:
    """One act in a thread, which may be given up until it begins to commit."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._over = self._committing = False

    def commits(self) -> None:
        """Note that what follows may have an effect; raises `Fault` when it was given up before."""
        with self._lock:
            if self._over:
                raise Fault("retry", "timeout: given up before the commit")
            self._committing = True

    def give_up(self, timeout: float) -> Fault:
        """Return what became of it as far as one can know."""
        with self._lock:
            self._over = True
        why = f"timeout: no answer within {timeout:g} s"
        return Fault("in_doubt", f"{why}, the commit was sent") if self._committing else Fault("retry", why)


class SqlDatabase:
    """See `connectors.port.Database`; a database that does not answer holds up its own threads only."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._engine: Engine | None = None
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(address.connections, "sql")

    async def put(self, staging: Staging, rows: Sequence[Sequence[Any]]) -> None:
        """See `Database.put`."""
        await self._in_thread(partial(self._put, staging, rows))

    async def read(self, query: str, watermark: str, start: str, most: int) -> list[Marked]:
        """See `Database.read`."""
        return await self._in_thread(partial(self._read, query, watermark, start, most))

    async def probe(self, staging: Staging | None, read: tuple[str, str] | None) -> str:
        """See `Database.probe`."""
        return await self._in_thread(partial(self._probe, staging, read))

    async def close(self) -> None:
        """See `Database.close`."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._engine:
            self._engine.dispose()

    async def _in_thread(self, act: Callable[[_Attempt], T]) -> T:
        attempt, timeout = _Attempt(), self._address.timeout
        try:
            future = self._threads.submit(act, attempt)
        except RuntimeError:
            raise Fault("retry", "closed") from None
        wrapped = asyncio.wrap_future(future)
        try:
            async with asyncio.timeout(timeout):
                await asyncio.wait([wrapped])
        except TimeoutError:
            raise attempt.give_up(timeout) from None
        if future.cancelled():
            raise Fault("retry", "closed")
        return wrapped.result()

    def _put(self, staging: Staging, rows: Sequence[Sequence[Any]], attempt: _Attempt) -> None:
        with self._transaction() as connection:
            dialect = connection.dialect
            values = [sqltext.bound(dialect, row) for row in rows]
            connection.exec_driver_sql(sqltext.upsert(dialect, staging), values)
            attempt.commits()
            try:
                connection.commit()
            except SQLAlchemyError as error:
                if not getattr(error, "connection_invalidated", False):
                    raise  # a deferred constraint, or a conflict that shows at the end: the server said no
                raise Fault("in_doubt", f"lost during the commit: {said(error)}") from None

    def _read(self, query: str, watermark: str, start: str, most: int, _: _Attempt) -> list[Marked]:
        with self._transaction() as connection:
            _only_read(connection)
            text = sqltext.page(connection.dialect, query, watermark, bool(start))
            values = (sqltext.value_of(start), most) if start else (most,)
            answer = connection.exec_driver_sql(text, values)
            names = list(answer.keys())
            place = [name.lower() for name in names].index(watermark.lower())
            return [_marked(names, row, place) for row in answer]

    def _probe(self, staging: Staging | None, read: tuple[str, str] | None, _: _Attempt) -> str:
        with self._transaction() as connection:
            dialect = connection.dialect
            if staging:
                connection.exec_driver_sql(sqltext.plan(dialect, staging)).fetchall()
            if read:
                connection.exec_driver_sql(sqltext.page(dialect, *read, False), (0,)).fetchall()
            version = ".".join(map(str, (dialect.server_version_info or ())[:3]))
            return f"{self._address.url.partition(':')[0]} {version}"

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """Give a connection; what is not committed is rolled back.

        Raises:
            Fault: what an error means.
        """
        try:
            with self._open().connect() as connection:
                if connection.dialect.name == "postgresql":
                    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {ceil(self._address.timeout * 1000)}")
                yield connection
        except Fault:
            raise
        except Exception as error:
            raise fault_of(error) from None

    def _open(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self._engine = _engine(self._address)
            return self._engine


def _engine(address: Address) -> Engine:
    url, seconds = make_url(address.url), ceil(address.timeout)
    kind = url.get_backend_name()
    arguments: dict[str, Any] = {}
    if kind == "postgresql":
        milliseconds = ceil(address.timeout * 1000)
        arguments = {"connect_timeout": max(seconds, 2), "tcp_user_timeout": milliseconds, **_postgres_tls(address)}
    elif kind != "sqlite":
        arguments = {"connect_timeout": seconds, "read_timeout": seconds, "write_timeout": seconds}
        arguments |= {"charset": "utf8mb4", "init_command": _MYSQL_SESSION, "ssl": _context(address)}
    engine = create_engine(
        url.set(drivername=_DRIVERS.get(kind, kind)),
        poolclass=QueuePool,
        pool_size=address.connections,
        max_overflow=0,
        pool_timeout=address.timeout,
        pool_pre_ping=True,
        pool_recycle=RECYCLE,
        connect_args=arguments,
    )
    event.listen(engine, "do_connect", partial(_dial, address, url))
    return engine


def _postgres_tls(address: Address) -> dict[str, str]:
    files = address.tls
    if files is None:
        return {"sslmode": "disable"}
    named = {"sslcert": files.certificate, "sslkey": files.key or files.certificate}
    return {"sslmode": "verify-full", "sslrootcert": files.ca or "system"} | {k: v for k, v in named.items() if v}


def _context(address: Address) -> ssl.SSLContext | None:
    return address.tls.context() if address.tls else None


def _dial(address: Address, url: URL, dialect: Any, _: Any, __: Any, arguments: dict[str, Any]) -> Any:
    """Connect to the very address that was found to be allowed; the name only serves to check the certificate."""
    kind = url.get_backend_name()
    if kind == "sqlite":  # `rw`, as a name that is wrong must not become a new and empty database
        name = f"file:{quote(url.database or '')}?mode=rw"
        return sqlite3.connect(name, uri=True, timeout=address.timeout, check_same_thread=False)
    host, port = url.host or "", url.port or SERVERS[kind]
    chosen = resolve(host, port, address.networks)
    if kind == "postgresql":
        arguments["hostaddr"] = chosen
        return None
    connection = dialect.loaded_dbapi.connect(**arguments, defer_connect=True)
    reached = socket.create_connection((chosen, port), address.timeout)
    reached.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.connect(reached)
    return connection


def _only_read(connection: Connection) -> None:
    """Have the database refuse writes."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
    elif connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
    else:  # not within a transaction, where MySQL refuses it; it holds for the next one
        connection.rollback()
        connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")


def _marked(names: Sequence[str], row: Any, place: int) -> Marked:
    values = cast(Sequence[Any], row)
    return Marked(
        sqltext.mark_of(values[place]),
        {name: sqltext.plain(value) for name, value in zip(names, values, strict=True)},
    )
