"""Which functions an expression calls, and which of them nobody defines, which JSONata finds out only when it runs."""

import difflib
import re
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
_TEXT = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|/\*.*?\*/|`[^`]*`""", re.S)
_CALL = re.compile(r"\$([A-Za-z_]\w*)\s*\(")
_BOUND = re.compile(r"\$([A-Za-z_]\w*)\s*:=")
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
