"""What maps can call besides JSONata's own functions: lookups and exact decimal arithmetic on text."""

import re
from collections.abc import Callable, Mapping
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow, Underflow
from typing import Any

from crossdock.kernel.expression import Function, plain
from transforms.lookups import Table

MAX_DIGITS = 60
_DECIMAL = re.compile(r"[+-]?[0-9]{1,60}(\.[0-9]{1,60})?\Z")
_EXACT = Context(prec=2 * MAX_DIGITS + 10, traps=[Inexact, InvalidOperation, Overflow, Underflow])


class MissingRowError(Exception):
    """A key that a lookup table does not have; its name and text come back through JSONata."""


class NotDecimalError(Exception):
    """A value that is not a decimal number; its name and text come back through JSONata."""


def functions(tables: Mapping[str, Table]) -> dict[str, Function]:
    """Return the functions by the name a map calls them with, without the `$`."""
    return {"lookup": _lookup(tables), "decmul": decmul, "decadd": decadd, "decsum": decsum, "decneg": decneg}


def _lookup(tables: Mapping[str, Table]) -> Function:
    def lookup(table: Any, key: Any) -> Any:
        if isinstance(table, dict):  # JSONata's own $lookup(object, key)
            return table.get(key)
        if table not in tables:
            raise MissingRowError(f"there is no lookup {_shown(table)}")
        row = tables[table].rows.get(_key(key))
        if row is None:
            raise MissingRowError(f"lookup {table} has no row {_shown(key)}")
        return row

    return lookup


def _key(value: Any) -> str:
    value = plain(value)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def decmul(left: Any, right: Any) -> str:
    """Return the exact product as text."""
    return _compute(_EXACT.multiply, decimal(left), decimal(right))


def decadd(left: Any, right: Any) -> str:
    """Return the exact sum as text."""
    return _compute(_EXACT.add, decimal(left), decimal(right))


def decsum(values: Any = None) -> str:
    """Return the exact sum of a list as text, `0` for an empty one; JSONata gives a list of one as its item."""
    items = values if isinstance(values, list) else [] if values is None else [values]
    total = Decimal(0)
    for item in items:
        total = Decimal(_compute(_EXACT.add, total, decimal(item)))
    return format(total, "f")


def decneg(value: Any) -> str:
    """Return the number with its sign turned, as text."""
    return _compute(_EXACT.minus, decimal(value))


def decimal(value: Any) -> Decimal:
    """Return the exact number that a text, an integer or a double stands for.

    Raises:
        NotDecimalError: when it stands for none, or has more than 60 digits on a side of the point.
    """
    text = plain(value)
    if isinstance(text, float):
        text = format(Decimal(repr(text)), "f")  # the shortest text is what the sender wrote: see jsontext.loads
    elif isinstance(text, int) and not isinstance(text, bool):
        text = str(text)
    if not isinstance(text, str) or not _DECIMAL.match(text):
        raise NotDecimalError(f"{_shown(value)} is not a decimal number")
    return Decimal(text)


def _compute(operation: Callable[..., Decimal], *numbers: Decimal) -> str:
    try:
        return format(operation(*numbers), "f")
    except (Inexact, InvalidOperation, Overflow, Underflow):
        raise NotDecimalError(f"the result has more than {_EXACT.prec} digits") from None


def _shown(value: Any) -> str:
    return repr(plain(value))[:80]
