"""Says in words which part of a condition failed and what its values were; called by `explain`."""

import json
import re
from collections.abc import Iterator
from typing import Any

from crossdock.kernel.expression import Expression, View
from crossdock.kernel.problems import Refused

_MAX_SHOWN = 120
_TOKEN = re.compile(
    r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`|[\[({]|[\])}]|:=|!=|<=|>=|[=<>?;]|\w+|\s+|.', re.DOTALL
)
_COMPARISONS = {"=", "!=", "<", ">", "<=", ">=", "in"}
# What binds weaker than `and`, or gives names a meaning outside the part: then the whole is one part.
_INDIVISIBLE = {"or", "?", ":=", ";"}


def reason(condition: Expression, seen: View) -> tuple[str, str, Any]:
    """Return why a condition is false: in words, its first part that is not true, and the value left in it."""
    for part in _parts(condition.text):
        if _value(part, seen) is not True:
            left = _left(part)
            value = _value(left, seen) if left else None
            return f"{part} does not hold" + (f": {left} is {_shown(value)}" if left else ""), part, value
    return f"{condition.text} does not hold", condition.text, None


def _parts(text: str) -> list[str]:
    if not _divisible(text):
        return [text]
    cuts = [(start, end) for token, start, end in _top_level(text) if token == "and" and text[:start].strip()]
    bounds = zip([0, *(end for _, end in cuts)], [*(start for start, _ in cuts), len(text)], strict=True)
    return [text[start:end].strip() for start, end in bounds]


def _divisible(text: str) -> bool:
    return not any(token in _INDIVISIBLE for token, _, _ in _top_level(text))


def _left(part: str) -> str:
    """Return what stands left of the sign of a comparison."""
    for token, start, _ in _top_level(part) if _divisible(part) else ():
        if token in _COMPARISONS and part[:start].strip():
            return part[:start].strip()
    return ""


def _top_level(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield the words and signs outside of brackets and strings with their start and end."""
    depth = 0
    for found in _TOKEN.finditer(text):
        token = found[0]
        depth += (token in "[({") - (token in "])}")
        if depth == 0 and not token.isspace():
            yield token, found.start(), found.end()


def _value(text: str, seen: View) -> Any:
    try:
        return Expression(text).evaluate(seen)
    except Refused:
        return None


def _shown(value: Any) -> str:
    if value is None:
        return "missing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + "..."
