"""When no alternative of a oneOf or anyOf fits: three lines at most, about the one that was meant."""

from typing import Any

import pytest

from schemas.differences import differences
from schemas.spec import compile_schema

SHIP = {
    "type": "object",
    "properties": {"kind": {"const": "ship"}, "imo": {"type": "string"}},
    "required": ["kind", "imo"],
    "additionalProperties": False,
}
TRUCK = {
    "type": "object",
    "properties": {"kind": {"enum": ["truck", "van"]}, "axles": {"type": "integer", "minimum": 2}},
    "required": ["kind", "axles", "plate", "owner", "tare"],
}


def told(schema: Any, data: Any) -> list[tuple[str, str]]:
    return [(problem.pointer, problem.message) for problem in differences(compile_schema(schema), data)]


def test_the_constant_field_says_which_alternative_was_meant_even_if_another_is_nearer() -> None:
    assert told({"oneOf": [SHIP, TRUCK]}, {"kind": "truck", "imo": "9"}) == [
        ("/axles", "is required"),
        ("/plate", "is required"),
        ("/owner", "is required"),
    ]


def test_when_no_alternative_has_the_constant_all_of_them_are_named() -> None:
    assert told({"oneOf": [SHIP, TRUCK]}, {"kind": "plane"}) == [
        ("/kind", 'is none of "ship" or "truck" or "van", got "plane"')
    ]


@pytest.mark.parametrize(
    ("schema", "data", "message"),
    [
        (
            {"anyOf": [{"type": "string"}, {"type": ["integer", "null"]}]},
            True,
            'is not of type "string" or "null" or "integer", got true',
        ),
        ({"anyOf": [{"const": 1}, {"enum": [2, 3]}]}, 9, "is none of 1 or 2 or 3, got 9"),
        ({"not": {"type": "null"}}, None, "is of the kind that is excluded here, got null"),
        ({"contains": {"type": "string"}}, [1], "has no item of the kind that it needs"),
        ({"propertyNames": {"maxLength": 2}}, {"abc": 1}, 'has a name that is longer than 2 characters, got "abc"'),
    ],
)  # fmt: skip
def test_what_was_expected_and_what_came_is_said_in_one_line(schema: Any, data: Any, message: str) -> None:
    assert told(schema, data) == [("", message)]


def test_an_alternative_of_the_right_type_is_preferred() -> None:
    assert told({"oneOf": [{"type": "null"}, SHIP]}, {"kind": "ship"}) == [("/imo", "is required")]


def test_alternatives_inside_an_alternative_are_told_the_same_way() -> None:
    schema = {"properties": {"by": {"anyOf": [{"type": "null"}, {"oneOf": [SHIP, TRUCK]}]}}}
    assert told(schema, {"by": {"kind": "ship", "name": "A"}}) == [
        ("/by/imo", "is required"),
        ("/by/name", "is not allowed here"),
    ]


def test_hundreds_of_alternatives_are_told_in_one_line() -> None:
    many = {"oneOf": [{"properties": {"kind": {"const": f"k{n}"}}, "required": ["kind"]} for n in range(300)]}
    ((pointer, message),) = told(many, {"kind": "other"})
    assert pointer == "/kind"
    assert message.endswith('or "k7" and 292 more, got "other"')
