"""What `schema new` makes of samples: it accepts all of them and says no more than they show."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.inference import ONLY_NULL, infer
from schemas.spec import compile_schema

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("samples", "schema"),
    [
        ([1, 2], {"type": "integer"}),
        ([1, 2.5], {"type": "number"}),
        ([2**63 + 1], {"type": "integer"}),
        (["a", None], {"type": ["string", "null"]}),
        ([None, None], {"description": ONLY_NULL}),
        (["2026-03-01", None], {"type": ["string", "null"], "format": "date"}),
        (["red", "green", None] * 3, {"type": ["string", "null"], "enum": ["green", "red", None]}),
        (["2026-03-01T10:00:00Z", "2026-03-01T10:00:00+02:00"], {"type": "string", "format": "date-time"}),
        (["2026-03-01", "2026-02-28"], {"type": "string", "format": "date"}),
        (["123e4567-e89b-12d3-a456-426614174000"], {"type": "string", "format": "uuid"}),
        (["a@example.org"], {"type": "string", "format": "email"}),
        (["https://example.org/x"], {"type": "string", "format": "uri"}),
        (["a:b"], {"type": "string"}),
        (["2026-03-01", "soon"], {"type": "string"}),
        (["red", "green"] * 3, {"type": "string", "enum": ["green", "red"]}),
        (["red"] * 9, {"type": "string"}),
        (["red", "red", "red", "red", "red", "green"], {"type": "string"}),
        ([[1, 2.5], []], {"type": "array", "items": {"type": "number"}}),
        ([[]], {"type": "array"}),
    ],
)
def test_a_place_gets_the_narrowest_plain_description_of_what_was_there(samples: list[Any], schema: Any) -> None:
    assert infer(samples) == schema


def test_fields_of_all_samples_are_required_and_nested_ones_are_merged() -> None:
    assert infer([{"id": 1, "to": {"city": "A"}}, {"id": 2, "to": {"city": "B", "zip": "1"}, "note": "x"}]) == {
        "type": "object",
        "required": ["id", "to"],
        "properties": {
            "id": {"type": "integer"},
            "to": {
                "type": "object",
                "required": ["city"],
                "properties": {"city": {"type": "string"}, "zip": {"type": "string"}},
            },
            "note": {"type": "string"},
        },
    }


@settings(max_examples=150, deadline=None)
@given(st.lists(JSON, min_size=1, max_size=6))
def test_every_sample_fits_what_was_inferred(samples: list[Any]) -> None:
    validator = compile_schema(infer(samples))
    assert all(validator.is_valid(sample) for sample in samples)
