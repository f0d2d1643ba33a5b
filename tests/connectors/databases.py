"""Databases for the tests of the kind `sql`, and connectors to them."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from connectors import reading
from connectors.kinds import open_connector
from connectors.port import Connector, Result
from connectors.spec import ConnectorSpec
from crossdock.kernel.event import Event
from crossdock.kernel.yamlfile import parse
from crossdock.supervisor.outside import Outward
from tests import mariadb as maria
from tests.connectors.conformance import EVENT
from tests.postgres import postgres, programs
from tests.realservers import missing

OUTSIDE = Outward()
TABLE = "create table movements (delivery {text} primary key, sku {text}, quantity {number})"
DRIVERS = {"postgresql": "postgresql+psycopg", "mariadb": "mysql+pymysql", "sqlite": "sqlite"}


class Db:
    """One database: its address, and statements sent past Crossdock."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.kind, _, rest = url.partition("://")
        self._engine = create_engine(f"{DRIVERS[self.kind]}://{rest}")

    def run(self, *statements: str) -> None:
        with self._engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        sqlite3.connect(folder / "staging.db").close()
        yield f"sqlite:///{folder / 'staging.db'}"
    elif kind == "postgresql":
        if not programs():
            missing("no PostgreSQL here")
        with postgres() as url:
            yield url.replace("+psycopg", "")
    else:
        if not maria.program():
            pytest.skip("no MariaDB here")
        with maria.mariadb() as url:
            yield url


def spec(url: str, keys: str = "", timeout: str = "5s") -> ConnectorSpec:
    text = f"""
connector: staging
kind: sql
url: {url!r}
timeout: {timeout}
networks: [127.0.0.0/8]
{"" if url.startswith("sqlite") else "tls: off"}
{keys or TARGET}
"""
    return reading.make(parse(text.encode(), "connectors/staging.yaml"))


TARGET = """table: movements
columns: {delivery: $event.idempotencykey, sku: sku, quantity: quantity}
key: [delivery]"""


def connector(url: str, keys: str = "", timeout: str = "5s") -> Connector:
    return open_connector(spec(url, keys, timeout), OUTSIDE)


def run(act: Callable[[], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        return await act()

    return asyncio.run(main())


def deliver(made: Connector, *events: Event) -> list[Result]:
    async def act() -> list[Result]:
        results = await asyncio.gather(*(made.deliver(event, f"key-{event.id}") for event in events))
        await made.close()
        return results

    found: list[Result] = run(act)
    return found


def event(id_: str, **data: Any) -> Event:
    return EVENT._replace(id=id_, data=data, exact=True)
