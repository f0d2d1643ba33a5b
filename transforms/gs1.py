"""GS1 keys and element strings for maps, as the GS1 General Specifications say (sections in the functions)."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from crossdock.kernel.expression import Function
from transforms.failures import Failure, Gs1Error, shown, text
from transforms.gs1_identifiers import FIXED_LENGTHS, Identifier, identifier

_GROUP = "\x1d"
_SYMBOLOGY = re.compile(r"\](C1|e0|d2|Q3|J1)")
_BRACKETED = re.compile(r"\(([0-9]{2,4})\)([^(]*)")


def gs1_check_digit(digits: Any) -> str:
    """Return the check digit that belongs after the digits (section 7.9.1).

    Raises:
        Gs1Error: when they are not 1 to 17 digits.
    """
    given = text(digits)
    if not re.fullmatch("[0-9]{1,17}", given):
        raise Gs1Error(f"{shown(digits)} is not 1 to 17 digits")
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(given)))
    return str(-total % 10)


def gtin(value: Any) -> str:
    """Return a GTIN-8, -12, -13 or -14 as 14 digits (section 3.3.2); a whole number gets its leading zeros back.

    Raises:
        Gs1Error: for another length or a wrong check digit.
    """
    given = text(value)
    if not isinstance(value, str) and len(given) <= 14:
        given = given.zfill(14)
    if not re.fullmatch("[0-9]{8}|[0-9]{12,14}", given):
        raise Gs1Error(f"{shown(value)} is not a GTIN of 8, 12, 13 or 14 digits")
    return _checked(given, "GTIN").zfill(14)


def gtin_ok(value: Any = None) -> bool:
    """Tell whether `gtin` takes the value."""
    try:
        gtin(value)
    except Failure:
        return False
    return True


def gln(value: Any) -> str:
    """Return a GLN of 13 digits (section 3.4), as it was given.

    Raises:
        Gs1Error: for another length or a wrong check digit.
    """
    return _key(value, 13, "GLN")


def sscc(value: Any) -> str:
    """Return an SSCC of 18 digits (section 3.3.1), as it was given.

    Raises:
        Gs1Error: for another length or a wrong check digit.
    """
    return _key(value, 18, "SSCC")


def gs1(value: Any) -> dict[str, str]:
    """Return what a scanned element string (section 7.8) or a GS1 Digital Link says, by name.

    Takes brackets, `(01)09506000134352(10)AB`, or plain text with FNC1 as the character 29, with or without a
    symbology identifier such as `]d2`. Dates become 2027-01-31, weights and amounts get their decimal point.

    Raises:
        Gs1Error: for an identifier that is not known, and a value that it does not take.
    """
    given = text(value)
    if re.match("https?://", given):
        pairs = _link(given)
    elif given.startswith("("):
        pairs = _bracketed(given)
    else:
        pairs = _elements(_SYMBOLOGY.sub("", given, count=1) if given.startswith("]") else given)
    found: dict[str, str] = {}
    for ai, raw in pairs:
        meaning = _identifier(ai)
        name, said = meaning.name, _value(meaning, ai, raw)
        if found.setdefault(name, said) != said:
            raise Gs1Error(f"({ai}) is there twice, with different values")
    return found


def _key(value: Any, length: int, name: str) -> str:
    given = text(value)
    if not re.fullmatch(f"[0-9]{{{length}}}", given):
        raise Gs1Error(f"{shown(value)} is no {name} of {length} digits")
    return _checked(given, name)


def _checked(digits: str, name: str) -> str:
    expected = gs1_check_digit(digits[:-1])
    if digits[-1] != expected:
        raise Gs1Error(f"{digits} is no {name}: its check digit is {digits[-1]}, not {expected}")
    return digits


def _identifier(ai: str) -> Identifier:
    known = identifier(ai)
    if known is None:
        raise Gs1Error(f"({ai[:4]}) is not an application identifier that is known here")
    return known


def _bracketed(given: str) -> list[tuple[str, str]]:
    pairs = _BRACKETED.findall(given)
    if "".join(f"({ai}){raw}" for ai, raw in pairs) != given:
        raise Gs1Error(f"{shown(given)} is no element string")
    return [(ai, raw) for ai, raw in pairs]


def _elements(given: str) -> list[tuple[str, str]]:
    """Cut a plain element string; an identifier with a predefined length (figure 7.8.5-2) ends by itself."""
    pairs = []
    rest = given.lstrip(_GROUP)
    while rest:
        ai = next((rest[:n] for n in (2, 3, 4) if identifier(rest[:n])), rest[:4])
        _identifier(ai)
        end = FIXED_LENGTHS.get(ai[:2], 0) or (rest + _GROUP).index(_GROUP)
        pairs.append((ai, rest[len(ai) : end]))
        rest = rest[end:].removeprefix(_GROUP)
    if not pairs:
        raise Gs1Error("the element string is empty")
    return pairs


def _link(given: str) -> list[tuple[str, str]]:
    """Return the identifiers of a Digital Link: from the first primary key in its path on, then of its query."""
    address = urlsplit(given)
    steps = [unquote(step) for step in address.path.split("/")]
    start = next((i for i, step in enumerate(steps[:-1]) if step in _PRIMARY), None)
    if start is None:
        raise Gs1Error(f"{shown(given)} holds no GS1 key")
    steps = steps[start:]
    query = [(ai, raw) for ai, raw in parse_qsl(address.query) if ai.isdigit()]
    pairs = [*zip(steps[::2], steps[1::2], strict=False), *query]
    return [(ai, raw.zfill(14) if ai == "01" else raw) for ai, raw in pairs]


_PRIMARY = {"00", "01", "253", "254", "401", "402", "414", "417", "8003", "8004", "8006", "8010", "8017", "8018"}


def _value(meaning: Identifier, ai: str, raw: str) -> str:
    if not meaning.pattern.fullmatch(raw):
        raise Gs1Error(f"({ai}) does not take {shown(raw)}")
    if meaning.kind == "date":
        return _date(ai, raw)
    if meaning.kind == "decimal":
        return _decimal(raw, int(ai[-1]))
    if meaning.kind == "money":
        return f"{_decimal(raw[3:], int(ai[-1]))} {raw[:3]}"
    if meaning.kind == "key":
        _checked(raw[: meaning.checked], meaning.name.upper())
    return raw


def _decimal(raw: str, places: int) -> str:
    if places > len(raw):
        raise Gs1Error(f"{raw} has fewer than {places} digits")
    whole = (raw[: len(raw) - places].lstrip("0") or "0") if places else raw.lstrip("0") or "0"
    return f"{whole}.{raw[len(raw) - places :]}" if places else whole


def _date(ai: str, raw: str) -> str:
    """Return YYMMDD as a date of the century that is nearest (section 7.12); day 00 is the month's last."""
    year, month, day = int(raw[:2]), int(raw[2:4]), int(raw[4:6])
    now = datetime.now(UTC).year
    full = now - now % 100 + year
    full += -100 if year - now % 100 >= 51 else 100 if year - now % 100 <= -50 else 0
    try:
        if day:
            return date(full, month, day).isoformat()
        following = date(full + month // 12, month % 12 + 1, 1)
        return (following - timedelta(days=1)).isoformat()
    except ValueError:
        raise Gs1Error(f"({ai}) {raw} is not a date") from None


FUNCTIONS: dict[str, Function] = {
    function.__name__: function for function in (gtin, gtin_ok, gln, sscc, gs1, gs1_check_digit)
}
