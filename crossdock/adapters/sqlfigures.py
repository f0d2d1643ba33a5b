"""Figures of processes in tables of the journal: counted from the entries, from where they were counted up to before.

They have a position of their own and are written less often than entries: a figure that many entries add to costs one
write for all of them. What was not written when a process ends is counted again from the entries.
"""

import logging
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from threading import RLock

from sqlalchemy import Connection, Engine, and_, delete, or_, select, tuple_
from sqlalchemy.exc import SQLAlchemyError

from crossdock.adapters import sqlwaiting
from crossdock.adapters.sqlpairs import SqlPairs
from crossdock.adapters.sqltables import Statements, entries_table, figures_table, position_table
from journal import entry, figures, spread
from journal.digest import Digest
from journal.entry import Entry
from journal.figures import DAY, HOUR, MINUTE, MINUTES_KEPT, MS, OTHER, Cell, Place
from journal.spread import Spread

log = logging.getLogger(__name__)

LOT = 16  # bits of an entry's number that count within its lot
MOST = 20_000  # entries that wait to be counted
EVERY = 10.0  # seconds they wait at most while others come
CACHED = 4_000  # figures as they are stored, so that they are read once
_NAME, _ROLLED, _JOURNAL = "figures", "days", "journal"  # names of positions
_CHUNK = 100  # places in one query
_COLUMNS = tuple(entries_table.c[name] for name in Entry._fields)
_STEPS = (figures.PROCESS, figures.ID_CONFLICT, figures.REFUSED, entry.QUARANTINED)  # hops that admit values


