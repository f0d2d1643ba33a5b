"""Looks for events in the tables of the journal; called by `crossdock.adapters.sql`."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, case, exists, func, or_, select, tuple_

from crossdock.adapters.sqltables import LISTED, OF_ROUTE, REPEAT, TROUBLE, entries_table, keys_table
from journal.entry import ACCEPTED, LETTERED, PROCESS, ROUTED, Entry, storable
from journal.keys import ID, LONGEST
from journal.search import COMMON, MOST, Page, Search
from journal.store import Origin

_CHUNK = 500  # events of a key that are looked at with one query
_CHUNKS = 20  # for one page
_COLUMNS = tuple(entries_table.c[name] for name in Entry._fields)


def search(connection: Connection, wanted: Search) -> Page:
    """Return a page of events."""
    limit = max(1, min(wanted.limit, MOST))
    return _of_key(connection, wanted, limit) if wanted.key else _by_time(connection, wanted, limit)


def recent(connection: Connection, limit: int) -> list[Entry]:
    """Return the last entries, newest first."""
    line = entries_table.c
    # SQLite orders a view by an index only when it is asked for what it orders by.
    query = select(line.n, *_COLUMNS).order_by(line.n.desc()).limit(limit)
    return [Entry._make(fields) for _, *fields in connection.execute(query)]


def raws_of(
    connection: Connection, text: str, limit: int, *, kind: str = "", partner: str = "", before: int = 0
) -> list[int]:
    """Return the newest events (their sequences in RAW) with a key, newest first; none when there are no more."""
    key = keys_table.c
    query = select(key.raw).where(key.value == storable(text)[:LONGEST]).order_by(key.raw.desc()).limit(limit)
    if kind:
        query = query.where(key.kind == kind)
    if partner:
        query = query.where(key.partner == partner)
    if before:
        query = query.where(key.raw < before)
    return list(dict.fromkeys(connection.execute(query).scalars()))


def hops(connection: Connection, raws: Sequence[int], limit: int) -> list[Entry]:
    """Return the entries of events and of their repeats, oldest first."""
    line = entries_table.c
    conditions = (line.raw.in_(raws), and_(REPEAT, line.ref.in_(raws)))
    queries = (select(line.n, *_COLUMNS).where(one).order_by(line.at, line.n).limit(limit) for one in conditions)
    found = {n: Entry._make(fields) for query in queries for n, *fields in connection.execute(query)}
    return [one for _, one in sorted(found.items(), key=lambda item: (item[1].at, item[0]))][:limit]


def steps(connection: Connection, raws: Sequence[int]) -> list[Entry]:
    """Return the entries of events, one for all that are alike, with their number as `attempts`; oldest first."""
    line = entries_table.c
    alike = (line.raw, line.stage, line.route, line.outcome, line.routes, line.behind)
    last = select(func.max(line.n), func.count()).where(line.raw.in_(raws)).group_by(*alike)
    times = {row[0]: int(row[1]) for row in connection.execute(last)}
    found = sorted(
        (fields[0], n, Entry._make(fields))
        for start in range(0, len(times), _CHUNK)
        for n, *fields in connection.execute(
            select(line.n, *_COLUMNS).where(line.n.in_([*times][start : start + _CHUNK]))
        )
    )
    return [one._replace(attempts=one.attempts or times[n]) for _, n, one in found]


def origins(connection: Connection, raws: Sequence[int]) -> list[Origin]:
    """Return the steps by which events can be sent again."""
    line = entries_table.c
    told = or_(
        line.outcome == ACCEPTED, and_(line.stage == PROCESS, line.outcome == ROUTED), line.outcome.in_(LETTERED)
    )
    columns = (line.raw, line.outcome, line.seq, line.dead_letter, line.type)
    return [Origin(*row) for row in connection.execute(select(*columns).where(line.raw.in_(raws), told))]


def of_partner(connection: Connection, partner: str, event_id: str, origin: str, limit: int) -> list[int]:
    """Return the events of a partner with an id, oldest first."""
    raws = raws_of(connection, event_id, limit, kind=ID, partner=partner)
    line = entries_table.c
    owned = [
        line.id == storable(event_id),
        line.partner == partner,
        *([line.origin == storable(origin)] if origin else []),
    ]
    query = select(line.raw).where(line.raw.in_(raws), line.stage != "deliver", *owned).distinct().order_by(line.raw)
    return list(connection.execute(query).scalars())


def _of_key(connection: Connection, wanted: Search, limit: int) -> Page:
    """Return the events of a key by when they came in, as far as they fit."""
    before, items = int(wanted.after or 0), list[Entry]()
    for _ in range(_CHUNKS):
        raws = raws_of(connection, wanted.key, _CHUNK, kind=wanted.kind, partner=wanted.partner, before=before)
        if not raws:
            return Page(tuple(items))
        newest = _newest(connection, raws, wanted)
        items += [newest[raw] for raw in raws if raw in newest][: limit - len(items)]
        if len(items) == limit:
            return Page(tuple(items), str(items[-1].raw))
        before = raws[-1]
    return Page(tuple(items), str(before))


def _newest(connection: Connection, raws: Sequence[int], wanted: Search) -> dict[int, Entry]:
    line = entries_table.c
    fitting = select(line.n, *_COLUMNS).where(line.raw.in_(raws), *_fits(_unindexed(line), wanted))
    rows = [(n, Entry._make(fields)) for n, *fields in connection.execute(fitting)]
    return {one.raw: one for _, one in sorted(rows, key=lambda row: (*_order(row[1]), row[0]))}


def _order(one: Entry) -> tuple[bool, int]:
    """Return what later entries have more of; whatever their clocks say, an event was accepted before all else."""
    return one.outcome != ACCEPTED, one.at


def _by_time(connection: Connection, wanted: Search, limit: int) -> Page:
    """Return events by when what is looked for happened; each at its newest entry that fits."""
    line, later = entries_table.c, entries_table.alias().c
    newer = and_(later.raw == line.raw, tuple_(*_ordered(later)) > tuple_(*_ordered(line)))
    rare = _is_rare(wanted)
    place = (-line.at if rare else line.at.desc()), line.n.desc()
    query = (
        select(line.n, *([-line.at] if rare else []), *_COLUMNS)
        .where(*_fits(_indexed(line, rare), wanted), ~exists().where(newer, *_fits(_unindexed(later), wanted)))
        .order_by(*place)
        .limit(limit + 1)
    )
    if wanted.after:
        at, _, n = wanted.after.partition(".")
        query = query.where(-line.at >= -int(at), tuple_(line.at, line.n) < (int(at), int(n)))
    rows = [(n, Entry._make(fields[-len(_COLUMNS) :])) for n, *fields in connection.execute(query)]
    items = tuple(one for _, one in rows[:limit])
    return Page(items, f"{items[-1].at}.{rows[limit - 1][0]}" if len(rows) > limit else "")


def _ordered(line: Any) -> tuple[Any, ...]:
    return case((line.outcome == ACCEPTED, 0), else_=1), line.at, line.n  # see `_order`


def _is_rare(wanted: Search) -> bool:
    """Tell whether only entries can fit that few events have, which have an index of their own."""
    return wanted.outcome not in COMMON if wanted.outcome else bool(wanted.reason)


def _indexed(columns: Any, rare: bool) -> dict[str, Any]:
    """Return columns as the indexes have them; that of rare entries is the best for those."""
    return dict(columns) | (_unindexed(columns) | {"at": columns.at, "outcome": columns.outcome} if rare else {})


def _unindexed(columns: Any) -> dict[str, Any]:
    """Return columns as expressions that no index knows, for a query that the index of `raw` is right for."""
    return {name: columns[name] + 0 if name == "at" else columns[name].concat("") for name in Entry._fields}


def _fits(line: Mapping[str, Any], wanted: Search) -> list[Any]:
    """Return the conditions, among them those that make an index of some of the entries usable."""
    same = {"partner": wanted.partner, "source": wanted.source, "route": wanted.route, "outcome": wanted.outcome}
    found = [line[name] == value for name, value in same.items() if value]
    if wanted.since:
        found.append(-line["at"] <= -wanted.since if _is_rare(wanted) else line["at"] >= wanted.since)
    if wanted.until:
        found.append(-line["at"] > -wanted.until if _is_rare(wanted) else line["at"] < wanted.until)
    if wanted.route and not _is_rare(wanted):
        found.append(OF_ROUTE)
    if wanted.reason:
        texts = (line["reason"], line["detail"])
        found.append(or_(*(func.lower(text).contains(wanted.reason.lower(), autoescape=True) for text in texts)))
    if not wanted.says_more_than_when:
        found.append(LISTED)
    elif _is_rare(wanted):
        found.append(TROUBLE)
    return found
