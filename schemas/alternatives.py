"""Picks what to say when none of several alternatives fits: of `oneOf` and `anyOf`; called by `differences`."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from jsonschema_rs import ValidationError
from jsonschema_rs import ValidationErrorKind as Kind

MOST_TOLD = 3
MOST_NAMED = 8
_Branch = list[ValidationError]


@dataclass(frozen=True, slots=True)
class Choice:
    """What the alternatives would all have taken at one place."""

    path: list[str | int]
    rule: str
    expected: str
    value: Any


def nearest(branches: list[_Branch], place: list[str | int]) -> _Branch | Choice:
    """Return the first three complaints of the alternative that was meant, or what tells the alternatives apart.

    Meant is the one whose constant fields fit, then the one of the right type, then the one with the fewest
    complaints, the deepest first. When no alternative has such a field or type, all of them are named.
    """
    if (choice := _untold(branches, place)) is not None:
        return choice
    return min(branches, key=lambda errors: _distance(errors, place))[:MOST_TOLD]


def _distance(errors: _Branch, place: list[str | int]) -> tuple[bool, bool, int, int]:
    return (
        any(_tells_apart(error, place) for error in errors),
        any(_is_type(error, place) for error in errors),
        len(errors),
        -max(len(error.instance_path) for error in errors),
    )


def _untold(branches: list[_Branch], place: list[str | int]) -> Choice | None:
    """Return the field, or else the type, in which no alternative fits."""
    fields = [[error for error in errors if _tells_apart(error, place)] for errors in branches]
    for first in fields[0]:
        shared = [_at(errors, first.instance_path) for errors in fields]
        if all(shared):
            options = [option for error in shared if error for option in _options(error)]
            return Choice(first.instance_path, first.kind.name, f"is none of {_listed(options)}", first.instance)
    types = [next((error for error in errors if _is_type(error, place)), None) for errors in branches]
    if all(types):
        named = [name for error in types if error for name in _types(error)]
        return Choice(place, "type", f"is not of type {_listed(named)}", branches[0][0].instance)
    return None


def _at(errors: _Branch, path: list[str | int]) -> ValidationError | None:
    return next((error for error in errors if error.instance_path == path), None)


def _tells_apart(error: ValidationError, place: list[str | int]) -> bool:
    """Tell whether a constant field of the object, or the constant that stands in its place, is another one."""
    return isinstance(error.kind, Kind.Constant | Kind.Enum) and len(error.instance_path) <= len(place) + 1


def _options(error: ValidationError) -> list[Any]:
    kind = error.kind
    if isinstance(kind, Kind.Enum):
        return list(kind.options)
    return [kind.expected_value] if isinstance(kind, Kind.Constant) else []


def _is_type(error: ValidationError, place: list[str | int]) -> bool:
    return isinstance(error.kind, Kind.Type) and error.instance_path == place


def _types(error: ValidationError) -> list[str]:
    return list(error.kind.types) if isinstance(error.kind, Kind.Type) else []


def _listed(options: Iterable[Any]) -> str:
    shown = list(dict.fromkeys(json.dumps(option, ensure_ascii=False)[:80] for option in options))
    more = f" and {len(shown) - MOST_NAMED} more" if len(shown) > MOST_NAMED else ""
    return " or ".join(shown[:MOST_NAMED]) + more
