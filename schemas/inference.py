"""Infers a schema from sample documents; `schema new` calls it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import jsonschema_rs

FORMATS = ("date-time", "date", "uuid", "email", "uri")
MOST_MEMBERS = 8  # of an enum
REPEATED = 3  # how often each member of an enum comes, on average
ONLY_NULL = "Always null in the samples: say what else it may be."
_ENVELOPE = {"specversion", "id", "source", "type", "data"}
_KEPT = 1000  # different texts of one place


@dataclass(slots=True)
class Shape:
    """What was seen at one place of the samples."""

    types: Counter[str] = field(default_factory=Counter)
    members: dict[str, "Shape"] = field(default_factory=dict)
    items: "Shape | None" = None
    texts: Counter[str] = field(default_factory=Counter)

    def add(self, value: Any) -> None:
        """Take one more value into account."""
        self.types[_type_of(value)] += 1
        if isinstance(value, dict):
            for name, child in value.items():
                self.members.setdefault(name, Shape()).add(child)
        elif isinstance(value, list):
            for child in value:
                self.items = self.items or Shape()
                self.items.add(child)
        elif isinstance(value, str) and (value in self.texts or len(self.texts) < _KEPT):
            self.texts[value] += 1

    def schema(self) -> dict[str, Any]:
        """Return a schema that accepts every value that was added."""
        if [*self.types] == ["null"]:
            return {"description": ONLY_NULL}
        seen = {"number" if name == "integer" and self.types["number"] else name for name in self.types}
        types = sorted(seen, key=lambda name: (name == "null", name))
        made: dict[str, Any] = {"type": types[0] if len(types) == 1 else types}
        if self.types["object"]:
            made |= self._object()
        if self.items is not None:
            made["items"] = self.items.schema()
        if seen - {"null"} == {"string"}:
            made |= self._string()
        return made

    def _object(self) -> dict[str, Any]:
        seen = self.types["object"]
        required = [name for name, member in self.members.items() if member.types.total() == seen]
        properties = {name: member.schema() for name, member in self.members.items()}
        return ({"required": required} if required else {}) | {"properties": properties}

    def _string(self) -> dict[str, Any]:
        fitting = [name for name in FORMATS if all(_fits(name, text) for text in self.texts)]
        if fitting and len(self.texts) < _KEPT:
            return {"format": fitting[0]}
        few = 1 < len(self.texts) <= MOST_MEMBERS and self.texts.total() >= REPEATED * len(self.texts)
        if not few or min(self.texts.values()) == 1:
            return {}
        return {"enum": [*sorted(self.texts), *([None] if self.types["null"] else [])]}


def infer(samples: Iterable[Any]) -> dict[str, Any]:
    """Return the narrowest plain schema that all samples fit: fields in all of them are required."""
    shape = Shape()
    for sample in samples:
        shape.add(sample)
    return shape.schema()


def data_of(document: Any) -> tuple[Any, bool]:
    """Return the data of a sample, and whether it came in a CloudEvents envelope (CloudEvents 1.0, section 3.1)."""
    is_envelope = isinstance(document, dict) and document.keys() >= _ENVELOPE
    return (document["data"], True) if is_envelope else (document, False)


def named(schema: dict[str, Any], type_: str, identifier: str, samples: str) -> dict[str, Any]:
    """Return an inferred schema with what every schema file must say; `samples` says of how many."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": identifier,
        "title": type_,
        "description": f"Inferred from {samples}; say when a partner sends it.",
    }
    return head | schema


def _type_of(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    known: dict[type, str] = {int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return known[type(value)]


def _fits(name: str, text: str) -> bool:
    if name == "uri" and "://" not in text:  # a:b is one, too
        return False
    return _format(name).is_valid(text)


@lru_cache
def _format(name: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({"format": name}, validate_formats=True, offline=True)
