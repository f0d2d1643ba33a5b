"""A type with a schema, and a watch over its events; for the tests of drift."""

from collections.abc import Mapping
from typing import Any

from schemas.about import About
from schemas.drift import Finding, Origin, findings
from schemas.outline import Outline
from schemas.profile import LEARNT, Profile
from schemas.registry import Compiled, Registry
from schemas.spec import compile_schema, uri

ORIGIN = Origin("stores", "tills", "shop.sale", "1.0")
AT = 1_790_000_000_000
LINE = {
    "type": "object",
    "required": ["gtin"],
    "properties": {"gtin": {"type": "string", "x-crossdock-key": "gtin"}, "qty": {"type": ["integer", "string"]}},
    "additionalProperties": False,
}
SALE: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": uri("shop.sale", "1.0"),
    "title": "A sale",
    "type": "object",
    "required": ["store", "lines"],
    "properties": {
        "store": {"type": "string"},
        "note": {"type": ["string", "null"]},
        "payment": {"enum": ["cash", "card"]},
        "customer": {"type": "string", "enum": ["ann", "bob"], "x-crossdock-personal": True},
        "currency": {"$ref": "#/$defs/currency"},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
        "extra": {"type": "object"},
    },
    "additionalProperties": False,
    "$defs": {"line": LINE, "currency": {"type": "string"}},
}


def registry(schema: Mapping[str, Any] = SALE, about: About | None = None) -> Registry:
    return Registry({"shop.sale": {"1.0": Compiled(schema, compile_schema(schema))}}, {"shop.sale": about or About()})


def sale(**more: Any) -> dict[str, Any]:
    return {"store": "0042", "payment": "card", "currency": "EUR", "lines": [{"gtin": "1", "qty": 2}]} | more


class Watch:
    """A profile of one schema, and the events that were shown to it."""

    def __init__(self, schema: Mapping[str, Any] = SALE) -> None:
        self.registry = registry(schema)
        self.outline = Outline(schema)
        self.profile = Profile()
        self.at = AT

    def show(self, *events: Any, at: int = 0) -> "Watch":
        """Show events a second apart."""
        for data in events:
            self.at = at or self.at + 1000
            problems = self.registry.problems("shop.sale", "1.0", data)
            self.profile.look(self.outline.top, data, self.at, f"e{self.profile.looked}", problems)
        return self

    def found(self) -> list[Finding]:
        return findings(ORIGIN, self.profile, self.outline)

    def told(self) -> set[tuple[str, str]]:
        return {(one.kind, one.pointer) for one in self.found()}


def used(number: int = LEARNT + 50) -> Watch:
    """Return a watch that has seen what is usual."""
    return Watch().show(*(sale(note="x" if index % 2 else "y") for index in range(number)))


PLANTED: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "a field": ({"loyalty": 1}, ("unknown_field", "/loyalty")),
    "a field with a hostile name": ({"a/b~c": 1}, ("unknown_field", "/a~1b~0c")),
    "a field of an item": ({"lines": [{"gtin": "1"}, {"gtin": "1", "x": 1}]}, ("unknown_field", "/lines/*/x")),
    "a value of a list": ({"payment": "voucher"}, ("new_value", "/payment")),
    "null": ({"store": None}, ("null", "/store")),
    "null in place of a list's value": ({"payment": None}, ("null", "/payment")),
    "another kind": ({"store": 42}, ("type", "/store")),
    "an object for a text": ({"currency": {"code": "EUR"}}, ("type", "/currency")),
}
