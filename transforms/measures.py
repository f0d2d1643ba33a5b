"""Units and packs for maps: `$units` converts exactly, from case to each by what the item says of itself."""

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from crossdock.kernel.expression import Function
from transforms.decimals import MAX_DIGITS, decimal, rounded
from transforms.failures import UnitError, shown

_PER = re.compile(r"(\w+?)_per_(\w+)\Z")
# Each unit in kg, l, m, m2 or each: the name, then its codes of UN/ECE Recommendation 20 (and 21, with X before it).
# Pound, inch, gallons and what follows from them are defined by these figures (NIST Handbook 44, appendix C).
_UNITS = """
kg KGM = 1 kg; g GRM = 0.001 kg; mg MGM = 0.000001 kg; t TNE = 1000 kg; lb LBR = 0.45359237 kg
oz ONZ = 0.028349523125 kg; short_ton STN = 907.18474 kg; long_ton LTN = 1016.0469088 kg
l LTR DMQ = 1 l; ml MLT CMQ = 0.001 l; cl CLT = 0.01 l; dl DLT = 0.1 l; hl HLT = 100 l; m3 MTQ = 1000 l
gal GLL = 3.785411784 l; qt QTL = 0.946352946 l; pt PTL = 0.473176473 l; fl_oz OZA = 0.0295735295625 l
imperial_gal GLI = 4.54609 l; imperial_pt PTI = 0.56826125 l; imperial_fl_oz OZI = 0.0284130625 l
in3 INQ = 0.016387064 l; ft3 FTQ = 28.316846592 l
m MTR = 1 m; cm CMT = 0.01 m; mm MMT = 0.001 m; dm DMT = 0.1 m; km KMT = 1000 m
in INH = 0.0254 m; ft FOT = 0.3048 m; yd YRD = 0.9144 m
m2 MTK = 1 m2; cm2 CMK = 0.0001 m2; ft2 FTK = 0.09290304 m2
each EA C62 H87 = 1 each; pair PR = 2 each; dozen DZN = 12 each; gross GRO = 144 each
hundred CEN = 100 each; thousand MIL = 1000 each
case CS XCS; carton CT XCT; pack PK XPK; box BX XBX; inner; layer; pallet PF XPX
"""


def _read() -> Iterator[tuple[str, str, Fraction, str]]:
    for entry in re.split(r"[;\n]", _UNITS.strip()):
        names, _, size = entry.partition("=")
        name, *codes = names.split()
        number, base = size.split() if size else ("1", name)
        for known in (name, *codes):
            yield known, name, Fraction(number), base


_NAMES: dict[str, str] = {known: name for known, name, _, _ in _read()}
_SIZES: dict[str, tuple[Fraction, str]] = {name: (size, base) for _, name, size, base in _read()}


def units(quantity: Any, from_: Any, to: Any, item: Any = None, digits: Any = None) -> str:
    """Return a quantity in another unit as text, rounded half to even where `digits` are given.

    `item` says how packs are made: `{"each_per_case": 12, "case_per_pallet": "40", "kg_per_each": "0.25"}`, such as
    the row of a lookup; its other members are passed over.

    Raises:
        UnitError: for an unknown unit, two that nothing connects, or a result without an end when no digits are given.
    """
    amount, start, goal = Fraction(decimal(quantity)), _known(from_), _known(to)
    factor = _factor(start, goal, item if isinstance(item, Mapping) else {})
    if factor is None:
        raise UnitError(f"nothing says how many {goal} are one {start}")
    result = amount * factor
    if digits is not None:
        return rounded(result, digits)
    needed = _digits(result.denominator)
    if needed > MAX_DIGITS:
        raise UnitError(f"{shown(quantity)} {start} is no exact number of {goal}; say how many digits to round to")
    return rounded(result, needed)


def _known(unit: Any) -> str:
    if not isinstance(unit, str) or unit not in _NAMES:
        raise UnitError(f"{shown(unit)} is not a unit")
    return _NAMES[unit]


def _factor(start: str, goal: str, item: Mapping[str, Any]) -> Fraction | None:
    """Return how many of the goal one of the start is, by the shortest way over what the item says."""
    (size, base), (goal_size, goal_base) = _SIZES[start], _SIZES[goal]
    ways = list(_packs(item))
    found = {base: size}
    for unit in (reached := [base]):  # which grows as it goes
        for big, factor, small in ways:
            if big == unit and small not in found:
                found[small] = found[unit] * factor
                reached.append(small)
    return found[goal_base] / goal_size if goal_base in found else None


def _packs(item: Mapping[str, Any]) -> Iterator[tuple[str, Fraction, str]]:
    for key, value in item.items():
        named = _PER.match(key)
        if named and value not in (None, "") and named[1] in _NAMES and named[2] in _NAMES:
            small, small_base = _SIZES[_NAMES[named[1]]]
            big, big_base = _SIZES[_NAMES[named[2]]]
            factor = Fraction(decimal(value)) * small / big
            if factor <= 0:
                raise UnitError(f"{key} is {shown(value)}")
            yield big_base, factor, small_base
            yield small_base, 1 / factor, big_base


def _digits(denominator: int) -> int:
    """Return how many digits after the point a fraction needs in lowest terms; more than there may be, if no end."""
    for digits in range(MAX_DIGITS + 1):
        if 10**digits % denominator == 0:
            return digits
    return MAX_DIGITS + 1


FUNCTIONS: dict[str, Function] = {"units": units}
