"""The places where two schemas differ, and a schema with one of these places changed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_LITERALS = ("const", "enum", "default", "examples", "required", "type")
_ANNOTATIONS = {
    "$id", "$schema", "$comment", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly",
}  # fmt: skip
_MAPS = {
    "properties",
    "patternProperties",
    "$defs",
    "definitions",
    "dependentSchemas",
    "dependentRequired",
    "dependencies",
}
_SHOWN = 60
ABSENT = object()


@dataclass(frozen=True, slots=True)
class Edit:
    """One place that differs; a value is `ABSENT` where the version does not have it."""

    path: tuple[str | int, ...]
    old: Any
    new: Any

    @property
    def pointer(self) -> str:
        """Return the place as a JSON pointer (RFC 6901)."""
        return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in self.path)

    @property
    def says_nothing(self) -> bool:
        """Tell whether the place is for people only."""
        key = self.path[-1] if self.path else ""
        return key in _ANNOTATIONS and (len(self.path) < 2 or self.path[-2] not in _MAPS)

    def __str__(self) -> str:
        named = len(self.path) > 1 and self.path[-2] in _MAPS
        name = f"{self.path[-2]!s} {self.path[-1]}" if named else str(self.path[-1]) if self.path else "the schema"
        if self.old is ABSENT:
            return f"{name} added: {_short(self.new)}"
        if self.new is ABSENT:
            return f"{name} removed: {_short(self.old)}"
        return f"{name}: {_short(self.old)} became {_short(self.new)}"


def edits(old: Any, new: Any) -> list[Edit]:
    """Return where two schemas differ, each place as deep as one keyword or one named part.

    Every version has an `$id` of its own, which is no difference.
    """
    return [edit for edit in _walk(old, new, (), is_map=False) if edit.path != ("$id",)]


def _walk(old: Any, new: Any, path: tuple[str | int, ...], is_map: bool) -> Iterator[Edit]:
    if _same(old, new):
        return
    literal = not is_map and bool(path) and path[-1] in _LITERALS and (len(path) < 2 or path[-2] not in _MAPS)
    if isinstance(old, dict) and isinstance(new, dict) and not literal:
        for key in dict.fromkeys((*old, *new)):
            inner = not is_map and key in _MAPS
            yield from _walk(old.get(key, ABSENT), new.get(key, ABSENT), (*path, key), inner)
    elif _alike(old, new) and not literal:
        for index, (one, two) in enumerate(zip(old, new, strict=True)):
            yield from _walk(one, two, (*path, index), False)
    else:
        yield Edit(path, old, new)


def _same(old: Any, new: Any) -> bool:
    """Compare as JSON does, where 1 and true differ."""
    return (old is new) or (type(old) is type(new) and old is not ABSENT and _text(old) == _text(new))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _alike(old: Any, new: Any) -> bool:
    both = isinstance(old, list) and isinstance(new, list)
    return both and len(old) == len(new) and all(isinstance(one, dict) for one in (*old, *new))


def applied(schema: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """Return the schema with another value at a path, or without it for `ABSENT`."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(schema, list):
        return [applied(one, rest, value) if index == step else one for index, one in enumerate(schema)]
    made = dict(schema)
    if value is ABSENT and not rest:
        made.pop(step, None)
    else:
        made[step] = applied(made.get(step), rest, value)
    return made


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
