"""An example of an event's data: from its schema, from a content test, or made by the rules of the schema."""

from collections.abc import Iterator, Mapping
from typing import Any

from crossdock.project import Project

_DEPTH = 8
_FORMATS = {
    "date-time": "2026-11-21T09:30:00Z",
    "date": "2026-11-21",
    "time": "09:30:00Z",
    "uuid": "6f1c1e5e-3f0e-4d2b-9a52-0a7d1c9b8e11",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uri-reference": "/example",
}
_NOTHING = object()


def example(project: Project, type_: str, version: str) -> Any:
    """Return data that fits a schema, or None when there is none to be had; the same at every call."""
    registry = project.registry
    for found in _candidates(project, type_, version):
        if found is not _NOTHING and not registry.problems(type_, version, found):
            return found
    return None


def _candidates(project: Project, type_: str, version: str) -> Iterator[Any]:
    schema = project.registry.schema(type_, version)
    yield from schema.get("examples", ())
    for test in project.tests:
        if not any("error" in expect or "dead_letters" in expect for expect in test.expect):
            yield from (event.data for event in test.events if event.type == type_)
    yield _make(schema, schema, _DEPTH)


def _make(node: Any, root: Mapping[str, Any], depth: int) -> Any:
    """Return a small value by the keywords that schemas of data mostly use; others make it not fit."""
    if not isinstance(node, dict) or depth == 0:
        return _NOTHING
    for keyword in ("const", "default"):
        if keyword in node:
            return node[keyword]
    for keyword in ("enum", "examples"):
        if node.get(keyword):
            return node[keyword][0]
    if "$ref" in node:
        return _make(_target(node["$ref"], root), root, depth - 1)
    for keyword in ("allOf", "anyOf", "oneOf"):
        if node.get(keyword) and "type" not in node:
            return _make(node[keyword][0], root, depth - 1)
    kind = node.get("type", "object" if "properties" in node else "string")
    return _MAKERS[kind if isinstance(kind, str) else kind[0]](node, root, depth)


def _target(reference: str, root: Mapping[str, Any]) -> Any:
    found: Any = root
    for part in reference.removeprefix("#").strip("/").split("/"):
        if part:
            found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
    return found


def _object(node: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Any:
    known = node.get("properties", {})
    made = {name: _make(known.get(name, {"type": "string"}), root, depth - 1) for name in node.get("required", ())}
    return _NOTHING if _NOTHING in made.values() else made


def _array(node: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Any:
    item = _make(node.get("items", {"type": "string"}), root, depth - 1)
    count = node.get("minItems", 1)
    return _NOTHING if item is _NOTHING or count > _DEPTH else [item] * count


def _string(node: Mapping[str, Any], _: Mapping[str, Any], __: int) -> Any:
    text = _FORMATS.get(node.get("format", ""), "text")
    return text.ljust(node.get("minLength", 0), "x")[: node.get("maxLength", len(text) + 256)]


def _number(node: Mapping[str, Any], _: Mapping[str, Any], __: int) -> Any:
    if "exclusiveMinimum" in node:
        return node["exclusiveMinimum"] + 1
    return node.get("minimum", min(1, node.get("maximum", 1)))


_MAKERS = {
    "object": _object,
    "array": _array,
    "string": _string,
    "number": _number,
    "integer": _number,
    "boolean": lambda *_: True,
    "null": lambda *_: None,
}
