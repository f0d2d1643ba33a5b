"""Reads a JSONata expression into a tree with places; `check` looks at it, evaluation is jsonatapy's.

jsonatapy shows neither its tree nor where a mistake is. Text that this reader cannot read is not looked at further.
"""

from collections.abc import Callable
from dataclasses import dataclass

from crossdock.kernel.jsonata_tokens import BINDS, Token, UnreadableError, binding, token

__all__ = ["Node", "UnreadableError", "joins", "read", "whole"]

MAX_DEPTH = 100
MAX_LEVELS = 150  # of the tree, in which `a + b + c` leans to the left; a walk of it takes four calls a level


@dataclass(frozen=True, slots=True)
class Node:
    """One part of an expression: what it is, where it stands (an offset), its name or sign, and its own parts.

    Pairs of an `object` and of a `group` follow each other in `parts`; a group has what it groups before them.
    """

    kind: str
    at: int
    value: str = ""
    parts: tuple["Node", ...] = ()


def read(text: str) -> Node:
    """Return the tree of an expression.

    Raises:
        UnreadableError: with the offset where reading stopped, or of what is nested too deep.
    """
    tree = whole(text)
    level = [tree]
    for _ in range(MAX_LEVELS):
        level = [part for node in level for part in node.parts]
        if not level:
            return tree
    raise UnreadableError("nested too deep", level[0].at)


def whole(text: str) -> Node:
    """Return the tree of an expression however deep it is, not to be walked by recursion; raises as `read` does."""
    return _Reader(text).tree()


def joins(text: str) -> list[tuple[int, int]]:
    """Return where the right side of each `&` stands, but of those that are literals; raises as `read` does."""
    reader = _Reader(text)
    reader.tree()
    return reader.joined


