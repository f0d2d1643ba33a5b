"""JSON that keeps its values: what is read is what will be written, or it is refused."""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import orjson

from crossdock.kernel.problems import Refused, refuse

MAX_DEPTH = 64  # orjson reads 1,024 levels but writes only 254: what cannot be written must not be accepted
_DIGITS = bytes.maketrans(b"0123456789.E", b"0" * 11 + b"e")  # finds runs of digits eight times faster than a pattern
_LONG = b"0" * 16
_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_CURLY_AS_SQUARE = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_TINY_NUMBER = re.compile(rb"[0-9.][eE]-0*[1-9][0-9]{2}")  # where doubles lose digits and end at 0
_UINT64_MAX = 2**64 - 1
_INT64_MIN = -(2**63)


def loads(raw: bytes) -> Any:
    """Parse JSON (RFC 8259).

    Raises:
        Refused: `invalid_json`, `too_deep` or `number_not_exact` (a number that a double or a 64-bit integer
            cannot hold and that would be changed by reading it).
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise refuse("invalid_json", f"not JSON: {error}", "send one JSON document in UTF-8") from None
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:
        _check_depth(raw)
    written = orjson.dumps(value)
    if written == raw:
        return value
    if _may_repeat_keys(raw, written):
        json.loads(raw, object_pairs_hook=_unique)
    digits = raw.translate(_DIGITS)
    if _LONG in digits or (b"0e-" in digits and _TINY_NUMBER.search(raw)):
        json.loads(raw, parse_int=_exact_int, parse_float=_exact_float)
    return value


def own_loads(raw: bytes) -> Any:
    """Parse JSON that was checked before it was stored; raises ValueError for anything else."""
    return orjson.loads(raw)


def dumps(value: Any) -> bytes:
    """Write compact JSON in UTF-8."""
    return orjson.dumps(value)


def sorted_dumps(value: Any) -> bytes:
    """Write JSON with sorted keys: equal values give equal bytes."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def escaped(key: str) -> str:
    """Return a member's name as a step of a JSON pointer (RFC 6901, section 3)."""
    return key.replace("~", "~0").replace("/", "~1")


def has_long_number(raw: bytes) -> bool:
    """Tell whether the text holds a run of 16 digits or more, which a double may not hold."""
    return _LONG in raw.translate(_DIGITS)


def too_many(most: int) -> Refused:
    """Return the refusal of a batch with more events than may be."""
    return refuse("batch_too_large", f"more than {most} events; at most {most} are taken", "send smaller batches")


def split_array(raw: bytes, most: int) -> list[bytes]:
    """Cut a JSON array into the exact bytes of its items, unparsed members of a batch.

    Raises:
        Refused: `invalid_json` when the text is not one array; `batch_too_large`, as soon as it has more items.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise refuse("invalid_json", f"not UTF-8: {error.reason} at byte {error.start}") from None
    place = _skip_space(text, 0)
    if text[place : place + 1] != "[":
        raise refuse("invalid_json", "a batch is one JSON array of events")
    items: list[bytes] = []
    place = _skip_space(text, place + 1)
    if text[place : place + 1] == "]":
        return _end(text, place, items)
    while True:
        if len(items) == most:
            raise too_many(most)
        start, place = place, _item_end(text, place)
        items.append(text[start:place].encode())
        place = _skip_space(text, place)
        mark = text[place : place + 1]
        if mark == "]":
            return _end(text, place, items)
        if mark != ",":
            raise refuse("invalid_json", f"expected ',' or ']' at character {place}")
        place = _skip_space(text, place + 1)


def _item_end(text: str, start: int) -> int:
    try:
        return _DECODER.raw_decode(text, start)[1]
    except RecursionError:
        raise refuse("too_deep", f"nested deeper than {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise refuse("invalid_json", f"not JSON: {error}") from None


def _end(text: str, place: int, items: list[bytes]) -> list[bytes]:
    if _skip_space(text, place + 1) != len(text):
        raise refuse("invalid_json", "text after the end of the array")
    return items


_SPACED_COLON = re.compile(rb'"[ \t\n\r]+:')
_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


def _skip_space(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place


def _may_repeat_keys(raw: bytes, written: bytes) -> bool:
    """Tell cheaply whether an object may hold a key twice, of which the parser kept the last.

    Every key ends in `":`, and no text that is written has one more of these than it had as it was read.
    """
    if _SPACED_COLON.search(raw):
        return True
    if b"\\u00" in raw and (b"\\u0022" in raw or b"\\u003a" in raw or b"\\u003A" in raw):
        return True
    return raw.count(b'":') != written.count(b'":')


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise refuse("invalid_json", f"the key {twice[:80]!r} is given twice", "keep one of the two")
    return made


def _check_depth(raw: bytes) -> None:
    """Refuse valid JSON that is nested too deep; walking through what it was parsed to takes fifty times as long."""
    brackets = _TEXT.sub(b"", raw).translate(_CURLY_AS_SQUARE, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        if not brackets:
            return
        brackets = brackets.replace(b"[]", b"")
    if brackets:
        raise refuse("too_deep", f"nested deeper than {MAX_DEPTH} levels")


def _exact_int(literal: str) -> int:
    if len(literal) > 20 or not _INT64_MIN <= int(literal) <= _UINT64_MAX:
        _inexact(literal)
    return int(literal)


def _exact_float(literal: str) -> float:
    value = float(literal)
    try:
        exact = Decimal(repr(value)) == Decimal(literal)
    except InvalidOperation:  # an exponent of more digits than Decimal takes
        exact = False
    if not exact:
        _inexact(literal)
    return value


def _inexact(literal: str) -> NoReturn:
    shown = literal if len(literal) <= 40 else literal[:37] + "..."
    raise refuse("number_not_exact", f"{shown} cannot be kept exactly as a number", "send it as a string")
