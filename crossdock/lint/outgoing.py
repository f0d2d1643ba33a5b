"""Types of the expressions of connectors against what routes lead there."""

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.spec import ConnectorSpec
from crossdock.crosscheck import Parts
from crossdock.kernel.problems import Problem
from crossdock.lint.scopes import data_of, inferred, scope_of, tables_of
from crossdock.lint.shapes import Type, either
from crossdock.targetforms import TargetForm
from routes.spec import Route
from schemas.registry import Registry

_ONE, _MANY = ("path", "body", "name", "subject"), ("query", "headers", "columns")
Path_ = tuple[str, ...]


def misfits(parts: Parts, forms: Mapping[str, TargetForm]) -> Iterator[Problem]:
    """Yield what expressions of connectors read that no event has which goes there."""
    for spec in parts.connectors.values():
        routes = [route for route in parts.routes if route.connector == spec.name]
        if spec.spot is None or not routes:
            continue
        data = None if _sees_many(spec) else either([_given(parts.registry, forms, route) for route in routes])
        scope = scope_of(data, [type_ for route in routes for type_ in route.types])
        for path in _expressions(spec.spot.value()):
            yield from inferred(spec.spot, path, scope)


def _sees_many(spec: ConnectorSpec) -> bool:
    """Tell whether the expressions see many events at once, as those of an http connector with `batch` do."""
    return getattr(spec.options, "batch", None) is not None and spec.kind == "http"


def _given(registry: Registry, forms: Mapping[str, TargetForm], route: Route) -> Type | None:
    """Return what the data may be that a route delivers; after its form, where it has one."""
    data = data_of(registry, [(type_, str(route.majors.get(type_, ""))) for type_ in route.types])
    if not route.map:
        return data
    if (form := forms.get(route.map)) is None:
        return None
    inferring = inferred(form.spot, ("map",), scope_of(data, route.types, tables_of(form)))
    while True:
        try:
            next(inferring)  # what is wrong with the form itself is told there
        except StopIteration as end:
            made: Type | None = end.value
            return made


def _expressions(value: Mapping[str, Any]) -> Iterator[Path_]:
    places: list[tuple[Path_, Any]] = [((key,), value[key]) for key in _ONE if key in value]
    places += [((key, name), said) for key in _MANY for name, said in value.get(key, {}).items()]
    for path, said in places:
        if path[0] == "columns":
            yield path
        elif isinstance(said, Mapping) and "expression" in said:
            yield (*path, "expression")
