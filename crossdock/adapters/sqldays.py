"""The tables of each day: made when its first entry comes, dropped when its retention is over."""

import re
from collections.abc import Iterable

from sqlalchemy import Connection, Engine, inspect, select

from crossdock.adapters.sqltables import (
    METADATA,
    base_tables,
    day_tables,
    fingerprint,
    position_table,
    statements,
)

_DAY = re.compile(r"entries_(\d+)\Z")
_PART = re.compile(r"(entries|keys)(_form|_\d+)?\Z")
_LAYOUT = "layout"
_LOCK = 0x63726F7373646F63  # of PostgreSQL, for those who make tables at the same time


def begin_alone(connection: Connection) -> None:
    """Let nobody else change tables until the transaction ends."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # the driver does not begin by itself for a change of tables
    else:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")


def make_base(engine: Engine) -> None:
    """Make the tables where there are none at all."""
    with engine.begin() as connection:
        if "letters" in inspect(connection).get_table_names():
            return
        begin_alone(connection)
        if "letters" not in inspect(connection).get_table_names():
            _make(connection)


def remake_if_changed(engine: Engine) -> bool:
    """Drop and make all tables when an earlier version made them; all of it happens, or nothing."""
    with engine.begin() as connection:
        begin_alone(connection)
        layout = select(position_table.c.seq).where(position_table.c.name == _LAYOUT)
        if connection.execute(layout).scalar() == fingerprint(connection.dialect):
            return False
        _drop_all(connection)
        _make(connection)
        return True


def days(engine: Engine) -> list[int]:
    """Return the days that have tables, oldest first."""
    with engine.connect() as connection:
        return _days(connection)


def make_days(engine: Engine, wanted: Iterable[int]) -> list[int]:
    """Make the tables of days that have none; return the days that have some now."""
    with engine.begin() as connection:
        begin_alone(connection)
        present = _days(connection)
        for day in set(wanted).difference(present):
            for statement in day_tables(connection.dialect.name, day):
                connection.exec_driver_sql(statement)
        _show_days(connection)
        return _days(connection)


def drop_day(engine: Engine, day: int) -> None:
    """Delete a day: in PostgreSQL by its partitions, in SQLite one table at a time, as each gives its pages back."""
    for name in (f"keys_{day}", f"entries_{day}"):
        with engine.begin() as connection:
            begin_alone(connection)
            _show_days(connection, without=day)
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")


def _days(connection: Connection) -> list[int]:
    names = inspect(connection).get_table_names()
    return sorted(int(found[1]) for name in names if (found := _DAY.match(name)))


def _make(connection: Connection) -> None:
    METADATA.create_all(connection)
    for statement in base_tables(connection.dialect.name):
        connection.exec_driver_sql(statement)
    _show_days(connection)
    layout = (_LAYOUT, fingerprint(connection.dialect))
    connection.exec_driver_sql(statements(connection.dialect).move, layout)


def _show_days(connection: Connection, without: int | None = None) -> None:
    """Make the views of SQLite anew."""
    if connection.dialect.name != "sqlite":
        return
    ends = ["form", *(str(day) for day in _days(connection) if day != without)]
    for view in ("entries", "keys"):
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {view}")
        parts = " UNION ALL ".join(f"SELECT * FROM {view}_{end}" for end in ends)
        connection.exec_driver_sql(f"CREATE VIEW {view} AS {parts}")


def _drop_all(connection: Connection) -> None:
    known = inspect(connection)
    for name in known.get_view_names():
        if name in ("entries", "keys"):
            connection.exec_driver_sql(f"DROP VIEW {name}")
    names = [name for name in known.get_table_names() if _PART.match(name)]
    cascade = "" if connection.dialect.name == "sqlite" else " CASCADE"  # a partitioned table takes its parts with it
    for name in sorted(names, key=len):
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}{cascade}")
    METADATA.drop_all(connection)
