"""The journal in SQLite or PostgreSQL through SQLAlchemy."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.pool import StaticPool

from journal import entry
from journal.entry import Entry
from journal.store import OPEN, LetterState, state_after

_METADATA = MetaData()
_NUMBERS = {"at", "raw", "seq", "ref", "ms", "attempts"}
_ENTRY_FIELDS = [field.name for field in fields(Entry)]
_LETTER_FIELDS = [field.name for field in fields(LetterState)]

entries_table = Table(
    "entries",
    _METADATA,
    Column("n", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    *(Column(name, BigInteger if name in _NUMBERS else Text, nullable=False) for name in _ENTRY_FIELDS),
    Index("entries_by_id", "id"),
    Index("entries_by_key", "key"),
    Index("entries_by_raw", "raw"),
    Index("entries_by_ref", "ref"),
)
letters_table = Table(
    "letters",
    _METADATA,
    Column("id", String(40), primary_key=True),
    *(
        Column(
            name,
            BigInteger if name in {"first_seen", "last_seen", "failures", "attempts", "ref"} else Text,
            nullable=False,
        )
        for name in _LETTER_FIELDS
        if name != "id"
    ),
    Index("letters_by_state", "state", "first_seen"),
)
counts_table = Table(
    "counts",
    _METADATA,
    *(Column(name, String(200), primary_key=True) for name in ("stage", "name", "outcome")),
    Column("n", BigInteger, nullable=False),
)
position_table = Table("position", _METADATA, Column("name", String(40), primary_key=True), Column("seq", BigInteger))


class SqlJournal:
    """See `journal.store.JournalStore`; `sqlite://` keeps it in memory."""

    def __init__(self, url: str) -> None:
        memory = url == "sqlite://"
        arguments: dict[str, Any] = (
            {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
            if memory
            else {"pool_pre_ping": True}
        )
        self._engine = create_engine(url, **arguments)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _tune_sqlite)
        _METADATA.create_all(self._engine)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def position(self) -> int:
        """See `JournalStore.position`."""
        with self._engine.connect() as connection:
            return _position(connection)

    def project(self, entries: Sequence[Entry], position: int) -> None:
        """See `JournalStore.project`."""
        with self._engine.begin() as connection:
            if position <= _position(connection):
                return
            if entries:
                connection.execute(insert(entries_table), [asdict(line) for line in entries])
                _count(connection, entries)
            for line in entries:
                _project_letter(connection, line)
            changed = connection.execute(update(position_table).values(seq=position))
            if changed.rowcount == 0:
                connection.execute(insert(position_table).values(name="journal", seq=position))

    def find(self, text: str, partner: str = "", limit: int = 1000) -> list[Entry]:
        """See `JournalStore.find`."""
        if not text:
            return []  # an event without a business key has an empty one
        raws = select(entries_table.c.raw).where(or_(entries_table.c.id == text, entries_table.c.key == text))
        if partner:
            raws = raws.where(entries_table.c.partner == partner)
        raws = raws.distinct().limit(limit)
        repeats = entries_table.c.outcome == entry.DUPLICATE
        query = (
            select(*(entries_table.c[name] for name in _ENTRY_FIELDS))
            .where(or_(entries_table.c.raw.in_(raws), repeats & entries_table.c.ref.in_(raws)))
            .order_by(entries_table.c.at, entries_table.c.n)
            .limit(limit)
        )
        return self._entries(query)

    def recent(self, limit: int) -> list[Entry]:
        """See `JournalStore.recent`."""
        query = (
            select(*(entries_table.c[name] for name in _ENTRY_FIELDS)).order_by(entries_table.c.n.desc()).limit(limit)
        )
        return self._entries(query)

    def letters(self, *, state: str = "", route: str = "", reason: str = "", limit: int = 100) -> list[LetterState]:
        """See `JournalStore.letters`."""
        query = select(*(letters_table.c[name] for name in _LETTER_FIELDS)).order_by(letters_table.c.first_seen)
        if state:
            query = query.where(letters_table.c.state == state)
        if route:
            query = query.where(letters_table.c.route == route)
        if reason:
            query = query.where(letters_table.c.reason == reason)
        with self._engine.connect() as connection:
            return [LetterState(*row) for row in connection.execute(query.limit(limit))]

    def letter(self, letter_id: str) -> LetterState | None:
        """See `JournalStore.letter`."""
        query = select(*(letters_table.c[name] for name in _LETTER_FIELDS)).where(letters_table.c.id == letter_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
            return LetterState(*row) if row else None

    def counts(self) -> dict[str, Any]:
        """See `JournalStore.counts`."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(counts_table)).all()
            is_open = select(func.count()).select_from(letters_table).where(letters_table.c.state == OPEN)
            open_letters = connection.execute(is_open).scalar_one()
        return {"outcomes": [tuple(row) for row in rows], "open": open_letters}

    def _entries(self, query: Any) -> list[Entry]:
        with self._engine.connect() as connection:
            return [Entry(*row) for row in connection.execute(query)]


def _tune_sqlite(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA busy_timeout=5000")


def _position(connection: Connection) -> int:
    return connection.execute(select(position_table.c.seq)).scalar() or 0


def _count(connection: Connection, entries: Iterable[Entry]) -> None:
    sums: dict[tuple[str, str, str], int] = {}
    for line in entries:
        key = (line.stage, line.route or line.source, line.outcome)
        sums[key] = sums.get(key, 0) + 1
    for (stage, name, outcome), n in sums.items():
        match = (counts_table.c.stage == stage) & (counts_table.c.name == name) & (counts_table.c.outcome == outcome)
        if connection.execute(update(counts_table).where(match).values(n=counts_table.c.n + n)).rowcount == 0:
            connection.execute(insert(counts_table).values(stage=stage, name=name, outcome=outcome, n=n))


def _project_letter(connection: Connection, line: Entry) -> None:
    state = state_after(line)
    if state is None:
        return
    same = letters_table.c.id == line.dead_letter
    if line.outcome != entry.DEAD_LETTERED:
        if line.outcome == entry.REPLAYED:  # a second replay of the same letter must not undo its end
            same = same & (letters_table.c.state == OPEN)
        connection.execute(update(letters_table).where(same).values(state=state, last_seen=line.at))
        return
    again = {"state": state, "last_seen": line.at, "detail": line.detail, "reason": line.reason, "ref": line.ref}
    values = {
        **again,
        "failures": letters_table.c.failures + 1,
        "attempts": letters_table.c.attempts + line.attempts,
    }
    if connection.execute(update(letters_table).where(same).values(values)).rowcount == 0:
        connection.execute(
            insert(letters_table).values(
                **again,
                id=line.dead_letter,
                event_id=line.id,
                stage=line.stage,
                source=line.source,
                route=line.route,
                partner=line.partner,
                first_seen=line.at,
                failures=1,
                attempts=line.attempts,
            )
        )
