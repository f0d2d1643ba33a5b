"""The journal in SQLite or PostgreSQL through SQLAlchemy."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, and_, create_engine, delete, event, exists, func, or_, select, tuple_
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from crossdock.adapters import sqlcauses, sqldays, sqlletters, sqlsearch, sqlwrite
from crossdock.adapters.sqlfigures import SqlFigures
from crossdock.adapters.sqltables import (
    DAY,
    LETTER_FIELDS,
    LISTED,
    counts_table,
    entries_table,
    letters_table,
    position_table,
    statements,
    states_table,
)
from crossdock.kernel.problems import Unavailable
from journal.entry import ACCEPTED, DELIVERED, PROCESS, Entry
from journal.search import Letters, Page, Search
from journal.store import OPEN, CauseCount, LetterPage, LetterState, Origin

log = logging.getLogger(__name__)

_LOT = 16  # bits of an entry's number that count within its lot
_POSITION = "journal"
_ENTRY_COLUMNS = tuple(entries_table.c[name] for name in Entry._fields)
_LETTER_COLUMNS = tuple(letters_table.c[name] for name in LETTER_FIELDS)


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
        sqldays.make_base(self._engine)
        self._days: set[int] = set()
        self._statements = statements(self._engine.dialect)
        self.processes = SqlFigures(self._engine, self._statements)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def prepare(self) -> None:
        """See `JournalStore.prepare`."""
        if sqldays.remake_if_changed(self._engine):
            log.info("journal: the tables are of an earlier version and are built again")
        self.processes.forget_all()
        self._days = set(sqldays.days(self._engine))

    def position(self) -> int:
        """See `JournalStore.position`."""
        with self._engine.connect() as connection:
            return _position(connection)

    def project(self, entries: Sequence[Entry], position: int) -> None:
        """See `JournalStore.project`."""
        of_day = self._with_days(entries)
        with self.processes.lock, self._engine.begin() as connection:
            if position <= (before := _position(connection)):
                return
            self._write(connection, entries, of_day, position)
            connection.exec_driver_sql(self._statements.move, (_POSITION, position))
        self.processes.take(entries, before, position)

    def try_out(self, entries: Sequence[Entry]) -> None:
        """See `JournalStore.try_out`."""
        of_day = self._with_days(entries)
        with self.processes.lock, self._engine.connect() as connection:  # which is rolled back
            self._write(connection, entries, of_day, _position(connection) + 1)

    def _with_days(self, entries: Sequence[Entry]) -> dict[int, Sequence[Entry]]:
        of_day = sqlwrite.by_day(entries)
        if not of_day.keys() <= self._days:
            self._days = set(sqldays.make_days(self._engine, of_day))
        return of_day

    def _write(
        self, connection: Connection, entries: Sequence[Entry], of_day: Mapping[int, Sequence[Entry]], position: int
    ) -> None:
        n = position << _LOT
        for day, lines in of_day.items():
            sqlwrite.add(connection, self._statements, day, lines, n)
            n += len(lines)
        sqlwrite.project_letters(connection, self._statements, [line for line in entries if line.dead_letter])

    def forget(self, before: int) -> None:
        """See `JournalStore.forget`."""
        for day in [day for day in sqldays.days(self._engine) if (day + 1) * DAY <= before]:
            sqldays.drop_day(self._engine, day)
            self._days.discard(day)
        self.processes.forget(before)
        with self._engine.begin() as connection:
            connection.execute(delete(counts_table).where(counts_table.c.day < before // DAY))
        found = True
        while found:
            with self._engine.begin() as connection:
                found = sqlwrite.forget_letters(connection, self._statements, before // DAY * DAY)

    def find(self, text: str, limit: int = 1000) -> list[Entry]:
        """See `JournalStore.find`."""
        if not text:
            return []  # an event without a business key has an empty one
        with self._reading() as connection:
            return sqlsearch.hops(connection, sqlsearch.raws_of(connection, text, limit), limit)

    def search(self, wanted: Search) -> Page:
        """See `JournalStore.search`."""
        with self._reading() as connection:
            return sqlsearch.search(connection, wanted)

    def journey(self, partner: str, event_id: str, origin: str = "", limit: int = 1000) -> list[Entry]:
        """See `Journeys.journey`."""
        with self._reading() as connection:
            raws = sqlsearch.of_partner(connection, partner, event_id, origin, limit)
            return sqlsearch.steps(connection, raws)

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
        with self._reading() as connection:
            return sqlsearch.steps(connection, raws)

    def origins(self, raws: Sequence[int]) -> list[Origin]:
        """See `JournalStore.origins`."""
        with self._reading() as connection:
            return sqlsearch.origins(connection, raws)

    def recent(self, limit: int) -> list[Entry]:
        """See `JournalStore.recent`."""
        with self._reading() as connection:
            return sqlsearch.recent(connection, limit)

    def letters(
        self, *, state: str = "", route: str = "", reason: str = "", problem: str = "", limit: int = 100
    ) -> list[LetterState]:
        """See `JournalStore.letters`."""
        query = select(*_LETTER_COLUMNS).order_by(letters_table.c.first_seen)
        if state:
            query = query.where(letters_table.c.state == state)
        if route:
            query = query.where(letters_table.c.route == route)
        if reason:
            query = query.where(letters_table.c.reason == reason)
        if problem:
            query = query.where(letters_table.c.problem == problem)
        with self._engine.connect() as connection:
            return [LetterState(*row) for row in connection.execute(query.limit(limit))]

    def newest(self, wanted: Letters) -> LetterPage:
        """See `JournalStore.newest`."""
        with self._engine.connect() as connection:
            return sqlletters.newest(connection, wanted)

    def known(self, ids: Sequence[str]) -> dict[str, LetterState]:
        """See `JournalStore.known`."""
        with self._engine.connect() as connection:
            return sqlwrite.letters(connection, ids)

    def causes(self, recent: int) -> list[CauseCount]:
        """See `JournalStore.causes`."""
        with self._engine.connect() as connection:
            return sqlcauses.causes(connection, recent)

    def letter(self, letter_id: str) -> LetterState | None:
        """See `JournalStore.letter`."""
        query = select(*_LETTER_COLUMNS).where(letters_table.c.id == letter_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
            return LetterState(*row) if row else None

    def delivered(self, route: str, first: int, last: int) -> int:
        """See `JournalStore.delivered`."""
        entry = entries_table.c
        done = and_(entry.route == route, entry.outcome == DELIVERED, entry.seq.between(first, last))
        with self._reading() as connection:
            return connection.execute(select(func.count(entry.seq.distinct())).where(done)).scalar_one()

    def counts(self) -> dict[str, Any]:
        """See `JournalStore.counts`."""
        with self._reading() as connection:
            name = (counts_table.c.stage, counts_table.c.name, counts_table.c.outcome)
            rows = connection.execute(select(*name, func.sum(counts_table.c.n)).group_by(*name)).all()
            is_open = and_(states_table.c.state == OPEN, states_table.c.n > 0)
            letters = connection.execute(select(states_table).where(is_open)).all()
        return {
            "outcomes": [(*row[:-1], int(row[-1])) for row in rows],
            "letters": [(row.stage, row.name, row.n) for row in letters],
            "open": sum(row.n for row in letters),
        }

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
    return connection.execute(select(position_table.c.seq).where(position_table.c.name == _POSITION)).scalar() or 0
