"""Finds what an expression reads that is not there, and what it compares that never fits; sure or silent."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from crossdock.kernel.jsonata_tree import Node
from crossdock.kernel.nearest import did_you_mean, near
from crossdock.lint.arguments import Tables, misused
from crossdock.lint.compare import COMPARED, COMPUTED, Finding, incomparable, uncomputable
from crossdock.lint.results import result
from crossdock.lint.shapes import Gap, Shape, Type, either, elements, has_many, has_several, made, plain

_EMPTY = Gap("empty_list", "an empty list gives nothing, and the schema requires a list", "put [ and ] around it")
_VERY = 0.85  # how like a declared field another is that was hardly meant
_EACH = {"filter", "map", "single"}  # which give their function one element after the other


@dataclass
class Scope:
    """What an expression sees: its data, the named values, lookups and code lists; and what was found so far.

    `known` are the variables that are named anywhere in it, and all functions.
    """

    root: Type | None
    names: dict[str, Type | None]
    tables: Tables = field(default_factory=Tables)
    known: frozenset[str] = frozenset()
    findings: list[Finding] = field(default_factory=list)

    def infer(self, node: Node, here: Type | None) -> Type | None:
        """Return what a part yields; adds what is wrong in it."""
        rule = _RULES.get(node.kind)
        return rule(self, node, here) if rule else None

    def each(self, nodes: Iterable[Node], here: Type | None) -> list[Type | None]:
        """Infer parts that all see the same."""
        return [self.infer(node, here) for node in nodes]

    def below(self, **more: Type | None) -> "Scope":
        """Return the scope of a block or function body, which can name values of its own."""
        return Scope(self.root, {**self.names, **more}, self.tables, self.known, self.findings)

    def found(self, at: int, code: str, message: str, hint: str = "") -> None:
        """Add a finding."""
        self.findings.append(Finding(at, code, message, hint))


def read_field(scope: Scope, node: Node, here: Type | None) -> Type | None:
    """Return what a field is; says so if nothing here has it."""
    stepped = elements(here)
    if here is None or stepped is None or not stepped.shapes:
        return None
    having = [shape for shape in stepped.shapes if node.value in shape.members]
    if having:
        found = either(shape.members[node.value]() for shape in having)
        always = len(having) == len(stepped.shapes) and all(node.value in shape.required for shape in having)
        if found is None:
            return None
        absent = not always or here.absent or found.absent
        several = found.several or has_several(here)
        return Type(found.shapes, found.many or has_many(here), absent, several, _lacked(node.value, having))
    if objects := [shape for shape in stepped.shapes if not shape.kinds or "object" in shape.kinds]:
        _missing(scope, node, objects)
    elif all(shape.kinds for shape in stepped.shapes):
        kind = " or ".join(sorted({kind for shape in stepped.shapes for kind in shape.kinds}))
        scope.found(node.at, "unknown_field", f"{node.value!r} is read of {kind}, which has no fields")
    return None


def _lacked(name: str, shapes: Iterable[Shape]) -> Gap | None:
    if not any(name in shape.lacking for shape in shapes):
        return None
    message = f"the default row of the lookup has no {name!r}, and the schema requires the field"
    return Gap("missing_column", message, f"add {name!r} to the default row")


def _missing(scope: Scope, node: Node, shapes: Sequence[Shape]) -> None:
    known = sorted({name for shape in shapes for name in shape.members})
    if not any(shape.open for shape in shapes):
        scope.found(node.at, "unknown_field", f"there is no field {node.value!r} here", did_you_mean(node.value, known))
    elif similar := near(node.value, known, _VERY):
        message = f"the schema does not name the field {node.value!r}, though it lets others through"
        hint = f"did you mean {' or '.join(similar)}? If not, add it to the schema"
        scope.found(node.at, "undeclared_field", message, hint)


def _path(scope: Scope, node: Node, here: Type | None) -> Type | None:
    left, right = node.parts
    base = scope.infer(left, here)
    named = right.kind in ("name", "text")
    got = read_field(scope, right, base) if named else scope.infer(right, elements(base))
    if got is None:
        return None
    if base is None:  # of which there may be one
        base = Type((), many=True, absent=True)
    absent, gap = got.absent or base.absent, base.gap or got.gap
    if not named and any("array" in shape.kinds and not shape.least for shape in base.shapes):
        gap = gap or _EMPTY
    if not _keeps(node):
        return Type(got.shapes, got.many or has_many(base), absent, got.several or has_several(base), gap)
    inner = elements(got)
    return Type((Shape(frozenset({"array"}), items=lambda: inner),), absent=absent, gap=gap)


def _keeps(node: Node) -> bool:
    """Tell whether `[]` stands behind a step, which makes a list of the whole path."""
    steps = node.parts if node.kind == "path" else node.parts[:1] if node.kind in ("filter", "sort") else ()
    return node.kind == "keep" or any(_keeps(step) for step in steps)


def _first(scope: Scope, node: Node, here: Type | None) -> Type | None:
    base = scope.infer(node.parts[0], here)
    inner = elements(base)
    scope.each(node.parts[1:], inner)
    if node.kind != "filter" or base is None or inner is None:
        return None
    single = node.parts[1].kind in ("number", "minus")
    return Type(inner.shapes, not single and has_many(base), absent=True)


def _keep(scope: Scope, node: Node, here: Type | None) -> Type | None:
    base = scope.infer(node.parts[0], here)
    inner = elements(base)
    absent, gap = base is None or base.absent, base.gap if base else None
    return Type((Shape(frozenset({"array"}), items=lambda: inner),), absent=absent, gap=gap)


def _array(scope: Scope, node: Node, here: Type | None) -> Type | None:
    inner = elements(either(scope.each(node.parts, here)))
    return Type((Shape(frozenset({"array"}), items=lambda: inner),))


def _object(scope: Scope, node: Node, here: Type | None) -> Type | None:
    keys, values = node.parts[::2], node.parts[1::2]
    scope.each((key for key in keys if key.kind != "text"), here)
    pairs = [pair for pair in zip(keys, scope.each(values, here), strict=True) if pair[0].kind == "text"]
    members = {key.value: type_ for key, type_ in pairs}
    return made(members, len(pairs) == len(keys), node.at, {key.value: key.at for key, _ in pairs})


def _block(scope: Scope, node: Node, here: Type | None) -> Type | None:
    results = scope.below().each(node.parts, here)
    return results[-1] if results else Type((), absent=True)


def _bind(scope: Scope, node: Node, here: Type | None) -> Type | None:
    scope.names[node.value] = None  # a function may call itself
    scope.names[node.value] = scope.infer(node.parts[0], here)
    return scope.names[node.value]


def _condition(scope: Scope, node: Node, here: Type | None) -> Type | None:
    scope.infer(node.parts[0], here)
    branches = scope.each(node.parts[1:], here)
    return either([*branches, Type((), absent=True)] if len(branches) == 1 else branches)


def _default(scope: Scope, node: Node, here: Type | None) -> Type | None:
    left, right = scope.each(node.parts, here)
    both = either([left, right])
    return Type(both.shapes, both.many, right.absent, both.several) if both and right else None


def _variable(scope: Scope, node: Node, here: Type | None) -> Type | None:
    if node.value in ("", "$"):
        return here if node.value == "" else scope.root
    if node.value not in scope.known and node.value not in scope.names:
        hint = did_you_mean(node.value, {*scope.names, *scope.known})
        scope.found(node.at, "unknown_variable", f"${node.value} is not known", hint)
    return scope.names.get(node.value)


def _function(scope: Scope, node: Node, here: Type | None) -> Type | None:
    scope.below(**{name.value: None for name in node.parts[:-1]}).infer(node.parts[-1], here)
    return None


def _call(scope: Scope, node: Node, here: Type | None) -> Type | None:
    called, *arguments = node.parts
    name = called.value if called.kind == "variable" and called.value not in scope.names else ""
    if name in _EACH and len(arguments) == 2 and arguments[1].kind == "function" and len(arguments[1].parts) > 1:
        given, body = arguments[1].parts, elements(scope.infer(arguments[0], here))
        bound: dict[str, Type | None] = {one.value: None for one in given[:-1]}
        one = scope.below(**{**bound, given[0].value: body}).infer(given[-1], here)
        return Type(one.shapes, many=True, absent=True) if name == "map" and one else None
    types = scope.each(arguments if name else [called, *arguments], here)
    if name in scope.tables.functions:
        scope.findings += misused(scope.tables, node, types)
    return result(scope.tables, name, arguments, types)


def _binary(scope: Scope, node: Node, here: Type | None) -> Type | None:
    left, right = scope.each(node.parts, here)
    if node.value in COMPUTED:
        scope.findings += [*uncomputable(node, left, 0), *uncomputable(node, right, 1)]
        return plain("number")
    if node.value in COMPARED:
        scope.findings += incomparable(node, left, right)
        return plain("truth value")
    return plain("text") if node.value == "&" else plain("truth value") if node.value in ("and", "or") else None


def _literal(scope: Scope, node: Node, here: Type | None) -> Type | None:
    if node.kind == "text":
        return plain("text", texts=[node.value])
    return plain("number" if node.kind in ("number", "minus") else "null" if node.value == "null" else "truth value")


def _minus(scope: Scope, node: Node, here: Type | None) -> Type | None:
    scope.each(node.parts, here)
    return plain("number")


def _unknown(scope: Scope, node: Node, here: Type | None) -> Type | None:
    scope.each(node.parts[:1], here)  # what follows may see something else
    return None


_RULES: dict[str, Callable[[Scope, Node, Type | None], Type | None]] = {
    "name": read_field, "path": _path, "filter": _first, "sort": _first, "group": _first, "keep": _keep,
    "array": _array, "object": _object, "block": _block, "bind": _bind, "condition": _condition,
    "default": _default, "variable": _variable, "function": _function, "call": _call, "binary": _binary,
    "text": _literal, "number": _literal, "literal": _literal, "minus": _minus, "apply": _unknown,
    "change": _unknown, "name_step": _unknown,
}  # fmt: skip
