"""Which functions an expression calls, and which of them nobody defines, which JSONata finds out only when it runs."""

import difflib
import math
import re
from collections import Counter
from collections.abc import Collection, Iterator

from crossdock.kernel.jsonata_tree import Node, whole

BUILT_IN = frozenset({
    "abs", "append", "assert", "average", "base64decode", "base64encode", "boolean", "ceil", "clone",
    "contains", "count", "decodeUrl", "decodeUrlComponent", "distinct", "each", "encodeUrl",
    "encodeUrlComponent", "error", "eval", "exists", "filter", "floor", "formatBase", "formatInteger",
    "formatNumber", "fromMillis", "join", "keys", "length", "lookup", "lowercase", "map", "match", "max",
    "merge", "millis", "min", "not", "now", "number", "pad", "parseInteger", "power", "random", "reduce",
    "replace", "reverse", "round", "shuffle", "sift", "single", "sort", "split", "spread", "sqrt", "string",
    "substring", "substringAfter", "substringBefore", "sum", "toMillis", "trim", "type", "uppercase", "zip",
})  # fmt: skip
MOST_COPIES = 10_000
_TEXT = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|/\*.*?\*/|`[^`]*`""", re.S)
_CALL = re.compile(r"\$([A-Za-z_]\w*)\s*\(")
_BOUND = re.compile(r"\$([A-Za-z_]\w*)\s*:=")
_NAME = re.compile(r"\$([A-Za-z_]\w*)")
_FUNCTION = re.compile(r"(?:function|\u03bb)\s*\(([^)]*)\)\s*(?:<[^{]*>)?\s*\{")
_PARAMETERS = re.compile(r"(?:function|\u03bb)\s*\(([^)]*)\)")


def unknown_calls(text: str, functions: Collection[str]) -> list[tuple[str, str]]:
    """Return each called name that is neither built in, ours nor bound in the text, with the nearest known one."""
    code = _TEXT.sub(" ", text)
    bound = {*_BOUND.findall(code), *re.findall(r"\$(\w+)", " ".join(_PARAMETERS.findall(code)))}
    known = {*BUILT_IN, *functions, *bound}
    unknown = [name for name in dict.fromkeys(_CALL.findall(code)) if name not in known]
    return [(name, next(iter(difflib.get_close_matches(name, known, 1)), "")) for name in unknown]


def calls(text: str) -> Iterator[Node]:
    """Yield the calls of an expression, each with the called function before what it is given, also by `~>`.

    Raises:
        UnreadableError: with the offset where reading stopped.
    """
    nodes = [whole(text)]
    while nodes:
        node = nodes.pop()
        parts = node.parts
        if node.kind == "apply" and parts[1].kind == "call":
            given, call = parts
            parts = (given, *call.parts)
            yield Node("call", call.at, "", (call.parts[0], given, *call.parts[1:]))
        elif node.kind == "call":
            yield node
        nodes += reversed(parts)


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
