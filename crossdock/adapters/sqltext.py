"""The statements and the values that databases outside get, for each dialect; nothing of an event is in a statement."""

import base64
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import Dialect

from connectors.port import Fault, Staging
from crossdock.kernel import jsontext

_INT64 = range(-(2**63), 2**63)
_UINT64_END = 2**64
_MARKS: dict[str, Callable[[str], Any]] = {
    "int": int,
    "Decimal": Decimal,
    "float": float,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "str": str,
}


def upsert(dialect: Dialect, staging: Staging) -> str:
    """Return the statement that puts one row into a table in place of the one with the same key."""
    quote = dialect.identifier_preparer.quote_identifier
    columns, key = [quote(name) for name in staging.columns], [quote(name) for name in staging.key]
    rest = [quote(name) for name in staging.columns if name not in staging.key]
    table = ".".join(map(quote, staging.table.split(".")))
    insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join([_mark(dialect)] * len(columns))})"
    if dialect.name in ("mysql", "mariadb"):
        changes = ", ".join(f"{name} = VALUES({name})" for name in rest) or f"{key[0]} = {key[0]}"
        return f"{insert} ON DUPLICATE KEY UPDATE {changes}"
    changes = ", ".join(f"{name} = EXCLUDED.{name}" for name in rest)
    return f"{insert} ON CONFLICT ({', '.join(key)}) DO {f'UPDATE SET {changes}' if changes else 'NOTHING'}"


def plan(dialect: Dialect, staging: Staging) -> str:
    """Return the statement that has the database plan an upsert and write nothing."""
    values = ", ".join([_mark(dialect)] * len(staging.columns))
    nothing = ", ".join(["NULL"] * len(staging.columns))
    return "EXPLAIN " + upsert(dialect, staging).replace(f"VALUES ({values})", f"VALUES ({nothing})", 1)


def page(dialect: Dialect, query: str, watermark: str, after: bool) -> str:
    """Return the statement that reads the first rows of a query, from a watermark on if there was one."""
    column, mark = dialect.identifier_preparer.quote_identifier(watermark), _mark(dialect)
    inner = query.replace("%", "%%") if mark == "%s" else query
    since = f"{column} >= {mark}" if after else f"{column} IS NOT NULL"
    # the line break ends a comment at the end of the query
    return f"SELECT * FROM ({inner}\n) AS crossdock WHERE {since} ORDER BY {column} LIMIT {mark}"


def _mark(dialect: Dialect) -> str:
    return "?" if dialect.paramstyle == "qmark" else "%s"


def bound(dialect: Dialect, row: Sequence[Any]) -> tuple[Any, ...]:
    """Return the values of a row as the driver passes them on unchanged.

    Raises:
        Fault: permanent, SQLite would round a number.
    """
    return tuple(_bound(dialect.name == "sqlite", value) for value in row)


def _bound(sqlite: bool, value: Any) -> Any:
    if isinstance(value, dict | list):
        return jsontext.dumps(value).decode()
    if sqlite and isinstance(value, int) and value not in _INT64:
        raise Fault("permanent", f"number_not_exact: SQLite does not hold {value}; give it as a text")
    if isinstance(value, float) and not sqlite:
        return Decimal(repr(value))  # a column of decimals would get 15 digits of a double
    return value


def plain(value: Any) -> Any:
    """Return a column's value as JSON holds it: decimals, times and what else is no JSON as text."""
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, int) and not -(2**63) <= value < _UINT64_END:
        return str(value)
    return value if value is None or isinstance(value, bool | int | float | str | dict | list) else str(value)


def mark_of(value: Any) -> str:
    """Return a watermark as text that `value_of` makes the same value of."""
    kind = type(value).__name__
    if isinstance(value, datetime | date):
        return f"{kind} {value.isoformat()}"
    return f"{kind} {value}" if kind in _MARKS else f"str {value}"


def value_of(mark: str) -> Any:
    """Return the watermark that a text was made of."""
    kind, _, text = mark.partition(" ")
    return _MARKS[kind](text)
