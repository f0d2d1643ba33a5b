"""The journal in SQLite or PostgreSQL through SQLAlchemy."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, and_, create_engine, event, exists, func, or_, select, tuple_, union
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from crossdock.adapters.sqltables import (
    FINDABLE,
    KEYED,
    LETTER_FIELDS,
    LISTED,
    METADATA,
    REPEAT,
    Statements,
    counts_table,
    entries_table,
    letters_table,
    position_table,
    remake_if_changed,
    statements,
)
from crossdock.kernel.problems import Unavailable
from journal.entry import ACCEPTED, PROCESS, Entry
from journal.store import OPEN, LetterState, letter_after

log = logging.getLogger(__name__)

_AT_ONCE = 500  # dead letters asked for by one query
_ENTRY_COLUMNS = tuple(entries_table.c[name] for name in Entry._fields)
_LETTER_COLUMNS = tuple(letters_table.c[name] for name in LETTER_FIELDS)
_counted = itemgetter(*map(Entry._fields.index, ("stage", "route", "source", "outcome")))


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
        METADATA.create_all(self._engine)
        self._statements = statements(self._engine.dialect)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def prepare(self) -> None:
        """See `JournalStore.prepare`."""
        with self._engine.begin() as connection:
            if remake_if_changed(connection):
                log.info("journal: the tables are of an earlier version and are built again")

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
                _add(connection, self._statements, entries)
            connection.exec_driver_sql(self._statements.move, ("journal", position))

    def find(self, text: str, limit: int = 1000) -> list[Entry]:
        """See `JournalStore.find`."""
        if not text:
            return []  # an event without a business key has an empty one
        line = entries_table.c
        found = union(
            select(line.raw).where(line.id == text, FINDABLE),
            select(line.raw).where(line.key == text, KEYED),
        )
        raws = select(found.subquery().c.raw).limit(limit)
        numbers = union(
            select(line.n).where(line.raw.in_(raws)),
            select(line.n).where(REPEAT, line.ref.in_(raws)),
        )
        query = select(*_ENTRY_COLUMNS).where(line.n.in_(numbers)).order_by(line.at, line.n).limit(limit)
        return self._entries(query)

    def journey(self, partner: str, event_id: str, origin: str = "", limit: int = 1000) -> list[Entry]:
        """See `Journeys.journey`."""
        line = entries_table.c
        owned = [line.id == event_id, line.partner == partner, *([line.origin == origin] if origin else [])]
        return self._steps(select(line.raw).where(FINDABLE, *owned).distinct().order_by(line.raw).limit(limit))

    def accepted(self, partner: str, after: tuple[int, int], until: int, limit: int) -> list[Entry]:
        """See `Journeys.accepted`."""
        line, other = entries_table.c, entries_table.alias()
        before = or_(other.c.outcome == ACCEPTED, and_(other.c.stage == PROCESS, other.c.n < line.n))
        earlier = exists().where(other.c.raw == line.raw, before)
        query = select(*_ENTRY_COLUMNS).where(
            LISTED,
            line.partner == partner,
            line.at >= after[0],
            tuple_(line.at, line.raw) > after,
            line.at < until,
            or_(line.outcome == ACCEPTED, ~earlier),
        )
        return self._entries(query.order_by(line.at, line.raw).limit(limit))

    def steps(self, raws: Sequence[int]) -> list[Entry]:
        """See `Journeys.steps`."""
        return self._steps(raws)

    def recent(self, limit: int) -> list[Entry]:
        """See `JournalStore.recent`."""
        return self._entries(select(*_ENTRY_COLUMNS).order_by(entries_table.c.n.desc()).limit(limit))

    def letters(self, *, state: str = "", route: str = "", reason: str = "", limit: int = 100) -> list[LetterState]:
        """See `JournalStore.letters`."""
        query = select(*_LETTER_COLUMNS).order_by(letters_table.c.first_seen)
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
        query = select(*_LETTER_COLUMNS).where(letters_table.c.id == letter_id)
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

    def _steps(self, raws: Any) -> list[Entry]:
        line = entries_table.c
        alike = (line.raw, line.stage, line.route, line.outcome, line.routes, line.behind)
        last, times = func.max(line.n).label("n"), func.count().label("times")
        groups = select(last, times).where(line.raw.in_(raws)).group_by(*alike).subquery()
        query = select(*_ENTRY_COLUMNS, groups.c.times).join(groups, groups.c.n == line.n).order_by(line.at, line.n)
        with self._reading() as connection:
            found = [(Entry._make(fields), times) for *fields, times in connection.execute(query)]
        return [step._replace(attempts=step.attempts or times) for step, times in found]

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise Unavailable(f"journal: {type(error).__name__}") from error

    def _entries(self, query: Any) -> list[Entry]:
        with self._reading() as connection:
            return [Entry._make(row) for row in connection.execute(query)]


def _tune_sqlite(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA busy_timeout=5000")
    # A sixth less CPU at 600,000 entries: the indexes of random keys are written in more than one place at a time.
    connection.execute("PRAGMA cache_size=-16000")  # KiB
    connection.execute("PRAGMA wal_autocheckpoint=4000")


def _position(connection: Connection) -> int:
    return connection.execute(select(position_table.c.seq)).scalar() or 0


def _add(connection: Connection, write: Statements, entries: Sequence[Entry]) -> None:
    connection.exec_driver_sql(write.add_entry, list(entries))
    sums: Counter[tuple[str, str, str]] = Counter()
    for (stage, route, source, outcome), n in Counter(map(_counted, entries)).items():
        sums[stage, route or source, outcome] += n
    connection.exec_driver_sql(write.add_count, [(*key, n) for key, n in sums.items()])
    about_letters = [line for line in entries if line.dead_letter]
    if about_letters:
        _project_letters(connection, write, about_letters)


def _project_letters(connection: Connection, write: Statements, entries: Iterable[Entry]) -> None:
    """Read the dead letters that are named, let each go through what happened to it, and write what changed."""
    known = _letters(connection, sorted({line.dead_letter for line in entries}))
    now = dict(known)
    for line in entries:
        letter = letter_after(now.get(line.dead_letter), line)
        if letter is not None:
            now[letter.id] = letter
    changed = [astuple(letter) for letter in now.values() if letter is not known.get(letter.id)]
    if changed:
        connection.exec_driver_sql(write.put_letter, changed)


def _letters(connection: Connection, ids: Sequence[str]) -> dict[str, LetterState]:
    query = select(*_LETTER_COLUMNS)
    parts = (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))
    rows = (row for part in parts for row in connection.execute(query.where(letters_table.c.id.in_(part))))
    return {row.id: LetterState(*row) for row in rows}
