"""Types of the expressions of transforms, routes and sources against the schemas of what they read and make."""

import csv
import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from crossdock.crosscheck import Parts
from crossdock.kernel.content import Spot, did_you_mean
from crossdock.kernel.jsonata_names import BUILT_IN
from crossdock.kernel.jsonata_tree import Node, UnreadableError, read
from crossdock.kernel.problems import Problem
from crossdock.lint.compare import Finding, scalars, spoken, texts_of
from crossdock.lint.infer import Scope
from crossdock.lint.shapes import Schema, Type, either, made, plain
from crossdock.lint.target import unfit
from crossdock.source import SourceSpec
from crossdock.targetforms import TargetForm
from routes.spec import Route
from schemas.registry import Registry, major_of
from transforms.functions import functions
from transforms.lookups import Lookups

Ends = tuple[str, int, str, int]
_KEY = frozenset({"text", "number"})
_ATTRIBUTES = ("id", "source", "specversion", "time", "subject", "dataschema", "datacontenttype", "partner",
               "businesskey")  # fmt: skip
_PATH = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*\Z")


def mistakes(root: Path, parts: Parts, forms: Mapping[str, TargetForm]) -> Iterator[Problem]:
    """Yield what expressions read, compare or make that never fits the schemas."""
    for transform in parts.transforms:
        ends = transform.from_type, transform.from_major, transform.to_type, transform.to_major
        scope = yield from _map(root, parts.registry, transform.spot, ends)
        yield from _key(transform.spot, ("business_key",), scope)
    for cast in parts.casts:
        yield from _map(root, parts.registry, cast.spot, (cast.type, cast.from_major, cast.type, cast.to_major))
    for form in forms.values():
        yield from _form(root, parts, form)
    for route in parts.routes:
        yield from _route(parts.registry, route)
    for source in parts.sources:
        yield from _source(parts.registry, source)


def _map(root: Path, registry: Registry, spot: Spot, ends: Ends) -> Generator[Problem, None, Scope]:
    from_type, from_major, to_type, to_major = ends
    lookups = dict(_rows(root, spot.value().get("lookups", {})))
    scope = _scope(_data(registry, [(from_type, str(from_major))]), [from_type], lookups)
    result = yield from _inferred(spot, ("map",), scope)
    fitting = [version for version in registry.versions(to_type) if major_of(version) == to_major]
    if fitting:
        yield from _placed(spot, ("map",), unfit(result, _schema(registry, to_type, fitting[-1])))
    return scope


def _form(root: Path, parts: Parts, form: TargetForm) -> Iterator[Problem]:
    """Check a form against what the routes that name it give it, and against the schema of the target."""
    routes = [route for route in parts.routes if route.map == form.name]
    types = {(type_, str(route.majors.get(type_, ""))) for route in routes for type_ in route.types}
    lookups = dict(_rows(root, form.spot.value().get("lookups", {})))
    scope = _scope(_data(parts.registry, sorted(types)), [name for name, _ in types], lookups)
    result = yield from _inferred(form.spot, ("map",), scope)
    if form.schema is not None:
        yield from _placed(form.spot, ("map",), unfit(result, Schema(form.schema, form.schema).type()))


def _route(registry: Registry, route: Route) -> Iterator[Problem]:
    types = [name.partition("@")[::2] for name in route.types]
    scope = _scope(_data(registry, types), [name for name, _ in types])
    if route.when is not None:
        given = yield from _inferred(route.spot, ("when",), scope)
        kinds = scalars(given)
        if kinds and "truth value" not in kinds:
            message = f"it is {spoken(kinds)}, and only true or false decide"
            yield route.spot.problem(("when",), "when_not_boolean", message, "compare, or use $exists()")
    if route.order_by is not None:
        yield from _key(route.spot, ("order_by",), scope)


def _source(registry: Registry, source: SourceSpec) -> Iterator[Problem]:
    data = _data(registry, source.types)
    if source.dedupe_key is not None:
        yield from _key(source.spot, ("dedupe", "key"), _scope(data, [name for name, _ in source.types]))
    texts = made({}, closed=False)
    for key in source.event:
        body = None if key == "each" else data  # which is an item of it, where there are many
        request = made({"headers": texts, "query": texts, "body": body})
        yield from _typed(source, key, Scope(request, {}, known=_KNOWN))


def _typed(source: SourceSpec, key: str, scope: Scope) -> Iterator[Problem]:
    text = source.event[key].text
    if key == "type" and _PATH.match(text) and text.partition(".")[0] not in ("body", "headers", "query"):
        hint = f"a fixed type is a text in quotes: type: '\"{text}\"'"
        message = f"{text} reads a field of the request"
        yield source.spot.problem(("event", "type"), "unknown_field", message, hint)
        return
    found = yield from _inferred(source.spot, ("event", key), scope)
    names = {name for name, _ in source.types}
    for wrong in sorted((texts_of(found) or names) - names) if key == "type" else ():
        message, hint = f"{wrong!r} is none of the types of this source", did_you_mean(wrong, names)
        yield source.spot.problem(("event", "type"), "impossible_value", message, hint)


def _key(spot: Spot, path: tuple[str, ...], scope: Scope) -> Iterator[Problem]:
    """Check an expression that must give a text or a whole number."""
    if path[-1] not in (spot.value() if len(path) == 1 else spot.value()[path[0]]):
        return
    kinds = scalars((yield from _inferred(spot, path, scope)))
    if kinds and not kinds & _KEY:
        yield spot.problem(path, "type_mismatch", f"it is {spoken(kinds)}", "a key is a text or a whole number")


def _inferred(spot: Spot, path: tuple[str, ...], scope: Scope) -> Generator[Problem, None, Type | None]:
    text: Any = spot.value()
    for step in path:
        text = text[step]
    try:
        tree = read(text)
    except UnreadableError:
        return None
    known = scope.known | frozenset(_named(tree))
    scope = Scope(scope.root, dict(scope.names), scope.lookups, known)
    result = scope.infer(tree, scope.root)
    yield from _placed(spot, path, scope.findings)
    return result


def _placed(spot: Spot, path: tuple[str, ...], findings: Iterable[Finding]) -> Iterator[Problem]:
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


_KNOWN = frozenset({*BUILT_IN, *functions(Lookups({}), {}), "source"})


def _scope(data: Type | None, types: Iterable[str], lookups: Mapping[str, Type | None] | None = None) -> Scope:
    texts = {name: plain("text") for name in _ATTRIBUTES}
    event = made({**texts, "type": plain("text", texts=types)}, closed=False)
    return Scope(data, {"event": event}, lookups or {}, _KNOWN)


def _data(registry: Registry, types: Iterable[tuple[str, str]]) -> Type | None:
    """Return what the data of events of these types and pinned versions, or majors, may be."""
    return either(
        _schema(registry, name, version)
        for name, pin in types
        for version in registry.versions(name)
        if not pin or version == pin or str(major_of(version)) == pin
    )


def _schema(registry: Registry, name: str, version: str) -> Type | None:
    schema = registry.schema(name, version)
    return Schema(schema, schema).type()


def _rows(root: Path, lookups: Mapping[str, Any]) -> Iterator[tuple[str, Type | None]]:
    """Yield the columns of the lookups that are CSV files."""
    for name, given in lookups.items():
        file = given if isinstance(given, str) else given.get("csv") if isinstance(given, dict) else None
        if isinstance(file, str):
            with (root / "transforms" / file).open(encoding="utf-8-sig", newline="") as opened:
                header = next(csv.reader(opened), [])
            yield name, made({column: plain("text") for column in header})
