"""What a value may be, as far as a JSON Schema or an expression says it; `None` stands for anything."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any, NamedTuple, Union

Lazy = Callable[[], Union["Type", None]]
SCALARS = frozenset({"text", "number", "truth value"})
_KINDS = {"string": "text", "integer": "number", "number": "number", "boolean": "truth value"}
_NOWHERE: Mapping[str, int] = MappingProxyType({})
_BRANCHES = ("allOf", "anyOf", "oneOf", "if", "then", "else")
_BEYOND = ("patternProperties", "unevaluatedProperties", "$dynamicRef", "dependentSchemas", "propertyNames", "not")


class Gap(NamedTuple):
    """Why a value is not there, though what it is made of is."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True, eq=False)
class Shape:
    """One form of a value: its kinds (all when none is named), its members, its items, the texts it may be.

    `closed` objects have no other members, `open` ones say so; arrays have at least `least` items; a default row is
    `lacking` some columns. What an expression makes has the offset `at`, its members theirs in `places`.
    """

    kinds: frozenset[str] = frozenset()
    members: Mapping[str, Lazy] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    closed: bool = False
    open: bool = False
    items: Lazy | None = None
    least: int = 0
    texts: frozenset[str] | None = None
    lacking: frozenset[str] = frozenset()
    at: int | None = None
    places: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Type:
    """The forms a value may have; `many`: a list unless there is exactly one; `absent`: or nothing.

    Of `several` there is always more than one where there is any. A `gap` says why there may be nothing by a mistake.
    """

    shapes: tuple[Shape, ...]
    many: bool = False
    absent: bool = False
    several: bool = False
    gap: Gap | None = None


@dataclass(frozen=True)
class Schema:
    """A JSON Schema, or a part of one, as the question which values it is about."""

    node: Any
    root: Mapping[str, Any]

    def type(self) -> Type | None:
        """Return what values of the schema may be; `None` where that cannot be told."""
        parts = self._parts(frozenset())
        if parts is None:
            return None
        members: dict[str, list[Any]] = {}
        for part in parts:
            for name, child in part.get("properties", {}).items():
                members.setdefault(name, []).append(child)
        described = bool(members)
        for name in (name for part in parts for name in part.get("required", ())):  # which need no schema
            members.setdefault(name, [True])
        items = [part["items"] for part in parts if "items" in part]
        beyond = any(key in part for part in parts for key in _BEYOND)
        shape = Shape(
            kinds=self._kinds,
            members={name: self._lazy(children) for name, children in members.items()},
            required=frozenset(self._own.get("required", ())),
            closed=not beyond and any(part.get("additionalProperties") is False for part in parts),
            open=beyond or not described or any(part.get("additionalProperties", False) is not False for part in parts),
            items=self._lazy(items) if items and "prefixItems" not in self._own else None,
            least=max(part.get("minItems", 0) for part in parts),
            texts=self._texts,
        )
        return Type((shape,))

    def _lazy(self, children: list[Any]) -> Lazy:
        one = children[0] if all(child == children[0] for child in children) else True
        return Schema(one, self.root).type

    @cached_property
    def _own(self) -> Mapping[str, Any]:
        """The keywords at the schema itself and at what its `$ref` leads to."""
        seen: set[str] = set()
        merged: dict[str, Any] = {}
        node = self.node
        while isinstance(node, dict):
            merged = {**node, **merged}
            reference = node.get("$ref")
            if not isinstance(reference, str) or reference in seen:
                break
            seen.add(reference)
            node = self._at(reference)
        return merged

    def _at(self, reference: str) -> Any:
        node: Any = self.root
        for step in reference.removeprefix("#").strip("/").split("/") if reference != "#" else ():
            name = step.replace("~1", "/").replace("~0", "~")
            node = node.get(name) if isinstance(node, dict) else None
        return node

    def _parts(self, seen: frozenset[int]) -> list[Mapping[str, Any]] | None:
        """Return the schema and those of its branches, or nothing where one of them leads anywhere."""
        if not isinstance(self.node, dict):
            return None
        if id(self.node) in seen:
            return []
        found = [self._own]
        for key in _BRANCHES:
            given = self._own.get(key, [])
            for branch in given if isinstance(given, list) else [given]:
                below = Schema(branch, self.root)._parts(seen | {id(self.node)}) if branch is not True else []
                if below is None:
                    return None
                found += below
        return found

    @cached_property
    def _kinds(self) -> frozenset[str]:
        given = self._own.get("type", [])
        named = [given] if isinstance(given, str) else given
        if not named and ("enum" in self._own or "const" in self._own):
            values = self._own.get("enum", [self._own.get("const")])
            return kinds_of(values)
        return frozenset(_KINDS.get(name, name) for name in named)

    @cached_property
    def _texts(self) -> frozenset[str] | None:
        values = self._own.get("enum", [self._own["const"]] if "const" in self._own else None)
        if values is None or not self._kinds <= {"text", "null"}:
            return None
        return frozenset(value for value in values if isinstance(value, str))


def kinds_of(values: Iterable[Any]) -> frozenset[str]:
    """Return the kinds of plain values."""
    names = {str: "text", int: "number", float: "number", bool: "truth value", type(None): "null", list: "array"}
    return frozenset(names.get(type(value), "object") for value in values)


def plain(*kinds: str, texts: Iterable[str] | None = None) -> Type:
    """Return the type of values without members."""
    return Type((Shape(frozenset(kinds), texts=None if texts is None else frozenset(texts)),))


def made(
    members: Mapping[str, Type | None], closed: bool = True, at: int | None = None, places: Mapping[str, int] = _NOWHERE
) -> Type:
    """Return the type of an object with these members."""
    shape = Shape(
        kinds=frozenset({"object"}),
        members={name: partial(_given, member) for name, member in members.items()},
        required=frozenset(members),
        closed=closed,
        open=not closed,
        at=at,
        places=places,
    )
    return Type((shape,))


def _given(type_: Type | None) -> Type | None:
    return type_


def either(types: Iterable[Type | None]) -> Type | None:
    """Return what is one of several types."""
    shapes: list[Shape] = []
    many = absent = several = False
    for one in types:
        if one is None:
            return None
        shapes += one.shapes
        many, absent, several = many or one.many, absent or one.absent, several or one.several
    return Type(tuple(shapes), many, absent, several)


def elements(type_: Type | None) -> Type | None:
    """Return what a path steps through: the items of arrays, to any depth, and everything else itself."""
    if type_ is None:
        return None
    found: list[Type | None] = []
    for shape in type_.shapes:
        if "array" in shape.kinds:
            found.append(elements(shape.items()) if shape.items else None)
        if shape.kinds != {"array"}:
            found.append(Type((shape,)))
    return either(found)


def has_many(type_: Type) -> bool:
    """Tell whether a value may hold several."""
    return type_.many or any("array" in shape.kinds or not shape.kinds for shape in type_.shapes)


def has_several(type_: Type) -> bool:
    """Tell whether a value may be one that always holds more than one."""
    return type_.several or any(shape.least > 1 for shape in type_.shapes)
