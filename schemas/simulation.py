"""Proves of schemas that refer to themselves that one takes all that the other does: pair by pair, assuming the pairs
that are being proven, as each round goes one level deeper into the data.
"""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema_rs
from jsonschema_rs import canonical

from crossdock.kernel.problems import Refused
from schemas.residue import covers
from schemas.unrolled import circle, leads_back, referred, subschemas, target, unrolled

SECONDS = 0.5
MAX_ITEMS = 1 << 40  # as good as any number
_UNEVALUATED = ("unevaluatedProperties", "unevaluatedItems")
_APART = ("allOf", "$ref", "$dynamicRef", "$defs", "definitions")
_INSIDE = ("properties", "patternProperties", "additionalProperties", "items", "prefixItems")
_TOGETHER = (("if", "then", "else"), ("contains", "minContains", "maxContains"))


def simulates(reader: Any, writer: Any, draft: int) -> bool:
    """Tell whether it is proven that a reader takes every document of a writer, also if these refer to themselves."""
    if circle(reader) is not None or circle(writer) is not None:
        return False
    try:
        return _Proof(_Root(reader, draft), _Root(writer, draft)).holds(writer, reader, frozenset())
    except (Refused, RecursionError, canonical.CanonicalizationError):
        return False


class _Root:
    """A schema whose references are followed, and which of its parts lead back to themselves."""

    def __init__(self, schema: Any, draft: int) -> None:
        self.schema = schema
        self.draft = draft
        self._loaded: dict[int, bool] = {}

    def own(self, node: Any) -> tuple[dict[str, Any], list[Any]]:
        """Return the keywords of a node itself, and the schemas beside them that the same value must fit."""
        if not isinstance(node, dict):
            return ({} if node is True else {"not": {}}), []
        reference = referred(node)
        led = [] if reference is None else [target(self.schema, reference)]
        if led and self.draft <= 7:
            return {}, led
        return {key: value for key, value in node.items() if key not in _APART}, [*node.get("allOf", ()), *led]

    def parts(self, node: Any) -> Iterator[dict[str, Any]]:
        """Return the keywords of a node, then those of all that the same value must fit."""
        keywords, beside = self.own(node)
        yield keywords
        for child in beside:
            yield from self.parts(child)

    def is_loaded(self, node: Any) -> bool:
        """Tell whether a node leads to something that is inside itself."""
        if id(node) not in self._loaded:
            self._loaded[id(node)] = leads_back(self.schema, node)
        return self._loaded[id(node)]

    def loaded(self, node: Any) -> set[str]:
        """Return the keywords of a node that lead to something which is inside itself."""
        return {str(path[0]) for part in self.parts(node) for path, child in subschemas(part) if self.is_loaded(child)}

    def bare(self, node: Any, cut: set[str], is_writer: bool) -> tuple[dict[str, Any], bool]:
        """Return a node without some keywords, and whether it still marks the same fields as known.

        A writer's says no more than the whole did: `unevaluatedProperties` goes with what marked fields as known.
        """
        keywords, beside = self.own(node)
        inner = [self.bare(child, cut, is_writer) for child in beside]
        gone = {key for key in cut if key in keywords and key not in _INSIDE}
        exact = not gone and all(same for _, same in inner)
        kept = {key: value for key, value in keywords.items() if key not in gone}
        made = {key: _anything(key, value) if key in _INSIDE else value for key, value in kept.items()}
        if is_writer and not exact:
            made = {key: value for key, value in made.items() if key not in _UNEVALUATED}
        return {**made, "allOf": [schema for schema, _ in inner]} if inner else made, exact

    def said(self, value: Any) -> str:
        """Return a keyword's value with all that it refers to, as text."""
        found: dict[str, Any] = {}
        waiting = [value]
        while waiting:
            node = waiting.pop()
            if isinstance(node, list):
                waiting += node
            elif isinstance(node, dict):
                reference = referred(node)
                if reference is not None and reference not in found:
                    found[reference] = target(self.schema, reference)
                    waiting.append(found[reference])
                waiting += node.values()
        return json.dumps([value, found], sort_keys=True)


def _anything(key: str, value: Any) -> Any:
    """Return what names the same fields or items, of which each may be anything."""
    if key in ("properties", "patternProperties"):
        return dict.fromkeys(value, True)
    return [True] * len(value) if isinstance(value, list) else True


