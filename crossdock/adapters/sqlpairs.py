"""What rules of conformance look at, in a table of the journal: for each rule and key when each side was first seen.

A rule reads the entries from where it is: one that is new begins with the oldest. Looking twice changes nothing.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from hashlib import blake2b
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, case, delete, func, or_, select

from crossdock.adapters.sqltables import DAY, Statements, entries_table, pairs_table, position_table
from journal import conformance, entry
from journal.conformance import LATE, OPEN, DayCount, Deviation, Pair, Seen, Wanted
from journal.entry import Entry
from journal.spec import MISSING_THEN, WRONG_ORDER, Rule

_JOURNAL, _RULE = "journal", "rule "
_LOT = 16  # bits of an entry's number that count within its lot
_MESSAGES = 2_000  # of the journal in one query
_BUDGET = 0.2  # seconds of looking at a time
_COLUMNS = tuple(entries_table.c[name] for name in Entry._fields)
_ROW = pairs_table.c


class SqlPairs:
    """See `journal.conformance.Conformance`."""

    def __init__(self, engine: Engine, write: Statements, lock: AbstractContextManager[Any]) -> None:
        self._engine = engine
        self._write = write
        self._lock = lock
        self._rules: tuple[Rule, ...] = ()
        self._behind = False

    def use(self, rules: Sequence[Rule]) -> None:
        """Look by other rules from now on."""
        self._rules = tuple(rules)

    def behind(self) -> bool:
        """See `Conformance.behind`."""
        return self._behind

    def catch_up(self) -> None:
        """Look at what is projected, as far as time allows; what a rule left behind that is gone is deleted."""
        with self._lock:
            self._catch_up()

    def _catch_up(self) -> None:
        until, self._behind = time.monotonic() + _BUDGET, False
        rules = {_name(rule): rule for rule in self._rules}
        positions = self._positions(rules)
        end = positions.pop(_JOURNAL, 0)
        for position in sorted(set(positions.values())):
            some = [rule for name, rule in rules.items() if positions[name] == position]
            self._behind |= not self._follow(some, position, end, until)

    def deviations(self, wanted: Wanted, limit: int, after: int = 0) -> list[Deviation]:
        """See `Conformance.deviations`."""
        self.catch_up()
        by_name = {rule.name: rule for rule in wanted.rules}
        parts = [_deviating(rule, wanted) for rule in wanted.rules]
        if not parts:
            return []
        every = parts[0].union_all(*parts[1:]).subquery()
        query = select(every).order_by(every.c.since.desc(), every.c.rule, every.c.key).offset(after).limit(limit)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        pairs = [Pair(row[0], row[1], Seen(*row[2:6]), Seen(*row[6:10])) for row in rows]
        told = (conformance.told(by_name[pair.rule], pair, wanted.now) for pair in pairs)
        return [one for one in told if one is not None]

    def counts(self, wanted: Wanted) -> list[DayCount]:
        """See `Conformance.counts`."""
        self.catch_up()
        with self._engine.connect() as connection:
            return [one for rule in wanted.rules for one in _counts(connection, rule, wanted)]

    def forget(self, before: int) -> None:
        """Delete the pairs of which nothing was seen since a time."""
        old = and_(_ROW.first_at < before // DAY * DAY, _ROW.then_at < before // DAY * DAY)
        with self._engine.begin() as connection:
            connection.execute(delete(pairs_table).where(old))

    def _positions(self, rules: Mapping[str, Rule]) -> dict[str, int]:
        """Return up to where the journal goes and each rule looked at it; what others saw is forgotten."""
        name = position_table.c.name
        kept = {_JOURNAL, *rules}
        with self._engine.connect() as connection:
            mine = or_(name == _JOURNAL, name.like(f"{_RULE}%"))
            found = {row.name: row.seq for row in connection.execute(select(position_table).where(mine))}
        if found.keys() - kept or rules.keys() - found.keys():
            self._change(found.keys() - kept, [rule for key, rule in rules.items() if key not in found])
        return {_JOURNAL: found.get(_JOURNAL, 0)} | {key: found.get(key, 0) for key in rules}

    def _change(self, gone: Iterable[str], new: Iterable[Rule]) -> None:
        present = [rule.name for rule in self._rules]
        with self._engine.begin() as connection:
            connection.execute(delete(position_table).where(position_table.c.name.in_(list(gone))))
            stale = or_(_ROW.rule.in_([rule.name for rule in new]), _ROW.rule.not_in(present))
            connection.execute(delete(pairs_table).where(stale))

    def _follow(self, rules: Sequence[Rule], position: int, end: int, until: float) -> bool:
        """Look at entries in the order of the journal; tell whether that was all of them."""
        with self._engine.connect() as connection:
            position = max(position, _oldest(connection, position))
        while position < end:
            if time.monotonic() > until:
                return False
            upto = min(position + _MESSAGES, end)
            self._look(rules, position, upto)
            position = upto
        return True

    def _look(self, rules: Sequence[Rule], position: int, upto: int) -> None:
        found: dict[tuple[str, str], Pair] = {}
        types = {side.type for rule in rules for side in (*rule.first, *rule.then)}
        with self._engine.begin() as connection:
            for line in _routed(connection, types, position, upto):
                for pair in (pair for rule in rules for pair in conformance.sights(rule, line)):
                    before = found.get(pair[:2])
                    found[pair[:2]] = conformance.together(before, pair) if before else pair
            if rows := [(*pair[:2], *pair.first, *pair.then) for _, pair in sorted(found.items())]:
                connection.exec_driver_sql(self._write.add_pair, rows)
            connection.exec_driver_sql(self._write.move, [(_name(rule), upto) for rule in rules])


def _name(rule: Rule) -> str:
    return _RULE + blake2b(conformance.fingerprint(rule).encode(), digest_size=12).hexdigest()


def _oldest(connection: Connection, position: int) -> int:
    """Return before which position nothing is to be looked at."""
    line = entries_table.c
    first = select(line.n).where(line.n >= (position + 1) << _LOT).order_by(line.n).limit(1)
    return ((connection.execute(first).scalar() or 0) >> _LOT) - 1


def _routed(connection: Connection, types: Iterable[str], position: int, upto: int) -> Iterator[Entry]:
    line = entries_table.c
    since, until = (position + 1) << _LOT, (upto + 1) << _LOT
    step = (line.stage == entry.PROCESS, line.outcome == entry.ROUTED, line.type.in_(sorted(types)))
    query = select(line.n, *_COLUMNS).where(line.n >= since, line.n < until, *step).order_by(line.n)
    for _, *fields in connection.execute(query):
        yield Entry._make(fields)


def _deviating(rule: Rule, wanted: Wanted) -> Select[Any]:
    """Select the pairs that break a rule; `journal.conformance.told` says the same of each."""
    there, missing = ("first", "then") if rule.breaks == MISSING_THEN else ("then", "first")
    at, raw = _ROW[f"{there}_at"], _ROW[f"{there}_raw"]
    other_at, other_raw = _ROW[f"{missing}_at"], _ROW[f"{missing}_raw"]
    within = int(rule.within * 1000)
    came, is_open = other_raw > 0, and_(other_raw == 0, at < wanted.now - within)
    if rule.breaks == WRONG_ORDER:
        states: dict[str, ColumnElement[bool]] = {WRONG_ORDER: and_(other_raw > raw, other_at >= at + within)}
    else:
        states = {OPEN: is_open, LATE: and_(came, other_at > at + within)}
    fitting = [condition for state, condition in states.items() if wanted.state in ("", state)]
    state = case(*((condition, name) for name, condition in states.items()), else_="").label("state")
    query = select(
        *pairs_table.c, at.label("since"), _ROW[f"{there}_partner"].label("partner"),
        _ROW[f"{there}_store"].label("store"), state,
    ).where(_ROW.rule == rule.name, raw > 0, or_(False, *fitting), at >= wanted.since)  # fmt: skip
    return query.where(at < wanted.until) if wanted.until else query


def _counts(connection: Connection, rule: Rule, wanted: Wanted) -> Iterator[DayCount]:
    one = _deviating(rule, wanted).subquery().c
    by = (one.since // DAY, one.partner, one.store, one.state)
    for row in connection.execute(select(*by, func.count()).group_by(*by)):
        yield DayCount(rule.name, *row)
