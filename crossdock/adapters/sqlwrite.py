"""Writes a lot of entries into the tables of the journal; called by `crossdock.adapters.sql`."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from itertools import chain
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, delete, select

from crossdock.adapters.sqltables import DAY, LETTER_FIELDS, Statements, letters_table
from journal.entry import Entry
from journal.keys import key_rows
from journal.store import LetterState, letter_after

AT_ONCE = 500  # dead letters in one query
TOGETHER = 1_000  # values in one statement
_LETTER_COLUMNS = tuple(letters_table.c[name] for name in LETTER_FIELDS)
_ADD_KEYS = (
    "INSERT INTO keys_{} SELECT * FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::text[], %s::bigint[])"
    " ON CONFLICT DO NOTHING"
)
_counted = itemgetter(*map(Entry._fields.index, ("stage", "route", "source", "outcome")))


def by_day(entries: Sequence[Entry]) -> dict[int, Sequence[Entry]]:
    """Return entries by the day they are of."""
    days = {line.at // DAY for line in entries}
    return {day: entries if len(days) == 1 else [one for one in entries if one.at // DAY == day] for day in days}


def add(connection: Connection, write: Statements, day: int, lines: Sequence[Entry], n: int) -> None:
    """Write the entries of one day, numbered from `n`."""
    keys = [(*key, day) for key in sorted(key_rows(lines))]  # neighbours share a page of the index
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(write.begin_lot.format(day), (n, *lines[0]))
        _insert(connection, write.add_entry.format(day), lines[1:])  # each gets the number that follows
        _insert(connection, write.add_key.format(day), keys)
    else:
        _copy(connection, f"entries_{day}", ((number, *line) for number, line in enumerate(lines, n)))
        connection.exec_driver_sql(_ADD_KEYS.format(day), tuple(map(list, zip(*keys, strict=True))) or ([],) * 5)
    sums: Counter[tuple[str, str, str]] = Counter()
    for (stage, route, source, outcome), count in Counter(map(_counted, lines)).items():
        sums[stage, route or source, outcome] += count
    connection.exec_driver_sql(write.add_count, [(day, *key, count) for key, count in sums.items()])


def _insert(connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write rows many to a statement, as SQLite's own work for a statement is a sixth of what a row costs."""
    if not rows:
        return
    together = TOGETHER // len(rows[0])
    whole = len(rows) - len(rows) % together
    if whole:
        values = f", ({', '.join('?' * len(rows[0]))})" * (together - 1)
        several = [tuple(chain.from_iterable(rows[start : start + together])) for start in range(0, whole, together)]
        connection.exec_driver_sql(statement + values, several)
    if rows[whole:]:
        connection.exec_driver_sql(statement, list(map(tuple, rows[whole:])))  # no NamedTuple, which is one row


def _copy(connection: Connection, name: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Write rows as PostgreSQL takes them for a third of what `INSERT` costs us."""
    cursor: Any = connection.connection.cursor()
    with cursor, cursor.copy(f"COPY {name} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def project_letters(connection: Connection, write: Statements, entries: Sequence[Entry]) -> None:
    """Read the dead letters that are named, let each go through what happened to it, and write what changed."""
    if not entries:
        return
    known = letters(connection, sorted({line.dead_letter for line in entries}))
    now = dict(known)
    for line in entries:
        letter = letter_after(now.get(line.dead_letter), line)
        if letter is not None:
            now[letter.id] = letter
    changed = [letter for letter in now.values() if letter is not known.get(letter.id)]
    if not changed:
        return
    connection.exec_driver_sql(write.put_letter, [astuple(letter) for letter in changed])
    states = Counter(map(_state_of, changed))
    states.subtract(_state_of(known[letter.id]) for letter in changed if letter.id in known)
    _count_states(connection, write, states)


def forget_letters(connection: Connection, write: Statements, before: int) -> bool:
    """Delete some dead letters not heard of since a time (Unix milliseconds); tell whether there were any."""
    old = select(letters_table).where(letters_table.c.last_seen < before).limit(AT_ONCE)
    found = connection.execute(old).all()
    if found:
        connection.execute(delete(letters_table).where(letters_table.c.id.in_([row.id for row in found])))
        states: Counter[tuple[str, str, str]] = Counter()
        states.subtract(map(_state_of, found))
        _count_states(connection, write, states)
    return bool(found)


def _state_of(letter: Any) -> tuple[str, str, str]:
    return letter.state, letter.stage, letter.route or letter.source


def _count_states(connection: Connection, write: Statements, changes: Mapping[tuple[str, str, str], int]) -> None:
    rows = sorted((*place, count) for place, count in changes.items() if count)
    if rows:
        connection.exec_driver_sql(write.add_state, rows)


def letters(connection: Connection, ids: Sequence[str]) -> dict[str, LetterState]:
    """Return those of some dead letters that are known."""
    query = select(*_LETTER_COLUMNS)
    parts = (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))
    rows = (row for part in parts for row in connection.execute(query.where(letters_table.c.id.in_(part))))
    return {row.id: LetterState(*row) for row in rows}
