"""The stores that keep the journal's promises."""

from collections.abc import Iterator
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from crossdock.adapters.sql import SqlJournal
from tests.postgres import postgres, programs

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """A PostgreSQL server for all tests; each has a database of its own."""
    if programs() is None or find_spec("psycopg") is None:
        pytest.skip("needs PostgreSQL's programs and the driver psycopg")
    with postgres() as url:
        yield url


@pytest.fixture(params=["memory", "file", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlJournal]:
    if request.param == "postgres":
        yield from opened(_database(request.getfixturevalue("server")))
    else:
        yield from opened("sqlite://" if request.param == "memory" else f"sqlite:///{tmp_path / 'journal.db'}")


def _database(url: str) -> str:
    name = f"test{next(_NUMBERS)}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return url.removesuffix("postgres") + name


def opened(url: str) -> Iterator[SqlJournal]:
    store = SqlJournal(url)
    yield store
    store.close()
