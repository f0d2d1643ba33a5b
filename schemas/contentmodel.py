"""The two content models: what fields that a schema does not name mean when two versions are compared."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from schemas.unrolled import subschemas, target

_SAME_PLACE = ("allOf", "anyOf", "oneOf", "if", "then", "else", "dependentSchemas")
_PARTS = (*_SAME_PLACE, "$defs", "definitions")  # a definition is closed where it is used
_EXACT = ("oneOf", "not", "if")


class ContentModel(StrEnum):
    """Strict takes schemas as written; lenient lets writers send named fields only and readers pass by all others."""

    strict = "strict"
    lenient = "lenient"


def as_writer(schema: Any, model: ContentModel) -> Any:
    """Return what a writer of this version may send: with `lenient`, in objects with named fields these only."""
    return schema if model is ContentModel.strict else _closed(schema, schema)


def as_reader(schema: Any, model: ContentModel) -> Any:
    """Return what a reader of this version accepts: with `lenient`, objects may have any other fields.

    Alternatives of `oneOf`, `not` and `if` stay as written: there a closed object tells cases apart.
    """
    return schema if model is ContentModel.strict else _opened(schema)


def _closed(root: Any, node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    made = _inside(root, node)
    if any(True for _ in _named(root, node, 0)) and made.get("unevaluatedProperties", True) is True:
        made["unevaluatedProperties"] = False
    return made


def _inside(root: Any, node: Any) -> Any:
    """Return a part of an object's description, which is closed where it is put together."""
    if not isinstance(node, dict):
        return node
    made = _map(node, lambda path, child: _inside(root, child) if path[0] in _PARTS else _closed(root, child))
    return {key: value for key, value in made.items() if not (key == "additionalProperties" and value is True)}


def _named(root: Any, node: Any, depth: int) -> Iterator[bool]:
    """Yield for each place that names fields of the object which a schema describes."""
    if not isinstance(node, dict) or depth > 16:
        return
    if node.get("properties") or node.get("patternProperties"):
        yield True
    if isinstance(node.get("$ref"), str) and node["$ref"].startswith("#"):
        yield from _named(root, target(root, node["$ref"]), depth + 1)
    for path, child in subschemas(node):
        if path[0] in _SAME_PLACE:
            yield from _named(root, child, depth + 1)


def _opened(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    made = _map(node, lambda path, child: child if path[0] in _EXACT else _opened(child))
    shut = [key for key in ("additionalProperties", "unevaluatedProperties") if made.get(key) is False]
    return {key: value for key, value in made.items() if key not in shut}


def _map(node: Mapping[str, Any], change: Any) -> dict[str, Any]:
    made = dict(node)
    for path, child in subschemas(node):
        key, changed = str(path[0]), change(path, child)
        if len(path) == 1:
            made[key] = changed
        elif isinstance(made[key], dict):
            made[key] = {**made[key], path[1]: changed}
        else:
            made[key] = [changed if index == path[1] else one for index, one in enumerate(made[key])]
    return made
