"""Puts a file that breaks its schema right as it was probably meant, so that what else is wrong in it is told too."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from crossdock.kernel.nearest import near
from crossdock.kernel.yamlfile import Document, Path_, Place

_MISSED = {"lookups", "codes", "match"}  # without which other things would seem to be missing


def mended(document: Document, schema: Mapping[str, Any]) -> Document | None:
    """Return the document with misspelt keys and values corrected and other wrong values left out.

    `None` when it does not fit even then.
    """
    value, places = _copy(document.value), dict(document.places)
    checker = Draft202012Validator(schema)
    for error in checker.iter_errors(document.value):
        best = best_match([error]) or error
        if not _mend(value, tuple(best.absolute_path), best, places):
            return None
    return replace(document, value=value, places=places) if checker.is_valid(value) else None


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(child) for key, child in value.items()}
    return [_copy(child) for child in value] if isinstance(value, list) else value


def _mend(value: Any, path: Path_, error: ValidationError, places: dict[Path_, Place]) -> bool:
    if error.validator == "required":  # it may be misspelt: then the unknown key is put right
        return True
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        for key in [key for key in error.instance if key not in known]:
            _rename(_at(value, path), key, near(key, known.keys() - error.instance.keys()), path, places)
        return True
    if not path or path[0] in _MISSED:
        return False
    parent, last = _at(value, path[:-1]), path[-1]
    similar = near(error.instance, _texts(error)) if isinstance(error.instance, str) else []
    if similar:
        parent[last] = similar[0]
    elif isinstance(parent, dict):
        parent.pop(last, None)
    return bool(similar) or isinstance(parent, dict)


def _texts(error: ValidationError) -> list[str]:
    return [text for text in error.validator_value if isinstance(text, str)] if error.validator == "enum" else []


def _at(value: Any, path: Path_) -> Any:
    for step in path:
        value = value[step]
    return value


def _rename(parent: Any, key: str, meant: list[str], path: Path_, places: dict[Path_, Place]) -> None:
    child = parent.pop(key)
    if not meant:
        return
    parent[meant[0]] = child
    old, new = (*path, key), (*path, meant[0])
    for known in [one for one in places if one[: len(old)] == old]:
        places[new + known[len(old) :]] = places[known]
