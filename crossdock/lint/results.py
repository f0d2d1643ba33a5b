"""What the functions of expressions give, as far as it is the same whatever they get."""

from collections.abc import Sequence

from crossdock.kernel.jsonata_tree import Node
from crossdock.lint.arguments import Tables
from crossdock.lint.shapes import Shape, Type, either

_NUMBERS = {"abs", "average", "ceil", "count", "deccmp", "floor", "length", "max", "millis", "min", "number",
            "parseInteger", "power", "random", "round", "sqrt", "sum", "toMillis"}  # fmt: skip
_TEXTS = {"base64decode", "base64encode", "decmax", "decmin", "formatBase", "formatInteger", "formatNumber",
          "fromMillis", "join", "lowercase", "now", "pad", "replace", "string", "substring", "substringAfter",
          "substringBefore", "trim", "type", "uppercase"}  # fmt: skip
_ALWAYS_TEXTS = {"business_day", "decabs", "decadd", "decdiv", "decmul", "decneg", "decround", "decsub", "decsum",
                 "gln", "gs1_check_digit", "gtin", "instant", "local_time", "parse_date", "sha256", "sscc", "units",
                 "uuid5"}  # fmt: skip
_TRUTHS = {"boolean", "contains", "exists", "gtin_ok", "not"}
_KINDS = ((_NUMBERS, "number", True), (_TEXTS, "text", True), (_TRUTHS, "truth value", False),
          (_ALWAYS_TEXTS, "text", False))  # fmt: skip


def result(tables: Tables, name: str, nodes: Sequence[Node], types: Sequence[Type | None]) -> Type | None:
    """Return what a function gives, of these arguments; nothing where that depends on what comes in."""
    if name in ("lookup", "code") and nodes and nodes[0].kind == "text":
        if name == "lookup":
            return tables.row(nodes[0].value)
        listed, otherwise = tables.code(nodes[0].value), types[2:]
        return either([listed, *otherwise]) if otherwise else listed
    for names, kind, absent in _KINDS:
        if name in names:
            return Type((Shape(frozenset({kind})),), absent=absent)
    return None
