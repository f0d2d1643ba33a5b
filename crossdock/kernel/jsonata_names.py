"""Which functions an expression calls, and which of them nobody defines, which JSONata finds out only when it runs."""

import difflib
from collections.abc import Collection, Iterator

from crossdock.kernel.jsonata_tree import Node, UnreadableError, whole

BUILT_IN = frozenset({
    "abs", "append", "assert", "average", "base64decode", "base64encode", "boolean", "ceil", "clone",
    "contains", "count", "decodeUrl", "decodeUrlComponent", "distinct", "each", "encodeUrl",
    "encodeUrlComponent", "error", "eval", "exists", "filter", "floor", "formatBase", "formatInteger",
    "formatNumber", "fromMillis", "join", "keys", "length", "lookup", "lowercase", "map", "match", "max",
    "merge", "millis", "min", "not", "now", "number", "pad", "parseInteger", "power", "random", "reduce",
    "replace", "reverse", "round", "shuffle", "sift", "single", "sort", "split", "spread", "sqrt", "string",
    "substring", "substringAfter", "substringBefore", "sum", "toMillis", "trim", "type", "uppercase", "zip",
})  # fmt: skip


def unknown_calls(text: str, functions: Collection[str]) -> list[tuple[str, str]]:
    """Return each called name that is neither built in, ours nor bound in the text, with the nearest known one."""
    if "$" not in text:
        return []
    try:
        nodes = [whole(text)]
    except UnreadableError:  # which is told where it is compiled
        return []
    known, called = {*BUILT_IN, *functions}, dict[str, None]()
    for node in nodes:  # which grows as it goes
        nodes += node.parts
        if node.kind == "bind":
            known.add(node.value)
        elif node.kind in ("function", "name_step"):
            known.update(part.value for part in node.parts if part.kind == "variable")
        function = node.parts[0] if node.kind == "call" else node.parts[1] if node.kind == "apply" else node
        if function is not node and function.kind == "variable":
            called[function.value] = None
    unknown = [name for name in called if name not in known]
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
