"""The JSON Patch (RFC 6902) that makes one document of another, as a person changed it in an editor."""

from collections.abc import Iterator
from typing import Any

from crossdock.kernel import jsontext


def between(before: Any, after: Any, place: str = "") -> Iterator[dict[str, Any]]:
    """Yield the operations that make `after` of `before`, which are documents as `jsontext` reads them."""
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _members(before, after, place)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _items(before, after, place)
    elif not _same(before, after):
        yield {"op": "replace", "path": place, "value": after}


def _members(before: dict[str, Any], after: dict[str, Any], place: str) -> Iterator[dict[str, Any]]:
    for key in before:
        if key not in after:
            yield {"op": "remove", "path": f"{place}/{jsontext.escaped(key)}"}
    for key, value in after.items():
        path = f"{place}/{jsontext.escaped(key)}"
        if key in before:
            yield from between(before[key], value, path)
        else:
            yield {"op": "add", "path": path, "value": value}


def _items(before: list[Any], after: list[Any], place: str) -> Iterator[dict[str, Any]]:
    """Leave what is equal at both ends; of what is between, items change in place, and the rest goes or comes."""
    most = min(len(before), len(after))
    start = next((n for n in range(most) if not _same(before[n], after[n])), most)
    end = next((n for n in range(most - start) if not _same(before[-1 - n], after[-1 - n])), most - start)
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    shared = min(len(old), len(new))
    for index in range(shared):
        yield from between(old[index], new[index], f"{place}/{start + index}")
    for index in reversed(range(shared, len(old))):
        yield {"op": "remove", "path": f"{place}/{start + index}"}
    for index in range(shared, len(new)):
        yield {"op": "add", "path": f"{place}/{start + index}", "value": new[index]}


def _same(one: Any, other: Any) -> bool:
    return jsontext.sorted_dumps(one) == jsontext.sorted_dumps(other)  # 1, 1.0 and true are equal in Python
