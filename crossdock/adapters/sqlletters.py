"""Dead letters as people list them, from the tables of the journal; called by `crossdock.adapters.sql`."""

from heapq import merge
from itertools import islice

from sqlalchemy import ColumnElement, Connection, func, or_, select, tuple_

from crossdock.adapters.sqltables import LETTER_FIELDS, letters_table
from journal.search import Letters
from journal.store import DISCARDED, OPEN, REPLAYING, RESOLVED, LetterPage, LetterState

_ROW = letters_table.c
_COLUMNS = tuple(_ROW[name] for name in LETTER_FIELDS)
_GROUPS = {1: (OPEN,), 0: (REPLAYING, RESOLVED, DISCARDED)}  # open ones come first


def newest(connection: Connection, wanted: Letters) -> LetterPage:
    """See `JournalStore.newest`; each state has an index by when its letters were first seen."""
    group, at, last = _place(wanted.after)
    found: list[LetterState] = []
    for rank, states in _GROUPS.items():
        if rank > group or len(found) > wanted.limit:
            continue
        before = [tuple_(_ROW.first_seen, _ROW.id) < (at, last)] if rank == group and last else []
        asked = [state for state in states if wanted.state in ("", state)]
        parts = [_of_state(connection, wanted, [_ROW.state == state, *before]) for state in asked]
        one_by_one = merge(*parts, key=lambda one: (one.first_seen, one.id), reverse=True)
        found += islice(one_by_one, wanted.limit + 1 - len(found))
    items = found[: wanted.limit]
    return LetterPage(tuple(items), _end(items[-1]) if len(found) > wanted.limit else "")


def _of_state(connection: Connection, wanted: Letters, fitting: list[ColumnElement[bool]]) -> list[LetterState]:
    named = {"route": wanted.route, "reason": wanted.reason, "problem": wanted.problem, "partner": wanted.partner}
    fitting += [_ROW[name] == value for name, value in named.items() if value]
    if wanted.text:
        texts = (_ROW.id, _ROW.event_id, _ROW.detail)
        fitting.append(or_(*(func.lower(text).contains(wanted.text.lower(), autoescape=True) for text in texts)))
    query = select(*_COLUMNS).where(*fitting).order_by(_ROW.first_seen.desc(), _ROW.id.desc())
    return [LetterState(*row) for row in connection.execute(query.limit(wanted.limit + 1))]


def _place(after: str) -> tuple[int, int, str]:
    """Return where a page ended: open or not, when that letter was first seen, and its id."""
    if not after:
        return 1, 0, ""
    group, at, last = after.split(".", 2)
    return int(group), int(at), last


def _end(one: LetterState) -> str:
    return f"{int(one.state == OPEN)}.{one.first_seen}.{one.id}"
