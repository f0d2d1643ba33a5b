"""Versions that differ in regular expressions, wherever these stand: proven to be wider, or shown to be narrower."""

from typing import Any

import pytest

from schemas.compatibility import compare
from tests.schemas.proofs import assert_proven

CLOSED = {"additionalProperties": False}
FOUR = {"type": "string", "pattern": "^[0-9]{4}$"}
MORE = {"type": "string", "pattern": "^[0-9]{4,6}$"}
LONG = "^[0-9]+$"
WHOLE = {"type": "integer"}


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        (FOUR, MORE),
        ({"items": FOUR}, {"items": MORE}),
        ({"prefixItems": [FOUR], "items": FOUR}, {"prefixItems": [MORE], "items": MORE}),
        ({"contains": FOUR}, {"contains": MORE}),
        ({"not": MORE}, {"not": FOUR}),
        ({"anyOf": [FOUR, WHOLE]}, {"anyOf": [MORE, {"type": "number"}]}),
        ({"properties": {"a": FOUR, "b": FOUR}}, {"properties": {"a": MORE, "b": MORE}}),
        ({"additionalProperties": FOUR}, {"additionalProperties": MORE}),
        ({"propertyNames": FOUR}, {"propertyNames": MORE}),
        ({"patternProperties": {"^x": FOUR}}, {"patternProperties": {"^x": MORE}}),
        ({"patternProperties": {LONG: WHOLE}}, {"patternProperties": {FOUR["pattern"]: WHOLE}}),
        ({"patternProperties": {FOUR["pattern"]: WHOLE}, **CLOSED}, {"patternProperties": {LONG: WHOLE}, **CLOSED}),
        ({"patternProperties": {FOUR["pattern"]: WHOLE}, **CLOSED}, {"propertyNames": MORE}),
        ({"pattern": LONG, "maxLength": 4, "minLength": 4}, {"pattern": "^[0-9]{2,4}$"}),
        ({"pattern": "^a", "minLength": 3}, {"anyOf": [{"pattern": "^ab"}, {"pattern": "^a[^b]"}]}),
        ({"pattern": "^[a-c]{2}$"}, {"minLength": 2}),
        ({"format": "date", "pattern": "^200"}, {"format": "date", "pattern": "^20"}),
        ({"pattern": "^(EA|CS)$", "type": "string"}, {"pattern": "^[A-Z]{2}$"}),
        ({"in": 1, "properties": {"in": {"$ref": "#"}, "v": FOUR}}, {"properties": {"in": {"$ref": "#"}, "v": MORE}}),
    ],
)
def test_a_wider_pattern_is_proven_to_read_the_narrow_one_and_a_text_shows_what_the_narrow_one_refuses(
    narrow: Any, wide: Any
) -> None:
    found = compare(narrow, wide)
    assert (found.backward, found.forward) == (True, False)
    assert found.breaking("forward")
    assert all(change.proven for change in found.changes)
    assert_proven(found, narrow, wide)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ({"pattern": "[a-z]*"}, {}, "every text matches [a-z]*, as it is not anchored"),
        ({}, {"properties": {"a": {"pattern": ".*"}}}, "every text matches .*, as it is not anchored"),
    ],
)
def test_a_pattern_that_every_text_matches_is_a_break_that_no_document_shows(old: Any, new: Any, why: str) -> None:
    (change,) = [change for change in compare(old, new).changes if change.breaks]
    assert (change.proven, change.witness) == (False, None)
    assert change.why.startswith(why)