class _Reader:
    """A reader by operator precedence (Pratt 1973)."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._depth = 0
        self.joined: list[tuple[int, int]] = []
        self._next = token(text, 0, operand=True)

    def tree(self) -> Node:
        tree = self.expression(0)
        self.expect("end", "")
        return tree

    def expression(self, least: int) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise UnreadableError("nested too deep", self._next.at)
        left = self._operand()
        while binding(self._next) > least:
            left = self._infix(left)
        self._depth -= 1
        return left

    def expect(self, kind: str, value: str) -> Token:
        if not self._is(kind, value):
            wanted = "the end" if kind == "end" else repr(value)
            found = "it ends" if self._next.kind == "end" else f"{self._next.value!r} stands"
            raise UnreadableError(f"expected {wanted} where {found}", self._next.at)
        return self._advance(operand=False)

    def _is(self, kind: str, value: str) -> bool:
        return self._next.kind == kind and self._next.value == value

    def _advance(self, operand: bool) -> Token:
        taken, self._next = self._next, token(self._text, self._next.end, operand)
        return taken

    def _take(self, value: str, operand: bool = True) -> Token:
        """Take a sign; what follows most of them is an operand."""
        if not self._is("sign", value):
            self.expect("sign", value)
        return self._advance(operand)

    def _accept(self, value: str, operand: bool = True) -> bool:
        found = self._is("sign", value)
        if found:
            self._advance(operand)
        return found

    def _operand(self) -> Node:
        kind, value, at, _ = self._next
        if kind == "sign":
            return self._prefix(value, at)
        if kind == "end":
            raise UnreadableError("the expression ends where a value is due", at)
        self._advance(operand=False)
        if kind == "name" and value in ("true", "false", "null"):
            return Node("literal", at, value)
        if kind == "name" and value in ("function", "\u03bb") and self._is("sign", "("):
            return self._function(at)
        return Node(kind, at, value)

    def _prefix(self, sign: str, at: int) -> Node:
        if sign in ("*", "**", "%"):
            self._advance(operand=False)
            return Node({"*": "wildcard", "**": "descendants", "%": "parent"}[sign], at)
        if sign == "-":
            self._take("-")
            return Node("minus", at, "-", (self.expression(70),))
        if sign == "(":
            return Node("block", at, "", self._listed("(", ")", ";"))
        if sign == "[":
            return Node("array", at, "", self._listed("[", "]", ","))
        if sign == "{":
            return Node("object", at, "", self._pairs())
        if sign == "|":
            return self._change(at)
        raise UnreadableError(f"{sign!r} stands where a value is due", at)

    def _infix(self, left: Node) -> Node:
        sign = self._next.value
        special = _INFIX.get(sign)
        if special is not None:
            return special(self, left)
        at = self._advance(operand=True).at
        right = self.expression(BINDS[sign])
        if sign == "&" and right.kind not in ("text", "number"):
            self.joined.append((at + 1, self._next.at))
        kind = {".": "path", "~>": "apply", "?:": "default", "??": "default"}.get(sign, "binary")
        return Node(kind, at, sign, (left, right))

    def _listed(self, start: str, end: str, between: str) -> tuple[Node, ...]:
        self._take(start)
        parts: list[Node] = []
        while not self._is("sign", end):
            if between == "," and self._is("sign", "?"):  # an argument that is left open
                parts.append(Node("open", self._advance(operand=False).at))
            else:
                parts.append(self.expression(0))
            if not self._accept(between):
                break
        self.expect("sign", end)
        return tuple(parts)

    def _pairs(self) -> tuple[Node, ...]:
        self._take("{")
        parts: list[Node] = []
        while not self._is("sign", "}"):
            parts.append(self.expression(0))
            self._take(":")
            parts.append(self.expression(0))
            if not self._accept(","):
                break
        self.expect("sign", "}")
        return tuple(parts)

    def _function(self, at: int) -> Node:
        parameters = self._listed("(", ")", ",")
        if self._is("sign", "<"):
            self._signature()
        self._take("{")
        body = self.expression(0)
        self.expect("sign", "}")
        return Node("function", at, "", (*parameters, body))

    def _signature(self) -> None:
        depth = 0
        while self._next.kind != "end":
            value = self._advance(operand=False).value
            depth += (value == "<") - (value == ">")
            if depth == 0:
                return

    def _change(self, at: int) -> Node:
        self._take("|")
        parts = [self.expression(BINDS["?"])]
        self._take("|")
        parts.append(self.expression(BINDS["?"]))
        if self._accept(","):
            parts.append(self.expression(BINDS["?"]))
        self.expect("sign", "|")
        return Node("change", at, "", tuple(parts))

    def _call(self, left: Node) -> Node:
        return Node("call", left.at, "", (left, *self._listed("(", ")", ",")))

    def _filter(self, left: Node) -> Node:
        at = self._take("[").at
        if self._is("sign", "]"):
            self._advance(operand=False)
            return Node("keep", at, "", (left,))
        condition = self.expression(0)
        self.expect("sign", "]")
        return Node("filter", at, "", (left, condition))

    def _group(self, left: Node) -> Node:
        return Node("group", self._next.at, "", (left, *self._pairs()))

    def _sort(self, left: Node) -> Node:
        at = self._take("^").at
        self._take("(")
        terms: list[Node] = []
        while True:
            _ = self._accept("<") or self._accept(">")
            terms.append(self.expression(0))
            if not self._accept(","):
                break
        self.expect("sign", ")")
        return Node("sort", at, "", (left, *terms))

    def _condition(self, left: Node) -> Node:
        at = self._take("?").at
        parts = [left, self.expression(0)]
        if self._accept(":"):
            parts.append(self.expression(0))
        return Node("condition", at, "", tuple(parts))

    def _bind(self, left: Node) -> Node:
        if left.kind != "variable":
            raise UnreadableError("only a variable can be bound", left.at)
        self._take(":=")
        return Node("bind", left.at, left.value, (self.expression(9),))

    def _name(self, left: Node) -> Node:
        sign = self._advance(operand=False)
        variable = self.expression(BINDS["@"])
        return Node("name_step", sign.at, sign.value, (left, variable))


_INFIX: dict[str, Callable[[_Reader, Node], Node]] = {
    "(": _Reader._call, "[": _Reader._filter, "{": _Reader._group, "^": _Reader._sort, "?": _Reader._condition,
    ":=": _Reader._bind, "@": _Reader._name, "#": _Reader._name,
}  # fmt: skip
