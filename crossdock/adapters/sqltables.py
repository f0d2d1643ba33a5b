"""Tables of the journal and the statements that fill them, which are given rows as they are.

Entries and keys have one table a day, so that a day is deleted by dropping its tables and an index of random ids stays
as small as a day. They are read as `entries` and `keys`: partitioned tables in PostgreSQL, views in SQLite.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from zlib import crc32

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Index,
    MetaData,
    String,
    Table,
    TableClause,
    Text,
    column,
    table,
    text,
)
from sqlalchemy.schema import CreateTable

from journal.entry import Entry
from journal.figures import Place
from journal.search import COMMON
from journal.store import LetterState

METADATA = MetaData()
DAY = 86_400_000  # milliseconds
LETTER_FIELDS = tuple(field.name for field in fields(LetterState))
KEY_FIELDS = ("value", "raw", "kind", "partner", "day")
_NUMBERS = {"n", "at", "raw", "seq", "ref", "ms", "attempts", "first_seen", "last_seen", "failures", "day"}

# SQLite uses an index of some rows only for a query that says the same condition.
REPEAT = text("outcome = 'duplicate'")
LISTED = text("(outcome = 'accepted' OR stage = 'process')")  # by either, as a killed gateway leaves no entry
# NOT IN would make SQLite fill a table for each row: 2.5 µs.
TROUBLE = text(" AND ".join(f"outcome <> '{outcome}'" for outcome in COMMON))
OF_ROUTE = text("route <> ''")
_INDEXES = (
    ("raw", '"raw"', None),
    ("at", '"at"', None),
    ("ref", '"ref"', REPEAT),
    ("listed", '"partner", "at", "raw"', LISTED),
    ("route", '"route", "at"', OF_ROUTE),
    ("trouble", '(- "at"), "outcome"', TROUBLE),  # so written as SQLite else takes the index of all times
)


def _read(name: str, columns: Iterable[str]) -> TableClause:
    return table(name, *(column(one, BigInteger if one in _NUMBERS else Text) for one in columns))


entries_table = _read("entries", ("n", *Entry._fields))
keys_table = _read("keys", KEY_FIELDS)
letters_table = Table(
    "letters",
    METADATA,
    Column("id", String(40), primary_key=True),
    *(Column(name, BigInteger if name in _NUMBERS else Text, nullable=False) for name in LETTER_FIELDS if name != "id"),
    Index("letters_by_state", "state", "first_seen"),
    Index("letters_by_seen", "last_seen"),
    Index("letters_by_problem", "problem", "state"),
    Index("letters_by_cause", "cause", "state", "partner", "last_seen", "first_seen", "id"),  # answers `sqlcauses`
)
counts_table = Table(
    "counts",
    METADATA,
    Column("day", BigInteger, primary_key=True),
    *(Column(name, String(200), primary_key=True) for name in ("stage", "name", "outcome")),
    Column("n", BigInteger, nullable=False),
)
figures_table = Table(
    "figures",
    METADATA,
    *(Column(name, BigInteger, primary_key=True, autoincrement=False) for name in Place._fields[:2]),
    *(Column(name, String(200), primary_key=True) for name in Place._fields[2:]),
    Column("buckets", Text, nullable=False),
    sqlite_with_rowid=False,
)
PAIR_SIDES = ("first", "then")
PAIR_FIELDS = ("at", "raw", "partner", "store")  # of a side; the first event of it stays
pairs_table = Table(
    "pairs",
    METADATA,
    Column("rule", String(64), primary_key=True),
    Column("key", String(400), primary_key=True),
    *(
        Column(f"{side}_{name}", BigInteger if name in _NUMBERS else Text, nullable=False)
        for side in PAIR_SIDES
        for name in PAIR_FIELDS
    ),
    Index("pairs_by_first", "rule", "first_at"),
    Index("pairs_by_then", "rule", "then_at"),
    sqlite_with_rowid=False,
)
states_table = Table(
    "letter_states",
    METADATA,
    *(Column(name, String(200), primary_key=True) for name in ("state", "stage", "name")),
    Column("n", BigInteger, nullable=False),
)
position_table = Table("position", METADATA, Column("name", String(40), primary_key=True), Column("seq", BigInteger))


def _columns(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}" {"BIGINT" if name in _NUMBERS else "TEXT"} NOT NULL' for name in names)


_ENTRY_COLUMNS, _KEY_COLUMNS = _columns(Entry._fields), _columns(KEY_FIELDS)
_KEY_ORDER = '"value", "raw", "kind", "day"'


def _indexes(name: str) -> list[str]:
    return [
        f"CREATE INDEX {name}_by_{index} ON {name} ({on})" + (f" WHERE {condition}" if condition is not None else "")
        for index, on, condition in _INDEXES
    ]


def _sqlite_tables(end: str) -> list[str]:
    entries = f"entries_{end}"
    return [
        f"CREATE TABLE {entries} (n INTEGER PRIMARY KEY, {_ENTRY_COLUMNS})",
        *_indexes(entries),
        f"CREATE TABLE keys_{end} ({_KEY_COLUMNS}, PRIMARY KEY ({_KEY_ORDER})) WITHOUT ROWID",
    ]


def base_tables(dialect: str) -> list[str]:
    """Return the statements that make what the days are parts of; in SQLite the form that views begin with."""
    if dialect == "sqlite":
        return _sqlite_tables("form")
    return [
        f"CREATE TABLE entries (n BIGINT NOT NULL, {_ENTRY_COLUMNS}) PARTITION BY RANGE (at)",
        *_indexes("entries"),
        "CREATE INDEX entries_by_n ON entries (n)",
        f"CREATE TABLE keys ({_KEY_COLUMNS}, PRIMARY KEY ({_KEY_ORDER})) PARTITION BY LIST (day)",
    ]


def day_tables(dialect: str, day: int) -> list[str]:
    """Return the statements that make the tables of a day."""
    if dialect == "sqlite":
        return _sqlite_tables(str(day))
    return [
        f"CREATE TABLE entries_{day} PARTITION OF entries FOR VALUES FROM ({day * DAY}) TO ({(day + 1) * DAY})",
        f"CREATE TABLE keys_{day} PARTITION OF keys FOR VALUES IN ({day})",
    ]


def fingerprint(dialect: Dialect) -> int:
    """Return a number for what the tables are like, by which those of an earlier version are known."""
    made = [str(CreateTable(one).compile(dialect=dialect)) for one in METADATA.sorted_tables]
    made += sorted(str(index.name) for one in METADATA.sorted_tables for index in one.indexes)
    return crc32("\n".join([*made, *base_tables(dialect.name), *day_tables(dialect.name, 0)]).encode())


@dataclass(frozen=True, slots=True)
class Statements:
    """SQL in the words of one driver; SQLAlchemy's own way to many rows costs more than the database does.

    A day takes the place of `{}` in the first three, which are for SQLite; the second and the third take more rows.
    """

    begin_lot: str
    add_entry: str
    add_key: str
    put_letter: str
    add_count: str
    put_figure: str
    add_pair: str
    begin: str
    move: str
    add_state: str


def statements(dialect: Dialect) -> Statements:
    """Write the statements for a database."""
    mark = "?" if dialect.paramstyle == "qmark" else "%s"

    def insert(name: str, names: Iterable[str]) -> str:
        quoted = [f'"{one}"' for one in names]
        return f"INSERT INTO {name} ({', '.join(quoted)}) VALUES ({', '.join(mark for _ in quoted)})"

    changes = ", ".join(f"{name} = excluded.{name}" for name in LETTER_FIELDS if name != "id")
    return Statements(
        begin_lot=insert("entries_{}", ("n", *Entry._fields)),
        add_entry=insert("entries_{}", Entry._fields),
        add_key=insert("keys_{}", KEY_FIELDS).replace("INSERT", "INSERT OR IGNORE"),
        put_letter=f"{insert('letters', LETTER_FIELDS)} ON CONFLICT (id) DO UPDATE SET {changes}",
        add_count=f"{insert('counts', counts_table.c.keys())}"
        " ON CONFLICT (day, stage, name, outcome) DO UPDATE SET n = counts.n + excluded.n",
        put_figure=f"{insert('figures', figures_table.c.keys())} ON CONFLICT ({', '.join(Place._fields)})"
        " DO UPDATE SET buckets = excluded.buckets",
        add_pair=f"{insert('pairs', pairs_table.c.keys())} ON CONFLICT (rule, key) DO UPDATE SET {_earlier()}",
        begin=f"{insert('position', position_table.c.keys())} ON CONFLICT DO NOTHING",
        add_state=f"{insert('letter_states', states_table.c.keys())}"
        " ON CONFLICT (state, stage, name) DO UPDATE SET n = letter_states.n + excluded.n",
        move=f"{insert('position', position_table.c.keys())} ON CONFLICT (name) DO UPDATE SET seq = excluded.seq",
    )


def _earlier() -> str:
    """Write what keeps the first event of each side, in whatever order the two come."""
    return ", ".join(
        f"{side}_{name} = CASE WHEN excluded.{side}_raw > 0"
        f" AND (pairs.{side}_raw = 0 OR excluded.{side}_raw < pairs.{side}_raw)"
        f" THEN excluded.{side}_{name} ELSE pairs.{side}_{name} END"
        for side in PAIR_SIDES
        for name in PAIR_FIELDS
    )
