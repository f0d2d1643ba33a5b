"""Lookup tables of a query: exact values, read again, and what is done when the database does not play along."""

import asyncio
import socket
import sqlite3
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from crossdock.adapters import sqllookups
from crossdock.adapters.sqllookups import SqlTable
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.moments import microseconds
from crossdock.kernel.problems import Unavailable
from tests.postgres import postgres, programs
from tests.realservers import until
from transforms.lookups import Columns, Sql, Table

FIRST = Columns()


@pytest.fixture
def url(tmp_path: Path) -> str:
    execute(
        tmp_path, "create table items (gtin text, sku text, pack integer)", "insert into items values ('1', 'TEA', 6)"
    )
    return f"sqlite:///{tmp_path / 'm.db'}"


def execute(folder: Path, *statements: str) -> None:
    with sqlite3.connect(folder / "m.db") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


class Scene:
    """One table of a query."""

    def __init__(
        self, url: str, query: str = "select * from items", columns: Columns = FIRST, refresh: float = 300
    ) -> None:
        self.table = Table("sql-1", "item", Sql(url, query, columns, refresh), columns.dated)
        self.metrics = Metrics()
        self.appeared: list[str] = []
        self.sql = SqlTable(self.table, lambda _, keys: self.appeared.extend(keys), self.metrics)

    def load(self) -> "Scene":
        asyncio.run(self.sql.load())
        return self

    def refused(self) -> str:
        with pytest.raises(Unavailable) as caught:
            self.load()
        return str(caught.value)


def test_every_row_is_found_by_its_key_and_only_what_changed_is_told(url: str, tmp_path: Path) -> None:
    scene = Scene(url).load()
    assert scene.table.rows == {"1": {"gtin": "1", "sku": "TEA", "pack": 6}}
    execute(tmp_path, "insert into items values ('2', 'CAKE', 1)")
    scene.load()
    assert scene.appeared == ["1", "2"]
    assert b'crossdock_lookup_rows{table="item"} 2.0' in scene.metrics.text()


def test_integer_keys_are_their_digits_and_big_integers_stay_exact(url: str) -> None:
    scene = Scene(url, "select 'x' as sku, 9007199254740993 as n, 5 as k, null as absent", Columns("k")).load()
    assert scene.table.rows == {"5": {"sku": "x", "n": "9007199254740993", "k": "5", "absent": None}}


def test_a_validity_is_that_of_its_columns(url: str) -> None:
    query = "select 'a' as k, '2026-01-01' as since, null as until, 1 as v"
    scene = Scene(url, query, Columns("", "since", "until")).load()
    assert scene.table.find("a", microseconds("2025-12-31T23:59:59Z")) is None
    assert scene.table.find("a", microseconds("2099-01-01")) == {"k": "a", "since": "2026-01-01", "until": None, "v": 1}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("select 1 as k, 2 as v union all select 1, 3", "the key '1' stands already in line 1"),
        ("select null as k", "row 1 has no key that is a text or a whole number"),
        ("select 1.5 as k", "row 1 has no key that is a text or a whole number"),
        ("select 1 as k, 2 as k", "the header needs a name for each column, each one once"),
        ("select * from nowhere", "no such table: nowhere"),
        ("with x as (select 1) delete from items", "attempt to write a readonly database"),
    ],
)
def test_an_answer_that_is_no_table_is_refused_and_nothing_is_written(url: str, query: str, message: str) -> None:
    assert message in Scene(url, query).refused()
    assert Scene(url).load().table.rows.keys() == {"1"}


def test_an_answer_without_bounds_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqllookups, "MAX_ROWS", 1000)
    endless = "with recursive n(k) as (select 1 union all select k + 1 from n) select k from n"
    assert "more than 1000 rows" in Scene(url, endless).refused()


def test_a_query_without_an_end_is_ended(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqllookups, "PATIENCE", 0.05)
    endless = "with recursive n(k) as (select 1 union all select k + 1 from n) select max(k) as k from n"
    assert Scene(url, endless).refused() == "lookup item: the query took longer than 0.05 s"


@pytest.mark.skipif(find_spec("psycopg") is None, reason="needs the driver psycopg")
def test_a_server_that_takes_the_connection_and_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqllookups, "ANSWERS_WITHIN", 2)  # the least that libpq takes
    with socket.create_server(("127.0.0.1", 0)) as silent:
        message = Scene(f"postgresql+psycopg://me@127.0.0.1:{silent.getsockname()[1]}/x").refused()
    assert "timeout" in message


def test_a_database_that_goes_away_leaves_the_rows_and_the_next_refresh_finds_it_again(
    url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        scene = Scene(url, refresh=0.02)
        await scene.sql.load()
        away = tmp_path / "away.db"
        (tmp_path / "m.db").rename(away)
        running = asyncio.create_task(scene.sql.run())
        await until(lambda: "the rows of before stay" in caplog.text, within=5)
        assert scene.table.rows.keys() == {"1"}
        away.replace(tmp_path / "m.db")
        execute(tmp_path, "insert into items values ('2', 'CAKE', 1)")
        await until(lambda: scene.table.rows.keys() == {"1", "2"}, within=5)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scenario())


@pytest.fixture
def server() -> Iterator[str]:
    if programs() is None or find_spec("psycopg") is None:
        pytest.skip("needs PostgreSQL's programs and the driver psycopg")
    with postgres() as address:
        yield address


def test_postgresql_gives_exact_decimals_and_times_and_refuses_to_write(server: str) -> None:
    engine = create_engine(server)
    with engine.begin() as connection:
        connection.exec_driver_sql("create table prices (gtin bigint, price numeric(40, 10), since timestamptz)")
        connection.exec_driver_sql("insert into prices values (1, 12345678901234567890.10, '2026-01-01T00:00:00+02')")
        connection.exec_driver_sql("create sequence numbers")
    engine.dispose()
    scene = Scene(server, "select gtin, price, since::date::timestamp as since from prices").load()
    assert scene.table.rows["1"]["price"] == "12345678901234567890.1000000000"
    assert "read-only transaction" in Scene(server, "select nextval('numbers') as k").refused()


def test_what_is_said_of_a_database_that_is_away_holds_no_password() -> None:
    assert "hunter2" not in Scene("postgresql+psycopg://me:hunter2@127.0.0.1:1/x").refused()
