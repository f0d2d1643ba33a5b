"""Schemas that refer to themselves, written out to a bounded depth; and how much work a schema can make."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from crossdock.kernel.problems import refuse

ROUNDS = 2  # how often one definition may stand inside itself
MAX_NODES = 20_000
MAX_EFFORT = 10_000
_MAPS = ("$defs", "definitions", "properties", "patternProperties", "dependentSchemas", "dependencies")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems", "items")
_SINGLES = (
    "items", "additionalItems", "additionalProperties", "contains", "propertyNames", "unevaluatedItems",
    "unevaluatedProperties", "not", "if", "then", "else",
)  # fmt: skip
_ELSEWHERE = ("$defs", "definitions", "$ref", "$dynamicRef")
_IN_PLACE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas")


def subschemas(schema: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Return the schemas directly inside a schema, each with its path."""
    for key in schema:
        value = schema[key]
        if key in _MAPS and isinstance(value, dict):
            yield from (((key, name), child) for name, child in value.items() if isinstance(child, dict | bool))
        elif key in _LISTS and isinstance(value, list):
            yield from (((key, index), child) for index, child in enumerate(value))
        elif key in _SINGLES and isinstance(value, dict | bool):
            yield (key,), value


def target(root: Any, reference: str) -> Any:
    """Return what a reference within the file leads to; `None` when there is nothing."""
    fragment = reference.removeprefix("#")
    if fragment and not fragment.startswith("/"):
        return _anchored(root, fragment)
    node = root
    for step in fragment.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(node, list):
            node = node[int(name)] if name.isdigit() and int(name) < len(node) else None
        else:
            node = node.get(name) if isinstance(node, dict) else None
    return node


def _anchored(node: Any, name: str) -> Any:
    if not isinstance(node, dict):
        return None
    if name in (node.get("$anchor"), node.get("$dynamicAnchor")) or node.get("$id") == f"#{name}":
        return node
    return next((found for _, child in subschemas(node) if (found := _anchored(child, name)) is not None), None)


def is_recursive(schema: Any) -> bool:
    """Tell whether a definition of the schema leads to itself."""
    return _circle(schema, schema, {}, _everywhere) is not None


def leads_back(root: Any, node: Any) -> bool:
    """Tell whether a part of the schema leads to something that is inside itself."""
    found: dict[int, Any] = {}
    waiting = [node]
    while waiting:
        references = {reference for one in _all(waiting.pop()) if (reference := referred(one)) is not None}
        led = [one for reference in references if id(one := target(root, reference)) not in found]
        found |= {id(one): one for one in led}
        waiting += led
    return any(_circle(root, one, {}, _everywhere) is not None for one in found.values())


def circle(schema: Any) -> str | None:
    """Return a reference that leads to itself without going into the data, which therefore says nothing."""
    known: dict[int, bool] = {}
    return next((found for node in _all(schema) if (found := _circle(schema, node, known, in_place)) is not None), None)


def chains(schema: Any) -> bool:
    """Tell whether a reference leads to another one about the same value; without that nothing circles or doubles."""
    references = {reference for node in _all(schema) if (reference := referred(node)) is not None}
    return any(_leads_on(target(schema, reference)) for reference in references)


def _leads_on(node: Any) -> bool:
    return isinstance(node, dict) and (referred(node) is not None or any(map(_leads_on, in_place(node))))


def path_of(node: Any, reference: str) -> tuple[str | int, ...]:
    """Return where a schema first refers to something."""
    found = _find(node, reference)
    return found if found is not None else ()


def _find(node: Any, reference: str) -> tuple[str | int, ...] | None:
    if not isinstance(node, dict):
        return None
    if referred(node) == reference:
        return ("$ref",) if "$ref" in node else ("$dynamicRef",)
    for path, child in subschemas(node):
        if (below := _find(child, reference)) is not None:
            return (*path, *below)
    return None


def effort(schema: Any, most: int = MAX_EFFORT) -> int:
    """Return how many subschemas one value may be compared with at one place, at most about `most`."""
    known: dict[int, int] = {}
    return max((_effort(schema, node, known, most) for node in _all(schema)), default=1)


