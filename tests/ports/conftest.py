"""The stores that keep the journal's promises."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from crossdock.adapters.sql import SqlJournal
from tests.postgres import postgres, programs


@pytest.fixture(params=["memory", "file", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlJournal]:
    if request.param == "postgres":
        if programs() is None or find_spec("psycopg") is None:
            pytest.skip("needs PostgreSQL's programs and the driver psycopg")
        with postgres() as url:
            yield from opened(url)
    else:
        yield from opened("sqlite://" if request.param == "memory" else f"sqlite:///{tmp_path / 'journal.db'}")


def opened(url: str) -> Iterator[SqlJournal]:
    store = SqlJournal(url)
    yield store
    store.close()
