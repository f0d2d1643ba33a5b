"""Exact decimal arithmetic for maps, on text: JSONata itself computes in doubles."""

import re
from collections.abc import Callable
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow, Underflow
from fractions import Fraction
from typing import Any

from crossdock.kernel.expression import Function, plain
from transforms.failures import BadArgumentError, NotDecimalError, shown

MAX_DIGITS = 60
_DECIMAL = re.compile(r"[+-]?[0-9]{1,60}(\.[0-9]{1,60})?\Z")
_EXACT = Context(prec=2 * MAX_DIGITS + 10, traps=[Inexact, InvalidOperation, Overflow, Underflow])


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
        raise NotDecimalError(f"{shown(value)} is not a decimal number")
    return Decimal(text)


def rounded(number: Fraction, digits: Any, mode: Any = "half_even") -> str:
    """Return a number with so many digits after the point as text.

    Raises:
        BadArgumentError: for another mode than `half_even`, `half_up`, `down` and `up`, or digits not in 0 to 60.
    """
    if isinstance(digits, bool) or digits not in range(MAX_DIGITS + 1):
        raise BadArgumentError(f"digits are a whole number from 0 to {MAX_DIGITS}, not {shown(digits)}")
    if mode not in _MODES:
        raise BadArgumentError(f"a rounding mode is one of {', '.join(_MODES)}, not {shown(mode)}")
    whole, rest = divmod(abs(number.numerator) * 10 ** int(digits), number.denominator)
    whole += _MODES[mode](whole, 2 * rest - number.denominator, rest)
    sign = "-" if number < 0 and whole else ""
    text = str(whole).rjust(int(digits) + 1, "0")
    point = len(text) - int(digits)
    return sign + text[:point] + ("." + text[point:] if digits else "")


# What to add to the whole part: from it, from how far the rest is beyond a half, and from the rest.
_MODES: dict[str, Callable[[int, int, int], int]] = {
    "half_even": lambda whole, beyond, _: int(beyond > 0 or (beyond == 0 and whole % 2 == 1)),
    "half_up": lambda whole, beyond, _: int(beyond >= 0),
    "down": lambda whole, beyond, rest: 0,
    "up": lambda whole, beyond, rest: int(rest > 0),
}


def decadd(left: Any, right: Any) -> str:
    """Return the exact sum as text."""
    return _compute(_EXACT.add, decimal(left), decimal(right))


def decsub(left: Any, right: Any) -> str:
    """Return the exact difference as text."""
    return _compute(_EXACT.subtract, decimal(left), decimal(right))


def decmul(left: Any, right: Any) -> str:
    """Return the exact product as text."""
    return _compute(_EXACT.multiply, decimal(left), decimal(right))


def decdiv(left: Any, right: Any, digits: Any, mode: Any = "half_even") -> str:
    """Return the quotient, rounded once, with so many digits after the point."""
    divisor = Fraction(decimal(right))
    if not divisor:
        raise NotDecimalError(f"{shown(left)} cannot be divided by {shown(right)}")
    return rounded(Fraction(decimal(left)) / divisor, digits, mode)


def decround(value: Any, digits: Any, mode: Any = "half_even") -> str:
    """Return the number with so many digits after the point."""
    return rounded(Fraction(decimal(value)), digits, mode)


def decsum(values: Any = None) -> str:
    """Return the exact sum of a list as text, `0` for an empty one."""
    total = Decimal(0)
    for item in _items(values):
        total = Decimal(_compute(_EXACT.add, total, item))
    return format(total, "f")


def decneg(value: Any) -> str:
    """Return the number with its sign turned, as text."""
    return _compute(_EXACT.minus, decimal(value))


def decabs(value: Any) -> str:
    """Return the number without its sign, as text."""
    return _compute(_EXACT.abs, decimal(value))


def deccmp(left: Any, right: Any) -> int:
    """Return -1, 0 or 1, as the left number is less, equal or greater."""
    one, other = decimal(left), decimal(right)
    return (one > other) - (one < other)


def decmin(values: Any) -> str | None:
    """Return the least number of a list as text, nothing for an empty one."""
    return _first(min, values)


def decmax(values: Any) -> str | None:
    """Return the greatest number of a list as text, nothing for an empty one."""
    return _first(max, values)


def _first(of: Callable[[list[Decimal]], Decimal], values: Any) -> str | None:
    items = _items(values)
    return format(of(items), "f") if items else None


def _items(values: Any) -> list[Decimal]:
    """Return the numbers of a list; JSONata gives a list of one as its item and an empty one as nothing."""
    items = values if isinstance(values, list) else [] if values is None else [values]
    return [decimal(item) for item in items]


def _compute(operation: Callable[..., Decimal], *numbers: Decimal) -> str:
    try:
        return format(operation(*numbers), "f")
    except (Inexact, InvalidOperation, Overflow, Underflow):
        raise NotDecimalError(f"the result has more than {_EXACT.prec} digits") from None


FUNCTIONS: dict[str, Function] = {
    function.__name__: function
    for function in (decadd, decsub, decmul, decdiv, decround, decsum, decneg, decabs, deccmp, decmin, decmax)
}