def _all(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        yield node
        for _, child in subschemas(node):
            yield from _all(child)


def in_place(node: Mapping[str, Any]) -> Iterator[Any]:
    """Return the schemas inside a schema that look at the same value."""
    return (child for path, child in subschemas(node) if path[0] in _IN_PLACE)


def _everywhere(node: Mapping[str, Any]) -> Iterator[Any]:
    return (child for _, child in subschemas(node))


def _circle(
    root: Any, node: Any, known: dict[int, bool], edges: Callable[[Mapping[str, Any]], Iterator[Any]]
) -> str | None:
    """Follow references depth first; `known` is whether a schema is still being followed."""
    if not isinstance(node, dict) or id(node) in known:
        return None
    known[id(node)] = True
    reference = referred(node)
    led = target(root, reference) if reference is not None else None
    if known.get(id(led)):
        return reference
    found = next((one for child in (led, *edges(node)) if (one := _circle(root, child, known, edges))), None)
    known[id(node)] = False
    return found


def _effort(root: Any, node: Any, known: dict[int, int], most: int) -> int:
    if not isinstance(node, dict):
        return 1
    if id(node) not in known:
        known[id(node)] = 1
        reference = referred(node)
        inner = [*in_place(node), *([target(root, reference)] if reference is not None else [])]
        known[id(node)] = min(most, 1 + sum(_effort(root, child, known, most) for child in inner))
    return known[id(node)]


def referred(node: Mapping[str, Any]) -> str | None:
    """Return what a schema refers to within its file."""
    reference = node.get("$ref", node.get("$dynamicRef"))
    return reference if isinstance(reference, str) and reference.startswith("#") else None


def unrolled(root: Any, siblings: bool = True, node: Any = None) -> Any:
    """Return a schema without references, each definition at most twice inside itself, then nothing is accepted.

    `siblings` is whether keywords beside a `$ref` count, as since 2019-09; `node` is for one part of the schema only.

    Raises:
        Refused: `too_complex` beyond 20,000 subschemas.
    """
    return _Unroller(root, siblings).expand(root if node is None else node, ())


class _Unroller:
    def __init__(self, root: Any, siblings: bool) -> None:
        self.root = root
        self.siblings = siblings
        self.left = MAX_NODES

    def expand(self, node: Any, inside: tuple[str, ...]) -> Any:
        self.left -= 1
        if self.left < 0:
            raise refuse("too_complex", f"more than {MAX_NODES} subschemas when its references are followed")
        if not isinstance(node, dict):
            return node
        reference = referred(node)
        if reference is None:
            return self._copy(node, inside)
        if inside.count(reference) >= ROUNDS:
            return False
        found = self.expand(target(self.root, reference), (*inside, reference))
        beside = self._copy(node, inside) if self.siblings else {}
        return {**beside, "allOf": [*beside.get("allOf", []), found]} if beside else found

    def _copy(self, node: Mapping[str, Any], inside: tuple[str, ...]) -> dict[str, Any]:
        copied = {
            key: value for key, value in node.items() if key not in ("$defs", "definitions", "$ref", "$dynamicRef")
        }
        for path, child in subschemas(copied):
            copied[str(path[0])] = _replaced(copied[str(path[0])], path[1:], self.expand(child, inside))
        return copied


def _replaced(value: Any, path: tuple[str | int, ...], child: Any) -> Any:
    if not path:
        return child
    if isinstance(value, dict):
        return {**value, path[0]: child}
    return [child if index == path[0] else one for index, one in enumerate(value)]


def weight(root: Any, most: int = 1_000_000) -> int:
    """Return how many ways there are through the alternatives of a schema, at most `most`."""
    return _weigh(root, root, {}, most)


def _weigh(root: Any, node: Any, known: dict[int, int], most: int) -> int:
    if not isinstance(node, dict):
        return 1
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = 1  # what refers to itself counts once
    reference = referred(node)
    ways = _weigh(root, target(root, reference), known, most) if reference is not None else 1
    sums: dict[str, int] = {}
    for path, child in subschemas(node):
        key = str(path[0])
        if key in ("anyOf", "oneOf"):
            sums[key] = sums.get(key, 0) + _weigh(root, child, known, most)
        elif key not in ("$defs", "definitions"):
            ways *= _weigh(root, child, known, most)
        ways = min(ways, most)
    for count in sums.values():
        ways = min(most, ways * count)
    known[id(node)] = ways
    return ways
