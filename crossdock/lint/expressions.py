"""Types of the expressions of transforms, routes and sources against the schemas of what they read and make."""

import re
from collections.abc import Generator, Iterator, Mapping

from crossdock.crosscheck import Parts
from crossdock.kernel.content import Spot, did_you_mean
from crossdock.kernel.problems import Problem
from crossdock.lint.arguments import columns_of
from crossdock.lint.compare import scalars, spoken, texts_of
from crossdock.lint.infer import Scope
from crossdock.lint.scopes import KNOWN, data_of, inferred, placed, schema_type, scope_of, tables_of
from crossdock.lint.shapes import Schema, made
from crossdock.lint.target import unfit
from crossdock.source import SourceSpec
from crossdock.targetforms import TargetForm
from routes.spec import Route
from schemas.registry import Registry, major_of
from transforms.lookups import DEFAULT
from transforms.lookupspec import Mapped

Ends = tuple[str, int, str, int]
_KEY = frozenset({"text", "number"})
_PATH = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*\Z")


def mistakes(parts: Parts, forms: Mapping[str, TargetForm]) -> Iterator[Problem]:
    """Yield what expressions read, compare or make that never fits the schemas."""
    for transform in parts.transforms:
        ends = transform.from_type, transform.from_major, transform.to_type, transform.to_major
        scope = yield from _map(parts.registry, transform, ends)
        yield from _key(transform.spot, ("business_key",), scope)
    for cast in parts.casts:
        yield from _map(parts.registry, cast, (cast.type, cast.from_major, cast.type, cast.to_major))
    for form in forms.values():
        yield from _form(parts, form)
    for route in parts.routes:
        yield from _route(parts.registry, route)
    for source in parts.sources:
        yield from _source(parts.registry, source)


def _map(registry: Registry, piece: Mapped, ends: Ends) -> Generator[Problem, None, Scope]:
    from_type, from_major, to_type, to_major = ends
    spot = piece.spot
    yield from _default_rows(piece)
    scope = scope_of(data_of(registry, [(from_type, str(from_major))]), [from_type], tables_of(piece))
    result = yield from inferred(spot, ("map",), scope)
    fitting = [version for version in registry.versions(to_type) if major_of(version) == to_major]
    if fitting:
        yield from placed(spot, ("map",), unfit(result, schema_type(registry, to_type, fitting[-1])))
    return scope


def _form(parts: Parts, form: TargetForm) -> Iterator[Problem]:
    """Check a form against what the routes that name it give it, and against the schema of the target."""
    routes = [route for route in parts.routes if route.map == form.name]
    types = {(type_, str(route.majors.get(type_, ""))) for route in routes for type_ in route.types}
    yield from _default_rows(form)
    scope = scope_of(data_of(parts.registry, sorted(types)), [name for name, _ in types], tables_of(form))
    result = yield from inferred(form.spot, ("map",), scope)
    if form.schema is not None:
        yield from placed(form.spot, ("map",), unfit(result, Schema(form.schema, form.schema).type()))


def _route(registry: Registry, route: Route) -> Iterator[Problem]:
    types = [name.partition("@")[::2] for name in route.types]
    scope = scope_of(data_of(registry, types), [name for name, _ in types])
    if route.when is not None:
        given = yield from inferred(route.spot, ("when",), scope)
        kinds = scalars(given)
        if kinds and "truth value" not in kinds:
            message = f"it is {spoken(kinds)}, and only true or false decide"
            yield route.spot.problem(("when",), "when_not_boolean", message, "compare, or use $exists()")
    if route.order_by is not None:
        yield from _key(route.spot, ("order_by",), scope)
    if route.after is not None:
        place = ("after",) if isinstance(route.spot.value()["after"], str) else ("after", "key")
        yield from inferred(route.spot, place, scope)


def _source(registry: Registry, source: SourceSpec) -> Iterator[Problem]:
    data = data_of(registry, source.types)
    if source.dedupe_key is not None:
        yield from _key(source.spot, ("dedupe", "key"), scope_of(data, [name for name, _ in source.types]))
    texts = made({}, closed=False)
    for key in source.event:
        body = None if key == "each" else data  # which is an item of it, where there are many
        request = made({"headers": texts, "query": texts, "body": body})
        yield from _typed(source, key, Scope(request, {}, known=KNOWN))


def _typed(source: SourceSpec, key: str, scope: Scope) -> Iterator[Problem]:
    text = source.event[key].text
    if key == "type" and _PATH.match(text) and text.partition(".")[0] not in ("body", "headers", "query"):
        hint = f"a fixed type is a text in quotes: type: '\"{text}\"'"
        message = f"{text} reads a field of the request"
        yield source.spot.problem(("event", "type"), "unknown_field", message, hint)
        return
    found = yield from inferred(source.spot, ("event", key), scope)
    names = {name for name, _ in source.types}
    for wrong in sorted((texts_of(found) or names) - names) if key == "type" else ():
        message, hint = f"{wrong!r} is none of the types of this source", did_you_mean(wrong, names)
        yield source.spot.problem(("event", "type"), "impossible_value", message, hint)


def _key(spot: Spot, path: tuple[str, ...], scope: Scope) -> Iterator[Problem]:
    """Check an expression that must give a text or a whole number."""
    if path[-1] not in (spot.value() if len(path) == 1 else spot.value()[path[0]]):
        return
    kinds = scalars((yield from inferred(spot, path, scope)))
    if kinds and not kinds & _KEY:
        yield spot.problem(path, "type_mismatch", f"it is {spoken(kinds)}", "a key is a text or a whole number")


def _default_rows(piece: Mapped) -> Iterator[Problem]:
    """Name what default rows have and the tables of CSV they stand for do not."""
    for name, lookup in piece.mapping.lookups.by_name.items():
        columns = columns_of(lookup.table)
        for wrong in sorted(lookup.default.keys() - columns) if columns and lookup.unresolved == DEFAULT else ():
            place = ("lookups", name, "unresolved", "default", wrong)
            message = f"{lookup.table.name} has no column {wrong!r}"
            yield piece.spot.problem(place, "unknown_column", message, did_you_mean(wrong, columns))