class _Proof:
    def __init__(self, reader: _Root, writer: _Root) -> None:
        self.reader = reader
        self.writer = writer
        self.until = time.monotonic() + SECONDS

    def holds(self, writer: Any, reader: Any, assumed: frozenset[tuple[int, int]]) -> bool:
        """Tell whether a part of the reader is proven to take all of a part of the writer."""
        pair = (id(writer), id(reader))
        if reader is True or reader == {} or writer is False or pair in assumed:
            return True
        if time.monotonic() > self.until:
            return False
        if not (self.reader.is_loaded(reader) or self.writer.is_loaded(writer)):
            return self._covers(reader, writer)
        loaded = self.reader.loaded(reader) | self.writer.loaded(writer)
        cut = loaded.union(*(group for group in _TOGETHER if loaded.intersection(group)))
        if not self._covers(self.reader.bare(reader, cut, False)[0], self.writer.bare(writer, cut, True)[0]):
            return False
        mine, inner = list(self.writer.parts(writer)), assumed | {pair}
        return all(
            any(self._claim(key, part, claim, inner) for part in mine) or self._alternative(key, writer, claim, inner)
            for one in self.reader.parts(reader)
            for key, claim in _claims(one, cut)
        )

    def _covers(self, reader: Any, writer: Any) -> bool:
        made = [
            jsonschema_rs.canonicalize(
                unrolled(root.schema, root.draft > 7, node=node), draft=root.draft, validate_formats=True, offline=True
            )
            for node, root in ((reader, self.reader), (writer, self.writer))
        ]
        return covers(*made)

    def _claim(self, key: str, writer: Any, reader: Any, assumed: frozenset[tuple[int, int]]) -> bool:
        """Tell whether keywords of a writer's part prove one of the reader's."""
        if key in _RULES:
            pairs = _RULES[key](writer, reader)
            return pairs is not None and all(self.holds(one, other, assumed) for one, other in pairs)
        if key == "anyOf" and "anyOf" in writer:
            return all(any(self.holds(one, other, assumed) for other in reader["anyOf"]) for one in writer["anyOf"])
        return key not in _UNEVALUATED and self.writer.said(
            {name: writer.get(name) for name in reader}
        ) == self.reader.said(reader)

    def _alternative(self, key: str, writer: Any, reader: Any, assumed: frozenset[tuple[int, int]]) -> bool:
        return key == "anyOf" and any(self.holds(writer, other, assumed) for other in reader["anyOf"])


def _claims(part: dict[str, Any], cut: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return what is to be proven of a part beside its bare form, with the keywords that belong to it."""
    for key, value in part.items():
        if key in ("properties", "patternProperties"):
            yield from ((key, {key: {name: schema}}) for name, schema in value.items())
        elif key in _INSIDE:
            yield key, part
        elif key in cut:
            group = next((group for group in _TOGETHER if key in group), (key,))
            yield key, {name: part[name] for name in group if name in part}


def _properties(writer: Any, reader: Any) -> Iterator[tuple[Any, Any]]:
    own = writer.get("properties", {})
    rest = True if "patternProperties" in writer else writer.get("additionalProperties", True)
    return ((own.get(name, rest), schema) for name, schema in reader["properties"].items())


def _patterns(writer: Any, reader: Any) -> Iterator[tuple[Any, Any]]:
    own = writer.get("patternProperties", {})
    return ((own.get(pattern, True), schema) for pattern, schema in reader["patternProperties"].items())


def _additional(writer: Any, reader: Any) -> Iterator[tuple[Any, Any]]:
    """Pair what the writer says of each field that the reader does not name."""
    other = reader["additionalProperties"]
    for key in ("properties", "patternProperties"):
        known = reader.get(key, {})
        yield from ((schema, other) for name, schema in writer.get(key, {}).items() if name not in known)
    yield writer.get("additionalProperties", True), other


def _items(writer: Any, reader: Any) -> Iterator[tuple[Any, Any]] | None:
    """Pair item by item; a list in `items`, as before 2020-12, is not proven."""
    if isinstance(reader.get("items"), list) or isinstance(writer.get("items"), list):
        return None
    first, other = writer.get("prefixItems", []), reader.get("prefixItems", [])
    length = int(min(max(len(first), len(other)) + 1, writer.get("maxItems", MAX_ITEMS)))
    rests = writer.get("items", True), reader.get("items", True)
    return (
        (first[at] if at < len(first) else rests[0], other[at] if at < len(other) else rests[1]) for at in range(length)
    )


def _dependent(writer: Any, reader: Any) -> Iterator[tuple[Any, Any]]:
    own = writer.get("dependentSchemas", {})
    return ((own.get(name, True), schema) for name, schema in reader["dependentSchemas"].items())


_RULES: dict[str, Callable[[Any, Any], Iterator[tuple[Any, Any]] | None]] = {
    "properties": _properties,
    "patternProperties": _patterns,
    "additionalProperties": _additional,
    "items": _items,
    "prefixItems": _items,
    "dependentSchemas": _dependent,
}
