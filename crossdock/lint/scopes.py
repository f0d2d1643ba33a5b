"""What expressions see of events, and where in them stands what is wrong; for what checks expressions."""

from collections.abc import Generator, Iterable, Iterator
from typing import Any

from crossdock.kernel.content import Spot
from crossdock.kernel.jsonata_names import BUILT_IN
from crossdock.kernel.jsonata_tree import Node, UnreadableError, read
from crossdock.kernel.problems import Problem
from crossdock.lint.arguments import Tables
from crossdock.lint.compare import Finding
from crossdock.lint.infer import Scope
from crossdock.lint.shapes import Schema, Type, either, made, plain
from schemas.registry import Registry, major_of
from transforms.functions import functions
from transforms.lookups import Lookups
from transforms.lookupspec import Mapped

_ATTRIBUTES = ("id", "source", "specversion", "time", "subject", "dataschema", "datacontenttype", "partner",
               "businesskey")  # fmt: skip
KNOWN = frozenset({*BUILT_IN, *functions(Lookups({}), {}), "source"})


def inferred(spot: Spot, path: tuple[str, ...], scope: Scope) -> Generator[Problem, None, Type | None]:
    """Yield what is wrong with the expression at a path; return the type of what it makes, `None` for unknown."""
    text: Any = spot.value()
    for step in path:
        text = text[step]
    try:
        tree = read(text)
    except UnreadableError:
        return None
    known = scope.known | frozenset(_named(tree))
    scope = Scope(scope.root, dict(scope.names), scope.tables, known)
    result = scope.infer(tree, scope.root)
    yield from placed(spot, path, scope.findings)
    return result


def placed(spot: Spot, path: tuple[str, ...], findings: Iterable[Finding]) -> Iterator[Problem]:
    """Yield findings in the text at a path as problems."""
    for at, code, message, hint in findings:
        yield spot.document.inside((*spot.path, *path), at, code, message, hint)


def _named(tree: Node) -> Iterator[str]:
    """Yield every variable that an expression gives a value."""
    if tree.kind == "bind":
        yield tree.value
    if tree.kind in ("function", "name_step"):
        yield from (part.value for part in tree.parts if part.kind == "variable")
    for part in tree.parts:
        yield from _named(part)


def scope_of(data: Type | None, types: Iterable[str], tables: Tables | None = None) -> Scope:
    """Return what an expression sees of events of these types."""
    texts = {name: plain("text") for name in _ATTRIBUTES}
    event = made({**texts, "type": plain("text", texts=types)}, closed=False)
    return Scope(data, {"event": event}, tables or Tables(), KNOWN)


def data_of(registry: Registry, types: Iterable[tuple[str, str]]) -> Type | None:
    """Return what the data of events of these types and pinned versions, or majors, may be."""
    return either(
        schema_type(registry, name, version)
        for name, pin in types
        for version in registry.versions(name)
        if not pin or version == pin or str(major_of(version)) == pin
    )


def schema_type(registry: Registry, name: str, version: str) -> Type | None:
    """Return what the data of one version may be."""
    schema = registry.schema(name, version)
    return Schema(schema, schema).type()


def tables_of(piece: Mapped) -> Tables:
    """Return the tables that a map may look things up in."""
    return Tables(piece.mapping.lookups, piece.spot.value().get("codes", {}))