class SqlFigures:
    """See `journal.figures.Processes`; the projection gives it entries, and reading counts those first."""

    def __init__(self, engine: Engine, write: Statements) -> None:
        self._engine = engine
        self._write = write
        self.lock = RLock()  # of all who write to the tables of the journal
        self.pairs = SqlPairs(engine, write, self.lock)
        self.forget_all()

    def forget_all(self) -> None:
        """Remember nothing: the tables may be others now."""
        with self.lock:
            self._forget_all()

    def _forget_all(self) -> None:
        self._lines = list[Entry]()
        self._from = self._to = 0
        self._since = time.monotonic()
        self._base: int | None = None
        self._digest: Digest | None = None
        self._cached = dict[Place, dict[int, int]]()

    def take(self, lines: Sequence[Entry], before: int, position: int) -> None:
        """Take what was projected, which led from a position to another; count it when there is enough."""
        with self.lock:
            if not self._lines:
                self._from, self._since = _end(before), time.monotonic()
            self._lines += lines
            self._to = _end(position)
            if len(self._lines) >= MOST or time.monotonic() - self._since >= EVERY:
                self.catch_up()

    def catch_up(self) -> None:
        """Count all that is projected."""
        with self.lock:
            try:
                self._catch_up()
                self.pairs.catch_up()
            except SQLAlchemyError:
                self.forget_all()
                raise

    def cells(self, since: int, until: int, dimension: str = "", hops: Sequence[str] = (), span: int = 0) -> list[Cell]:
        """See `Processes.cells`."""
        self.catch_up()
        row = figures_table.c
        columns = (row.start, row.hop, row.name, row.value, row.buckets)
        query = select(*columns).where(row.dimension == dimension, row.hop.in_(hops or figures.HOPS))
        with self._engine.connect() as connection:
            return [
                Cell(start * MS, hop, name, value, Spread(spread.read(text)))
                for width, first, last in figures.spans(since, until, span, _position(connection, _ROLLED))
                for start, hop, name, value, text in connection.execute(
                    query.where(row.span == width, row.start >= first, row.start < last)
                )
            ]

    def forget(self, before: int) -> None:
        """Delete the figures of days that ended before a time, and those of minutes that are two days old."""
        row = figures_table.c
        day, old = before // MS // DAY * DAY, int(time.time() / 60) - MINUTES_KEPT
        with self.lock:
            with self._engine.begin() as connection:
                connection.execute(
                    delete(figures_table).where(or_(row.start < day, and_(row.span == MINUTE, row.start < old)))
                )
            self._cached = {}
            self.pairs.forget(before)

    def _catch_up(self) -> None:
        if self._base is None or self._digest is None:
            self._begin()
        if self._lines and self._from == self._base:
            self._count(self._lines, self._to)
        self._lines = []
        while (lot := self._uncounted()) is not None:
            self._count(*lot)

    def _begin(self) -> None:
        with self._engine.begin() as connection:
            connection.exec_driver_sql(self._write.begin, (_NAME, 0))
            self._base = _position(connection, _NAME)
            waiting = list(sqlwaiting.waiting(connection, self._base))
        self._digest = Digest(self._processed, self._values, waiting)

    def _uncounted(self) -> tuple[list[Entry], int] | None:
        """Return the next entries that are projected and not counted, and the number up to which these are all."""
        line = entries_table.c
        with self._engine.connect() as connection:
            end = _end(_position(connection, _JOURNAL))
            if self._base is None or self._base >= end:
                return None
            wanted = select(line.n, *_COLUMNS).where(line.n > self._base, line.n <= end).order_by(line.n).limit(MOST)
            rows = connection.execute(wanted).all()
        return [Entry._make(fields) for _, *fields in rows], rows[-1][0] if len(rows) == MOST else end

    def _count(self, lines: Sequence[Entry], end: int) -> None:
        """Count entries and store the figures and how far they go; nothing when another process did."""
        base, digest = self._base, self._digest
        if base is None or digest is None:
            return
        added = digest.count(lines)
        with self._engine.begin() as connection:
            if moved := _move(connection, base, end):
                self._roll(connection, added)
                self._add(connection, added)
        if moved:
            self._base = end
            return
        log.info("journal: another process counts figures too")
        self._forget_all()
        self._begin()

    def _add(self, connection: Connection, added: Mapping[Place, Mapping[int, int]]) -> None:
        if not added:
            return
        self._read([place for place in added if place not in self._cached], connection)
        for place, buckets in added.items():
            spread.add(self._cached[place], buckets)
        rows = [(*place, spread.write(self._cached[place])) for place in added]
        connection.exec_driver_sql(self._write.put_figure, rows)
        for place in list(self._cached)[:-CACHED]:
            del self._cached[place]

    def _read(self, places: Sequence[Place], connection: Connection) -> None:
        self._cached |= {place: {} for place in places}
        columns = tuple(figures_table.c[name] for name in Place._fields)
        for start in range(0, len(places), _CHUNK):
            part = places[start : start + _CHUNK]
            found = select(*columns, figures_table.c.buckets).where(tuple_(*columns).in_(part))
            for *named, text in connection.execute(found):
                self._cached[Place(*named)] = spread.read(text)

    def _roll(self, connection: Connection, added: dict[Place, dict[int, int]]) -> None:
        """Sum up the days that are over, and add to those that were summed up before what came late."""
        hours = [place for place in added if place.span == HOUR]
        rolled = _position(connection, _ROLLED)
        today = max((place.start // DAY * DAY for place in hours), default=0)
        for place in hours:
            if place.start < rolled:
                spread.add(added.setdefault(_of_day(place), {}), added[place])
        if today > rolled:
            row = figures_table.c
            over = (row.span == HOUR, row.start >= rolled, row.start < today)
            columns = tuple(row[name] for name in Place._fields)
            for *named, text in connection.execute(select(*columns, row.buckets).where(*over)):
                spread.add(added.setdefault(_of_day(Place(*named)), {}), spread.read(text))
            for place in hours:
                if rolled <= place.start < today:
                    spread.add(added.setdefault(_of_day(place), {}), added[place])
            connection.exec_driver_sql(self._write.move, (_ROLLED, today))

    def _values(self, hour: int, source: str, dimension: str) -> Collection[str]:
        """See `journal.digest.Values`."""
        row = figures_table.c
        where = (row.span == HOUR, row.start == hour, row.dimension == dimension, row.name == source)
        query = select(row.value).where(*where, row.hop.in_(_STEPS), row.value != OTHER).distinct()
        with self._engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def _processed(self, raws: Collection[int]) -> Iterator[Entry]:
        """See `journal.digest.Processed`."""
        with self._engine.connect() as connection:
            yield from sqlwaiting.processed(connection, raws)


def _of_day(place: Place) -> Place:
    return place._replace(span=DAY, start=place.start // DAY * DAY)


def _position(connection: Connection, name: str) -> int:
    query = select(position_table.c.seq).where(position_table.c.name == name)
    return connection.execute(query).scalar() or 0


def _move(connection: Connection, base: int, end: int) -> bool:
    """Store how far the figures go, if that is where they were thought to be."""
    moved = position_table.update().where(position_table.c.name == _NAME, position_table.c.seq == base)
    return connection.execute(moved.values(seq=end)).rowcount == 1


def _end(position: int) -> int:
    """Return the number that no entry up to a position in JOURNAL exceeds."""
    return (position << LOT) | ((1 << LOT) - 1) if position else 0
