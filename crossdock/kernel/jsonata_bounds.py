"""Bounds of memory for expressions that may explode; JSONata itself bounds only their time and depth."""

import math
import re
from collections import Counter
from collections.abc import Iterator

from crossdock.kernel.jsonata_tree import UnreadableError, joins

MOST_COPIES = 10_000
_TEXT = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|/\*.*?\*/|`[^`]*`""", re.S)
_CALL = re.compile(r"\$([A-Za-z_]\w*)\s*\(")
_BOUND = re.compile(r"\$([A-Za-z_]\w*)\s*:=")
_NAME = re.compile(r"\$([A-Za-z_]\w*)")
_FUNCTION = re.compile(r"(?:function|\u03bb)\s*\(([^)]*)\)\s*(?:<[^{]*>)?\s*\{")

# Values that JSONata shares are copied when they leave it, which nothing bounds: a few lines make 2^40 objects of one.
# Walking through them in JSONata ends with the time it has; it costs 1 us a value.
_MEASURED = """($crossdock_short := function($v) {
  $type($v) = "string" and $length($v) > 1000000 ? $error("a text in it is too long") : $v
}; $crossdock_value := (%s
); $crossdock_size := function($v) {
  $type($v) = "object" ? 1 + $sum([$each($v, $crossdock_size)])
  : $type($v) = "array" ? 1 + $sum([$map($v, $crossdock_size)])
  : $type($v) = "string" ? 1 + $length($v) / 64 : 1
}; $crossdock_size($crossdock_value) > 300000 ? $error("its value is too big") : $crossdock_value)"""


def bounded(text: str) -> str:
    """Return the expression with bounds on its value and on the texts that `&` appends: none can be doubled forever."""
    try:
        spans = joins(text)
    except UnreadableError:
        spans = []
    marks = [(start, "$crossdock_short(") for start, _ in spans] + [(end, ")") for _, end in spans]
    for at, mark in sorted(marks, reverse=True):
        text = text[:at] + mark + text[at:]
    return _MEASURED % text


def may_explode(text: str) -> bool:
    """Tell whether a short input may become a value beyond all bounds: by ranges, folds, recursion, or many copies."""
    code = _TEXT.sub(" ", text)
    if re.search(r"\.\.|\b(reduce|eval)\b", code):
        return True
    bound = Counter(_BOUND.findall(code))
    given = Counter(name for parameters, _ in _functions(code) for name in _NAME.findall(parameters))
    return _copies(code, bound + given) > math.log(MOST_COPIES) or any(
        bound.keys() & set(_NAME.findall(body)) or set(_CALL.findall(body)) & set(_NAME.findall(parameters))
        for parameters, body in _functions(code)
    )


def _copies(code: str, bound: Counter[str]) -> float:
    """Return the logarithm of how often a value may have another one in it, from how often names stand for one.

    Where m places take what k bindings name, (m/k)^k copies are the most; of m places that take the context, e^(m/e).
    """
    taken = Counter(re.findall(r"\$\$?(\w*)|%", code))
    each = (k * math.log(max(1.0, (taken[name] - k) / k)) for name, k in bound.items())
    return taken[""] / math.e + sum(each)


def _functions(code: str) -> Iterator[tuple[str, str]]:
    """Yield the parameters and the body of each function that the code defines."""
    for found in _FUNCTION.finditer(code):
        depth, end = 1, found.end()
        while depth and end < len(code):
            depth += {"{": 1, "}": -1}.get(code[end], 0)
            end += 1
        yield found[1], code[found.end() : end]
