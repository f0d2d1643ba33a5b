"""What signs between two values ask of them: kinds that fit, and texts that a schema lists."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from crossdock.kernel.jsonata_tree import Node
from crossdock.kernel.nearest import did_you_mean
from crossdock.lint.shapes import SCALARS, Type, elements

COMPUTED = {"+", "-", "*", "/", "%"}
COMPARED = {"=", "!=", "<", "<=", ">", ">=", "in"}


class Finding(NamedTuple):
    """Something wrong at an offset of an expression."""

    at: int
    code: str
    message: str
    hint: str = ""


def uncomputable(node: Node, operand: Type | None, which: int) -> Iterator[Finding]:
    """Say when an operand of arithmetic is no number."""
    kinds = scalars(operand)
    if kinds and "number" not in kinds and kinds <= SCALARS:
        hint = "$number() makes a number of a text, $decmul() and its like compute with money exactly"
        message = f"`{node.value}` needs numbers, this is {spoken(kinds)}"
        yield Finding(node.parts[which].at, "type_mismatch", message, hint)


def incomparable(node: Node, left: Type | None, right: Type | None) -> Iterator[Finding]:
    """Say when two sides can never be equal, or be put in an order."""
    one, two = scalars(left), scalars(right)
    if one and two and not one & two and one | two <= SCALARS:
        hint = "$number() makes a number of a text, $string() the other way"
        message = f"{spoken(one)} is compared with {spoken(two)}, which never fits"
        yield Finding(node.at, "type_mismatch", message, hint)
    elif node.value in ("=", "!=", "in"):
        yield from _unlisted(left, node.parts[1])
        yield from _unlisted(right, node.parts[0])


def _unlisted(other: Type | None, written: Node) -> Iterator[Finding]:
    """Name each text written here that is none of those that a schema lists."""
    allowed = texts_of(other)
    for text in written.parts if written.kind == "array" else [written]:
        if allowed is not None and text.kind == "text" and text.value not in allowed:
            hint = did_you_mean(text.value, allowed)
            yield Finding(text.at, "impossible_value", f"it is never {text.value!r}", hint)


def texts_of(type_: Type | None) -> frozenset[str] | None:
    """Return the texts that a value may be, where all of them are known."""
    inner = elements(type_)
    if inner is None or not inner.shapes or any(shape.texts is None for shape in inner.shapes):
        return None
    return frozenset(text for shape in inner.shapes for text in shape.texts or ())


def scalars(type_: Type | None) -> frozenset[str]:
    """Return the kinds a value may have but null, those of the items for a list; none where that is not known."""
    inner = elements(type_)
    if inner is None or not all(shape.kinds for shape in inner.shapes):
        return frozenset()
    return frozenset(kind for shape in inner.shapes for kind in shape.kinds) - {"null"}


def spoken(kinds: Iterable[str]) -> str:
    """Return kinds as a sentence has them."""
    return " or ".join(sorted(kinds))
