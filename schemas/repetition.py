"""Makes documents that repeat inside of themselves what they say; for schemas that refer to themselves."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

ROUNDS = 12


def repeated(document: Any) -> Iterator[Any]:
    """Return a document with each of its parts in the place of what is inside of that, twelve times over."""
    for outer, part in _parts(document):
        for inner, _ in islice(_parts(part), 1, 9):
            made = part
            for _ in range(ROUNDS):
                made = _with(part, inner, made)
            yield _with(document, outer, made)


def _parts(value: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    yield (), value
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    yield from (((step, *path), part) for step, child in inside for path, part in _parts(child))


def _with(value: Any, path: tuple[str | int, ...], part: Any) -> Any:
    if not path:
        return part
    changed = _with(value[path[0]], path[1:], part)
    if isinstance(value, dict):
        return {**value, path[0]: changed}
    return [changed if index == path[0] else one for index, one in enumerate(value)]
