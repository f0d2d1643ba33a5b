"""What a schema says of each place of its documents: names, kinds, values; drift is what comes beyond that."""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Any

from schemas.annotations import KEY, PERSONAL
from schemas.unrolled import target

Path = tuple[str | int, ...]
Node = tuple[Path, Mapping[str, Any]]  # a subschema and where it stands in the schema
KINDS = frozenset({"null", "boolean", "number", "string", "array", "object"})  # an integer is a number here
_ALTERNATIVES = ("allOf", "anyOf", "oneOf")
_BRANCHES = ("then", "else")
_MOST_NODES = 200  # subschemas of one place, and steps into one
_MOST_LEVELS = 24  # of references and alternatives


class Place:
    """One place of the documents; `heads` are the subschemas that stand for it, `nodes` also those inside of them."""

    def __init__(self, outline: "Outline", heads: tuple[Node, ...], nodes: tuple[Node, ...]) -> None:
        self._outline = outline
        self.heads = heads
        self.nodes = nodes
        self._members: dict[str, Place] = {}

    @cached_property
    def names(self) -> frozenset[str]:
        """The members that are named."""
        return frozenset(name for _, node in self.nodes for name in _dict(node.get("properties")))

    @cached_property
    def is_map(self) -> bool:
        """Whether any name may come, as none is named or further ones have a schema of their own."""
        further = [node.get(key) for _, node in self.nodes for key in ("additionalProperties", "unevaluatedProperties")]
        patterns = any("patternProperties" in node for _, node in self.nodes)
        return not self.names or patterns or any(isinstance(one, dict) for one in further)

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The kinds of values that are allowed."""
        return frozenset().union(*(self._outline.kinds(node) for _, node in self.heads)) if self.heads else KINDS

    @cached_property
    def values(self) -> frozenset[str] | None:
        """The values that are listed, as JSON; None where any may come."""
        found = [self._outline.members(node) for _, node in self.heads]
        listed = [one for one in found if one is not None]
        return frozenset().union(*listed) if listed and len(listed) == len(found) else None

    @cached_property
    def personal(self) -> bool:
        """Whether values are personal: they are shown nowhere."""
        return any(node.get(PERSONAL, False) is not False for _, node in self.nodes)

    @cached_property
    def identifies(self) -> bool:
        """Whether values are business keys, of which new ones come all the time."""
        return any(KEY in node for _, node in self.nodes)

    def member(self, name: str) -> "Place | None":
        """Return the place of a member; None for one that is not named."""
        if (known := self._members.get(name)) is not None:
            return known
        if name not in self.names:
            return None
        found = self._members[name] = self._outline.place(self._children(("properties", name)))
        return found

    @cached_property
    def items(self) -> "Place":
        """The place of every item."""
        return self._outline.place(self._children(("items",)))

    def _children(self, steps: tuple[str, ...]) -> Iterator[Node]:
        for path, node in self.nodes:
            child: Any = node
            for step in steps:
                child = child.get(step) if isinstance(child, dict) else None
            if isinstance(child, dict):
                yield (*path, *steps), child


class Outline:
    """The places of one schema; each is looked at when it is first asked for."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self._places: dict[tuple[Path, ...], Place] = {}
        self.top = self.place([((), schema)])

    def place(self, heads: Iterable[Node]) -> Place:
        """Return the place that some subschemas stand for, each of them for some documents."""
        given = tuple(heads)
        key = tuple(path for path, _ in given)
        if (known := self._places.get(key)) is None:
            nodes = dict(given)
            for path, node in given:
                nodes |= dict(islice(self._flat(path, node, 0), _MOST_NODES))
            known = self._places[key] = Place(self, given, tuple(nodes.items()))
        return known

    def at(self, pointer: str) -> Place | None:
        """Return the place at a JSON pointer with `*` for every item; None where nothing is named."""
        place: Place | None = self.top
        for step in steps_of(pointer):
            if place is None:
                return None
            place = place.items if step == EVERY else place.member(step)
        return place

    def kinds(self, node: Any, level: int = 0) -> frozenset[str]:
        """Return the kinds of values that a subschema allows."""
        if not isinstance(node, dict) or level > _MOST_LEVELS:
            return KINDS if node is not False else frozenset()
        found = _types(node) & _kinds_of_literals(node)
        for part in self._all_of(node):
            found &= self.kinds(part, level + 1)
        for key in ("anyOf", "oneOf"):
            if node.get(key):
                found &= frozenset().union(*(self.kinds(part, level + 1) for part in node[key]))
        return found

    def members(self, node: Any, level: int = 0) -> frozenset[str] | None:
        """Return the values that a subschema lists, as JSON; None if it lists none."""
        if not isinstance(node, dict) or level > _MOST_LEVELS:
            return None
        found = [frozenset(map(as_json, listed))] if (listed := _listed(node)) is not None else []
        found += [one for part in self._all_of(node) if (one := self.members(part, level + 1)) is not None]
        for key in ("anyOf", "oneOf"):
            each = [self._choice(part, level) for part in node.get(key, ())]
            if each and None not in each:
                found.append(frozenset().union(*(one for one in each if one is not None)))
        return frozenset.intersection(*found) if found else None

    def _choice(self, part: Any, level: int) -> frozenset[str] | None:
        """Return the values of an alternative; null alone is one value."""
        if (found := self.members(part, level + 1)) is not None:
            return found
        return frozenset({"null"}) if self.kinds(part, level + 1) == {"null"} else None

    def _all_of(self, node: Mapping[str, Any]) -> list[Any]:
        reference = node.get("$ref")
        referred = [target(self._schema, reference)] if isinstance(reference, str) else []
        return [*node.get("allOf", ()), *referred]

    def _flat(self, path: Path, node: Any, level: int) -> Iterator[Node]:
        """Yield the subschemas that speak of the same value."""
        if not isinstance(node, dict) or level > _MOST_LEVELS:
            return
        for inner, child in self._parts(path, node):
            if isinstance(child, dict):
                yield inner, child
                yield from self._flat(inner, child, level + 1)

    def _parts(self, path: Path, node: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
        reference = node.get("$ref")
        if isinstance(reference, str):
            steps = tuple(step.replace("~1", "/").replace("~0", "~") for step in reference.split("/")[1:])
            yield steps, target(self._schema, reference)
        for key in _ALTERNATIVES:
            yield from (((*path, key, index), child) for index, child in enumerate(node.get(key, ())))
        yield from (((*path, key), node[key]) for key in _BRANCHES if key in node)


EVERY = "*"


def steps_of(pointer: str) -> list[str]:
    """Return the steps of a JSON pointer."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def joined(pointer: str, step: str) -> str:
    """Return a JSON pointer with one more step."""
    return f"{pointer}/{step.replace('~', '~0').replace('/', '~1')}"


def kind_of(value: Any) -> str:
    """Return the kind of a JSON value."""
    return _KIND_OF[type(value)]


def as_json(value: Any) -> str:
    """Return a value as JSON, by which values are compared."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


_KIND_OF: dict[type, str] = {
    type(None): "null", bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object",
}  # fmt: skip


def _types(node: Mapping[str, Any]) -> frozenset[str]:
    said = node.get("type")
    if said is None:
        return KINDS
    types = said if isinstance(said, list) else [said]
    return frozenset("number" if one == "integer" else one for one in types)


def _listed(node: Mapping[str, Any]) -> list[Any] | None:
    if "const" in node:
        return [node["const"]]
    return node["enum"] if isinstance(node.get("enum"), list) else None


def _kinds_of_literals(node: Mapping[str, Any]) -> frozenset[str]:
    listed = _listed(node)
    return KINDS if listed is None else frozenset(map(kind_of, listed))


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
