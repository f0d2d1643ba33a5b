"""Schemas that refer to themselves: what one takes at every depth, the other is proven or shown to take or not."""

from typing import Any

import pytest

from schemas.compatibility import compare
from schemas.contentmodel import ContentModel
from tests.schemas.proofs import assert_proven

CLOSED = {"type": "object", "additionalProperties": False}


def node(reference: str, **more: Any) -> dict[str, Any]:
    return {**CLOSED, "properties": {"kids": {"type": "array", "items": {"$ref": reference}}, **more}}


def tree(reference: str = "#/$defs/n", **more: Any) -> dict[str, Any]:
    return {"$ref": "#/$defs/n", "$defs": {"n": node(reference, **more)}}


def levels(depth: int) -> dict[str, Any]:
    kids = {"type": "array", "items": levels(depth - 1)} if depth else {"type": "array", "maxItems": 0}
    return {**CLOSED, "properties": {"kids": kids}}


def verdict(old: Any, new: Any, model: ContentModel = ContentModel.strict) -> tuple[bool, bool]:
    found = compare(old, new, model)
    assert_proven(found, old, new)
    return found.backward, found.forward


@pytest.mark.parametrize("depth", [1, 5, 9])
def test_a_version_that_ends_at_some_depth_does_not_read_one_that_does_not(depth: int) -> None:
    found = compare(tree(), levels(depth))
    assert (found.backward, found.forward) == (False, True)
    assert [one.proven for one in found.breaking("backward")] == [True]
    assert_proven(found, tree(), levels(depth))


def test_two_definitions_that_take_turns_say_the_same_as_one() -> None:
    turns = {"$ref": "#/$defs/a", "$defs": {"a": node("#/$defs/b"), "b": node("#/$defs/a")}}
    assert verdict(tree(), turns) == (True, True)
    assert verdict(tree(), tree("#")) == (True, True)


def test_a_break_in_the_second_of_two_turns_is_found() -> None:
    turns = {"$ref": "#/$defs/a", "$defs": {"a": node("#/$defs/b", v={}), "b": node("#/$defs/a", v={"minimum": 0})}}
    assert verdict(tree(v={}), turns) == (False, True)


@pytest.mark.parametrize("model", ContentModel)
def test_a_wider_field_at_every_depth_is_read_and_a_narrower_one_not(model: ContentModel) -> None:
    assert verdict(tree(v={"type": "integer"}), tree(v={"type": "number"}), model) == (True, False)


def test_alternatives_that_lead_back_may_become_more() -> None:
    def chosen(*others: str) -> dict[str, Any]:
        kinds = [{"type": other} for other in others]
        return {"anyOf": [{"type": "array", "items": {"$ref": "#"}}, *kinds]}

    assert verdict(chosen("string"), chosen("null", "string")) == (True, False)


def test_what_anything_may_stand_for_is_read_at_every_depth() -> None:
    assert verdict(tree(), {"type": "object", "properties": {"kids": {"type": "array"}}}) == (True, False)


def test_an_alternative_that_is_excluded_must_stay_the_same_to_be_proven() -> None:
    def sealed(excluded: dict[str, Any], title: str) -> dict[str, Any]:
        definitions = {"n": {"type": "object", "properties": {"in": {"$ref": "#/$defs/n"}}, "required": ["in"]}}
        return {"not": {"anyOf": [{"$ref": "#/$defs/n"}, excluded]}, "type": ["object", title], "$defs": definitions}

    assert verdict(sealed({}, "null"), sealed({}, "null")) == (True, True)
    small, large = sealed({"maxProperties": 1}, "null"), sealed({"maxProperties": 2}, "null")
    assert verdict(small, large)[0] is False
