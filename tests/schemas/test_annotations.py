"""Fields that a schema names keys or personal: where they are, what stands there, and how they are hidden."""

from typing import Any

import pytest

from schemas.annotations import EACH, KEY, PERSONAL, annotated, masked, values

SCHEMA = {
    "properties": {
        "order": {"type": "string", KEY: "po"},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
        "customer": {"allOf": [{"properties": {"name": {PERSONAL: True}, "tier": {PERSONAL: False}}}]},
        "address": {PERSONAL: True},
    },
    "if": {"properties": {"a": {"const": 1}}},
    "then": {"properties": {"store": {KEY: "store"}}},
    "$defs": {"line": {"properties": {"gtin": {KEY: "gtin"}, "parts": {"items": {"$ref": "#/$defs/line"}}}}},
}
DATA = {
    "order": "45", "lines": [{"gtin": "1", "parts": [{"gtin": "2"}]}, {"gtin": 3}, "odd"], "address": {"zip": "1"},
    "customer": {"name": "Ada", "tier": "gold"},
}  # fmt: skip


def test_annotated_fields_are_found_through_references_conditions_and_lists() -> None:
    found = annotated(SCHEMA, KEY)
    assert found[("order",)] == "po"
    assert found[("lines", EACH, "gtin")] == "gtin"
    assert found[("lines", EACH, "parts", EACH, "gtin")] == "gtin"
    assert found[("store",)] == "store"


def test_a_schema_that_refers_to_itself_in_place_has_an_end() -> None:
    assert annotated({"$ref": "#", KEY: "po"}, KEY) == {(): "po"}


def test_values_are_those_at_the_path_and_nothing_is_made_up() -> None:
    assert list(values(DATA, ("lines", EACH, "gtin"))) == ["1", 3]
    assert list(values(DATA, ("order", EACH))) == list(values(DATA, ("nothing",))) == []


def test_personal_fields_are_masked_and_the_data_stays_as_it_is() -> None:
    before = repr(DATA)
    shown = masked(DATA, annotated(SCHEMA, PERSONAL), "***")
    assert shown == DATA | {"customer": {"name": "***", "tier": "gold"}, "address": "***"}
    assert repr(DATA) == before


def test_data_without_personal_fields_is_shown_as_it_is() -> None:
    assert masked(DATA, annotated(SCHEMA, "x-nothing"), "***") is DATA


@pytest.mark.parametrize(
    ("said", "data", "shown"),
    [
        ({"additionalProperties": {PERSONAL: True}}, {"any": "Ada"}, {"any": "***"}),
        ({"patternProperties": {"^c": {PERSONAL: True}}}, {"c1": "Ada"}, {"c1": "***"}),
        ({"unevaluatedProperties": {"properties": {"name": {PERSONAL: True}}}},
         {"x": {"name": "Ada", "n": 1}}, {"x": {"name": "***", "n": 1}}),
        ({"prefixItems": [{PERSONAL: True}]}, ["Ada"], ["***"]),
        ({"contains": {"properties": {"name": {PERSONAL: True}}}}, [{"name": "Ada"}, 1], [{"name": "***"}, "***"]),
        ({"dependentSchemas": {"a": {"properties": {"name": {PERSONAL: True}}}}},
         {"a": 1, "name": "Ada"}, {"a": 1, "name": "***"}),
    ],
)  # fmt: skip
def test_fields_that_a_schema_does_not_name_are_masked_too(said: Any, data: Any, shown: Any) -> None:
    found = annotated({"properties": {"in": said}}, PERSONAL)
    assert masked({"in": data, "out": "Ada"}, found, "***") == {"in": shown, "out": "Ada"}
    assert "Ada" in str(list(values({"in": data}, next(iter(found)))))


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ({"customer": "Ada", "address": None}, {"customer": "***", "address": None}),
        ({"customer": ["Ada", {"name": "Ada"}]}, {"customer": "***"}),
        ({"customer": {"name": {"first": "Ada"}, "tier": 1}}, {"customer": {"name": "***", "tier": 1}}),
        ({"customer": {}}, {"customer": {}}),
        ("Ada", "***"),
        (["Ada"], "***"),
    ],
)
def test_what_has_another_form_than_the_schema_gives_it_is_masked_whole(data: Any, shown: Any) -> None:
    assert masked(data, annotated(SCHEMA, PERSONAL), "***") == shown
