"""Large schemas: compared in bounded time, what stayed the same passed by, and still each break with its witness."""

import time
from typing import Any

import pytest

from schemas.bounded import SECONDS, compare_within
from schemas.contentmodel import ContentModel
from schemas.unchanged import without_unchanged
from tests.schemas.proofs import assert_proven


def fields(count: int, **more: Any) -> dict[str, Any]:
    kinds = [{"type": "string", "minLength": at} for at in range(count)]
    named = {f"f{at}": kind for at, kind in enumerate(kinds)}
    return {"type": "object", "properties": named | more, "required": list(named)}


def patterned(extra: int) -> dict[str, Any]:
    named = {f"p{at}": {"type": "string", "pattern": f"^[a-z]{{1,{at + extra}}}x.*$"} for at in range(100)}
    return {"type": "object", "properties": named}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (patterned(1), patterned(2)),
        ({"enum": [str(at) for at in range(20_000)]}, {"enum": [f"v{at}" for at in range(20_000)]}),
    ],
)
def test_size_alone_makes_no_comparison_take_longer_than_is_said(old: Any, new: Any) -> None:
    before = time.monotonic()
    found = compare_within(old, new)
    assert time.monotonic() - before < SECONDS + 1
    assert (found.backward, found.forward) == (False, False)


def test_one_value_less_of_thousands_is_shown() -> None:
    old, new = ({"enum": [f"v{at}" for at in range(count)]} for count in (5000, 4999))
    found = compare_within(old, new)
    assert (found.backward, found.forward, found.changes[0].witness) == (False, True, "v4999")


def test_a_bound_of_thousands_of_characters_is_shown() -> None:
    old, new = {"type": "string", "maxLength": 5000}, {"type": "string", "maxLength": 4999}
    found = compare_within(old, new)
    assert found.changes[0].proven
    assert_proven(found, old, new)


@pytest.mark.parametrize("model", ContentModel)
def test_fields_that_stayed_the_same_are_passed_by_and_the_witness_still_fits_them(model: ContentModel) -> None:
    old, new = fields(60, n={"type": "integer"}), fields(60, n={"type": "integer", "minimum": 0})
    one, _ = without_unchanged(old, new, model)
    assert all("const" in one["properties"][f"f{at}"] for at in range(20))
    found = compare_within(old, new, model)
    assert (found.backward, found.forward) == (False, True)
    assert found.changes[0].pointer == "/properties/n/minimum"
    assert_proven(found, old, new)


def test_a_field_that_something_else_looks_at_is_left_as_it_is() -> None:
    old = {**fields(2), "if": {"properties": {"f1": {"const": "x"}}}, "then": {"required": ["g"]}}
    new = {**old, "then": {"required": ["h"]}}
    assert without_unchanged(old, new, ContentModel.strict) == (old, new)
