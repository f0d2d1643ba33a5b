"""Leaves out of two schemas what is the same in both and cannot bear upon the rest, before they are compared."""

import json
from functools import lru_cache
from typing import Any

import jsonschema_rs

from schemas.contentmodel import ContentModel, as_writer
from schemas.dialects import NEWEST, draft_of
from schemas.pool import Pool
from schemas.samples import samples

_SHOWN = {"$id", "$schema", "$comment", "title", "description", "examples", "$defs", "definitions"}
_FIELDS = _SHOWN | {"type", "properties", "required", "additionalProperties", "minProperties", "maxProperties"}
_ROWS = _SHOWN | {"type", "items", "minItems", "maxItems"}
_VALUES = _SHOWN | {"type", "enum"}
_NAMED = ('"$ref"', '"$dynamicRef"', '"$id"', '"$anchor"', '"$dynamicAnchor"')


def without_unchanged(old: Any, new: Any, model: ContentModel) -> tuple[Any, Any]:
    """Return two schemas that relate as the given ones do, with one value for each field that stayed the same.

    That holds where nothing but `properties` looks at a field; everything else is left as it is.
    """
    if not (isinstance(old, dict) and isinstance(new, dict)) or draft_of(old) != NEWEST or draft_of(new) != NEWEST:
        return old, new
    text = json.dumps([old, new])
    if any(name in text for name in _NAMED[3:]) or '"#' in text.replace('"#/$defs/', ""):
        return old, new
    return _pair(old, new, model)


def _pair(old: Any, new: Any, model: ContentModel) -> tuple[Any, Any]:
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return old, new
    keys = old.keys() | new.keys()
    if keys <= _FIELDS and isinstance(old.get("properties"), dict) and isinstance(new.get("properties"), dict):
        return _fields(old, new, model)
    if keys <= _ROWS and "items" in old and "items" in new:
        one, other = _pair(old["items"], new["items"], model)
        return {**old, "items": one}, {**new, "items": other}
    if keys <= _VALUES and isinstance(old.get("enum"), list) and isinstance(new.get("enum"), list):
        return _enums(old, new)
    return old, new


def _fields(old: Any, new: Any, model: ContentModel) -> tuple[Any, Any]:
    one, other = dict(old["properties"]), dict(new["properties"])
    for name in [name for name in one if name in other]:
        text = json.dumps(one[name], sort_keys=True)
        if text == json.dumps(other[name], sort_keys=True):
            one[name] = other[name] = _instead(text, model)
        else:
            one[name], other[name] = _pair(one[name], other[name], model)
    return {**old, "properties": one}, {**new, "properties": other}


def _enums(old: Any, new: Any) -> tuple[Any, Any]:
    """Keep the values that only one version lists, and one of those that both do."""
    if "type" in old or "type" in new:
        return old, new
    texts = [{json.dumps(value, sort_keys=True): value for value in one["enum"]} for one in (old, new)]
    shared = set([text for text in texts[0] if text in texts[1]][1:])
    kept = [[value for text, value in one.items() if text not in shared] for one in texts]
    return {**old, "enum": kept[0]}, {**new, "enum": kept[1]}


@lru_cache(maxsize=10_000)
def _instead(text: str, model: ContentModel) -> Any:
    """Return a schema of one value which the given one, as text, takes too; itself if there is none at hand."""
    schema = json.loads(text)
    if any(name in text for name in _NAMED):
        return schema
    try:
        made = jsonschema_rs.canonicalize(as_writer(schema, model), draft=NEWEST, validate_formats=True, offline=True)
        found = list(zip(range(1), samples(made, Pool()), strict=False))
    except (jsonschema_rs.ValidationError, jsonschema_rs.canonical.CanonicalizationError, ValueError):
        return schema
    return {"const": found[0][1]} if found else schema
