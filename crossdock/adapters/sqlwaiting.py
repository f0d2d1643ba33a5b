"""What figures of processes need of the journal's entries after a restart: steps of events, and what waits for them."""

from collections.abc import Collection, Iterator, Sequence
from typing import TypeVar

from sqlalchemy import Connection, and_, case, or_, select

from crossdock.adapters.sqltables import REPEAT, entries_table
from journal import entry
from journal.digest import MOST_WAITING, WAIT
from journal.entry import Entry

_AT_ONCE = 500
_LINE = entries_table.c
_ENTRY = (_LINE.n, *(_LINE[name] for name in Entry._fields))
_OF_STEP = and_(_LINE.stage == entry.PROCESS, _LINE.outcome != entry.DUPLICATE)
_NEVER_WAIT = (entry.MATCHED, entry.SKIPPED, entry.WAITING)
T = TypeVar("T")


def processed(connection: Connection, raws: Collection[int]) -> Iterator[Entry]:
    """See `journal.digest.Processed`."""
    for part in _parts(sorted(raws)):
        rows = connection.execute(select(*_ENTRY).where(_LINE.raw.in_(part), _OF_STEP)).all()
        yield from (Entry._make(fields) for _, *fields in sorted(rows))


def waiting(connection: Connection, base: int) -> Iterator[Entry]:
    """Yield what was counted up to an entry and waits for the process step of its event, newest first."""
    last = select(_LINE.n, _LINE.at).where(_LINE.n <= base).order_by(_LINE.n.desc()).limit(1)
    newest = connection.execute(last).first()
    if newest is None:
        return
    recent = _LINE.at >= newest.at - WAIT  # and no word of `n`, by which SQLite would look through the whole day
    # Sets in place of a subquery, for which SQLite looks through its view of all days once for each row.
    done = {raw for n, raw in connection.execute(select(_LINE.n, _LINE.raw).where(recent, _OF_STEP)) if n <= base}
    event = case((REPEAT, _LINE.ref), else_=_LINE.raw)
    kinds = and_(or_(REPEAT, _LINE.stage == entry.DELIVER), _LINE.outcome.not_in(_NEVER_WAIT))
    told = sorted((n, raw) for n, raw in connection.execute(select(_LINE.n, event).where(recent, kinds)) if n <= base)
    left = [(n, raw) for n, raw in reversed(told) if raw not in done]
    for part in _parts(sorted({raw for _, raw in left})):
        earlier = select(_LINE.raw).where(_LINE.raw.in_(part), _LINE.n <= base, _OF_STEP)
        done.update(connection.execute(earlier).scalars())
    numbers = [n for n, raw in left if raw not in done][:MOST_WAITING]
    for numbered in _parts(numbers):
        wanted = select(*_ENTRY).where(_LINE.n.in_(numbered)).order_by(_LINE.n.desc())
        found = (Entry._make(fields) for _, *fields in connection.execute(wanted))
        yield from (one for one in found if not entry.of_callback(one))


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))
