"""Tables of the journal, and the statements that fill them, which are given rows as they are."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    inspect,
    text,
)

from journal.entry import Entry
from journal.store import LetterState

METADATA = MetaData()
LETTER_FIELDS = tuple(field.name for field in fields(LetterState))
_NUMBERS = {"at", "raw", "seq", "ref", "ms", "attempts", "first_seen", "last_seen", "failures"}

# Most entries are of deliveries, and random keys are the dearest part of an index: events are found by the entries of
# the stages before, which every event has. SQLite uses such an index only for a query that says the same condition.
FINDABLE = text("stage <> 'deliver'")
KEYED = text("stage <> 'deliver' AND key <> ''")
REPEAT = text("outcome = 'duplicate'")
LISTED = text("(outcome = 'accepted' OR stage = 'process')")  # by either, as a killed gateway leaves no entry


def _index(name: str, condition: Any, *columns: str) -> Index:
    return Index(name, *columns, sqlite_where=condition, postgresql_where=condition)


entries_table = Table(
    "entries",
    METADATA,
    Column("n", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    *(Column(name, BigInteger if name in _NUMBERS else Text, nullable=False) for name in Entry._fields),
    _index("entries_by_id", FINDABLE, "id"),
    _index("entries_by_key", KEYED, "key"),
    Index("entries_by_raw", "raw"),
    _index("entries_by_ref", REPEAT, "ref"),
    _index("entries_by_time", LISTED, "partner", "at", "raw"),
)
letters_table = Table(
    "letters",
    METADATA,
    Column("id", String(40), primary_key=True),
    *(Column(name, BigInteger if name in _NUMBERS else Text, nullable=False) for name in LETTER_FIELDS if name != "id"),
    Index("letters_by_state", "state", "first_seen"),
)
counts_table = Table(
    "counts",
    METADATA,
    *(Column(name, String(200), primary_key=True) for name in ("stage", "name", "outcome")),
    Column("n", BigInteger, nullable=False),
)
position_table = Table("position", METADATA, Column("name", String(40), primary_key=True), Column("seq", BigInteger))


@dataclass(frozen=True, slots=True)
class Statements:
    """SQL in the words of one driver; SQLAlchemy's own way to many rows costs more than the database does."""

    add_entry: str
    put_letter: str
    add_count: str
    move: str


def statements(dialect: Dialect) -> Statements:
    """Write the statements for a database."""
    mark = "?" if dialect.paramstyle == "qmark" else "%s"

    def insert(table: Table, names: Iterable[str]) -> str:
        quoted = [dialect.identifier_preparer.quote(name) for name in names]
        return f"INSERT INTO {table.name} ({', '.join(quoted)}) VALUES ({', '.join(mark for _ in quoted)})"

    changes = ", ".join(f"{name} = excluded.{name}" for name in LETTER_FIELDS if name != "id")
    return Statements(
        add_entry=insert(entries_table, Entry._fields),
        put_letter=f"{insert(letters_table, LETTER_FIELDS)} ON CONFLICT (id) DO UPDATE SET {changes}",
        add_count=f"{insert(counts_table, counts_table.c.keys())}"
        " ON CONFLICT (stage, name, outcome) DO UPDATE SET n = counts.n + excluded.n",
        move=f"{insert(position_table, position_table.c.keys())} ON CONFLICT (name) DO UPDATE SET seq = excluded.seq",
    )


def remake_if_changed(connection: Connection) -> bool:
    """Drop and make all tables when an earlier version made them; all of it happens, or nothing."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # the driver does not begin by itself for a change of tables
    known = inspect(connection)
    if all(_is_same(known, table) for table in METADATA.tables.values()):
        return False
    METADATA.drop_all(connection)
    METADATA.create_all(connection)
    return True


def _is_same(known: Any, table: Table) -> bool:
    columns = {column["name"] for column in known.get_columns(table.name)}
    indexes = {index["name"] for index in known.get_indexes(table.name)}
    return columns == set(table.c.keys()) and indexes == {index.name for index in table.indexes}
