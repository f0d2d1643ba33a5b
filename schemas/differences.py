"""Turns what a validator found into problems a partner can act on; called by the registry when data is invalid."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import jsonschema_rs
from jsonschema_rs import ValidationErrorKind as Kind

from crossdock.kernel.problems import Problem
from schemas.alternatives import MOST_TOLD, Choice, nearest

MAX_PROBLEMS = 100
MAX_SHOWN = 120
MAX_VALUES = 1000
_MASK = "value "
_WORDS = {
    "falseSchema": "is not allowed here",
    "contains": "has no item of the kind that it needs",
    "not": "is of the kind that is excluded here",
}


def differences(validator: jsonschema_rs.Draft202012Validator, data: Any) -> list[Problem]:
    """Return up to 100 differences between data and schema, each at its JSON pointer.

    Of data with more than 1,000 values those of the first 1,000 are told, or the first one if these have none.
    """
    begin = _Beginning(data)
    if begin.end is None:
        return list(islice(_explain(validator.iter_errors(data)), MAX_PROBLEMS))
    whole = [error for error in validator.iter_errors(begin.values) if not begin.cuts(error.instance_path)]
    return list(islice(_explain(whole or _first(validator, data)), MAX_PROBLEMS))


class _Beginning:
    """The first values of data, and the path of the container in which they end, None when that is all.

    A validator makes all its errors at once: of a body of 64 KiB they can be 40,000, which takes a quarter of a second.
    """

    def __init__(self, data: Any) -> None:
        self._left = MAX_VALUES
        self.end: list[str | int] | None = None
        self.values = self._copy(data, [])

    def cuts(self, path: list[str | int]) -> bool:
        """Tell whether what is at a path is not whole."""
        return self.end is not None and self.end[: len(path)] == path

    def _copy(self, value: Any, path: list[str | int]) -> Any:
        if isinstance(value, dict):
            return dict(self._children(value.items(), path))
        return [child for _, child in self._children(enumerate(value), path)] if isinstance(value, list) else value

    def _children(self, pairs: Iterable[tuple[Any, Any]], path: list[str | int]) -> Iterator[tuple[Any, Any]]:
        for key, child in pairs:
            if self._left == 0:
                self.end = path if self.end is None else self.end
                return
            self._left -= 1
            yield key, self._copy(child, [*path, key])


def _first(validator: jsonschema_rs.Draft202012Validator, data: Any) -> Iterator[jsonschema_rs.ValidationError]:
    try:
        validator.validate(data)
    except jsonschema_rs.ValidationError as error:
        yield error


def _explain(errors: Iterable[jsonschema_rs.ValidationError]) -> Iterator[Problem]:
    for error in errors:
        kind = error.kind
        if isinstance(kind, Kind.AdditionalProperties):
            for name in kind.unexpected:
                yield _problem([*error.instance_path, name], kind.name, "is not allowed here")
        elif isinstance(kind, Kind.Required):
            yield _problem([*error.instance_path, kind.property], kind.name, "is required")
        elif isinstance(kind, Kind.AnyOf | Kind.OneOfNotValid):
            yield from _alternatives(nearest(kind.context, error.instance_path))
        elif isinstance(kind, Kind.PropertyNames):
            told = next(_explain([kind.error]))
            yield _problem(error.instance_path, kind.name, f"has a name that {told.message}")
        else:
            yield _problem(error.instance_path, kind.name, _message(error))


def _alternatives(found: list[jsonschema_rs.ValidationError] | Choice) -> Iterator[Problem]:
    if isinstance(found, Choice):
        yield _problem(found.path, found.rule, f"{found.expected}, got {_shown(found.value)}")
    else:
        yield from islice(_explain(found), MOST_TOLD)


def _message(error: jsonschema_rs.ValidationError) -> str:
    text = _WORDS.get(error.kind.name) or error.message.removeprefix(_MASK)
    value = error.instance
    if len(text) > 2 * MAX_SHOWN:
        text = text[: 2 * MAX_SHOWN] + "..."
    return text if isinstance(value, dict | list) else f"{text}, got {_shown(value)}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


def _problem(path: Iterable[str | int], rule: str, message: str) -> Problem:
    return Problem("schema_violation", message, pointer=_pointer(path), rule=rule)


def _pointer(path: Iterable[str | int]) -> str:
    return "".join("/" + _step(str(step)) for step in path)


def _step(step: str) -> str:
    shown = step if len(step) <= MAX_SHOWN else step[: MAX_SHOWN - 3] + "..."
    return shown.replace("~", "~0").replace("/", "~1")
