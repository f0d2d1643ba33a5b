"""Lookup tables and what `$lookup` finds in them; who fills them: `lookuprows`, and the adapters for SQL and events."""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from crossdock.kernel.expression import Expression, plain
from crossdock.kernel.moments import microseconds
from crossdock.kernel.problems import Problem, Refused
from transforms.failures import AwaitedRowError, BadArgumentError, MissingRowError, TimeTextError, shown

FAIL, PARK, DEFAULT = "fail", "park", "default"
_SAFE_INTEGER = 2**53

Row = Mapping[str, Any]


class Period(NamedTuple):
    """A row, valid from a moment until before another, in microseconds since 1970."""

    since: int
    until: int
    row: Row


class Wait(NamedTuple):
    """What an event waits for: a row of a table by its key, valid at a moment if the table is dated."""

    table: str
    key: str
    at: int | None


class Waiting(Refused):
    """A refusal that ends by itself when a row appears."""

    def __init__(self, problems: Iterable[Problem], wait: Wait) -> None:
        super().__init__(problems)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Sql:
    """A table that is the answer to a query, read whole and again every `refresh` seconds."""

    url: str = field(repr=False)
    query: str
    columns: "Columns"
    refresh: float


@dataclass(frozen=True, slots=True)
class Fed:
    """A table with the data of the newest event of a canonical type for each key."""

    type: str
    key: Expression


class Columns(NamedTuple):
    """The columns of the key (the first one if empty) and of the validity."""

    key: str = ""
    since: str = ""
    until: str = ""

    @property
    def dated(self) -> bool:
        """Whether rows are valid for a time."""
        return bool(self.since or self.until)


class Table:
    """Rows by key, or, when it is dated, the periods of each key in their order; shared by all that look into it.

    `id` says where the rows come from, in letters, digits, `_` and `-`; `name` says it to people.
    """

    __slots__ = ("dated", "id", "name", "origin", "rows")

    def __init__(self, id_: str, name: str, origin: Sql | Fed | None = None, dated: bool = False) -> None:
        self.id = id_
        self.name = name
        self.origin = origin
        self.dated = dated
        self.rows: dict[str, Any] = {}

    def find(self, key: str, at: int | None) -> Row | None:
        """Return the row of a key, that of a dated table which is valid at a moment."""
        found: Any = self.rows.get(key)
        return _in_force(found, at) if self.dated and found is not None and at is not None else found


@dataclass(slots=True)
class Lookup:
    """A table as one transform uses it; `missed` is called for each key that is not there."""

    name: str
    table: Table
    unresolved: str = FAIL
    default: Row = field(default_factory=dict)
    missed: Callable[[], object] = lambda: None


class Lookups:
    """The lookups of one transform, and what its map looks up for the event in hand."""

    __slots__ = ("_time", "_wait", "by_name", "needs_event")

    def __init__(self, by_name: Mapping[str, Lookup]) -> None:
        self.by_name = by_name
        self.needs_event = any(one.table.dated or one.unresolved == PARK for one in by_name.values())
        self._time = ""
        self._wait: Wait | None = None

    def begin(self, time: str) -> None:
        """Take the next event, of this time; only needed where `needs_event` says so."""
        self._time, self._wait = time, None

    def refused(self, problems: Iterable[Problem]) -> Refused:
        """Return why an expression failed; the refusal says what the event waits for, if it does."""
        return Waiting(problems, self._wait) if self._wait else Refused(problems)

    def find(self, name: Any, key: Any, at: Any = None) -> Any:
        """Return a row, as `$lookup(name, key, at)`; JSONata's own `$lookup(object, key)` is kept.

        Raises:
            MissingRowError, AwaitedRowError, BadArgumentError, TimeTextError: no row; a time that is none.
        """
        if isinstance(name, dict):
            return name.get(key)
        lookup = self.by_name.get(name)
        if lookup is None:
            raise MissingRowError(f"there is no lookup {shown(name)}")
        wanted = _key(key)
        row: Any = lookup.table.rows.get(wanted) if wanted else None
        if lookup.table.dated:
            return self._dated(lookup, key, row, at)
        if at is not None:
            raise BadArgumentError(f"lookup {lookup.name} has no validity: it takes no third argument")
        return self._instead(lookup, key, None) if row is None else row

    def _dated(self, lookup: Lookup, key: Any, periods: Any, at: Any) -> Any:
        time = plain(at) or self._time
        if not time:
            raise BadArgumentError(f"lookup {lookup.name} needs a time: the event has none, give a third argument")
        try:
            moment = microseconds(time)
        except ValueError as error:
            raise TimeTextError(str(error)) from None
        row = _in_force(periods or (), moment)
        return self._instead(lookup, key, moment) if row is None else row

    def _instead(self, lookup: Lookup, key: Any, at: int | None) -> Row:
        lookup.missed()
        if lookup.unresolved == DEFAULT:
            return lookup.default
        message = f"lookup {lookup.name} has no row {shown(key)}" + (" that is valid then" if at is not None else "")
        if lookup.unresolved == PARK and (awaited := _key(key)):
            self._wait = Wait(lookup.table.id, awaited, at)
            raise AwaitedRowError(message)
        raise MissingRowError(message)


def fed_types(lookups: Iterable[Lookups]) -> dict[str, Lookup]:
    """Return the canonical types that make tables, each with a lookup that asks for it."""
    every = (one for each in lookups for one in each.by_name.values())
    return {one.table.origin.type: one for one in every if isinstance(one.table.origin, Fed)}


def tables(lookups: Iterable[Lookups]) -> dict[str, Table]:
    """Return the tables by their id."""
    return {one.table.id: one.table for each in lookups for one in each.by_name.values()}


@contextmanager
def given(lookups: Collection[Lookups], rows: Mapping[str, Mapping[str, Row]]) -> Iterator[None]:
    """Put these rows, by the name of the lookup and their key, in the place of those of its tables for a while."""
    used = [one.table for each in lookups for name, one in each.by_name.items() if name in rows]
    before = {table: table.rows for table in used}
    for each in lookups:
        for name, one in each.by_name.items():
            if name in rows:
                one.table.rows = {key: _always(settled(row), one.table) for key, row in rows[name].items()}
    try:
        yield
    finally:
        for table, rows_before in before.items():
            table.rows = rows_before


def _always(row: Row, table: Table) -> Any:
    return (Period(-(2**62), 2**62, row),) if table.dated else row


def settled(value: Any) -> Any:
    """Return a row's value as expressions can hold it: integers beyond 2^53 become their digits."""
    if isinstance(value, dict):
        return {name: settled(child) for name, child in value.items()}
    if isinstance(value, list):
        return [settled(child) for child in value]
    is_big = isinstance(value, int) and not -_SAFE_INTEGER <= value <= _SAFE_INTEGER
    return str(value) if is_big else value


def _in_force(periods: tuple[Period, ...], at: int) -> Row | None:
    place = bisect_right(periods, at, key=_since) - 1
    return periods[place].row if place >= 0 and at < periods[place].until else None


def _since(period: Period) -> int:
    return period.since


def _key(value: Any) -> str:
    value = plain(value)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
