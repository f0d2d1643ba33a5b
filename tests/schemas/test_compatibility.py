"""Whether two versions read each other's documents: verdicts, and a document that proves each refusal."""

import json
import os
import time
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from crossdock.kernel.problems import Refused
from schemas.bounded import SECONDS, compare_within
from schemas.compatibility import Comparison, compare
from schemas.contentmodel import ContentModel
from schemas.dialects import modern_bounds
from schemas.unshown import UNSHOWN
from tests.schemas.proofs import assert_proven

ROOT = Path(__file__).parents[2]
CORPORA = Path(os.environ.get("CROSSDOCK_SHARED", ROOT.parent / "shared")) / "corpora"
HOLDS = {"backward": (True, False), "both": (True, True), "none": (False, False)}
# Both are told in docs/schemas.md: the standard says that these versions accept the same documents.
DIFFERENT = {"Complex: anyOf 1": (True, True), "Conditional: if": (True, True)}
UNSHOWABLE = {
    "String: pattern 1": "every text matches [a-z]*,",
    "Conditional: else": "every text matches [A-Z]*,",
    "String: contentMediaType 3": "no validator looks into contentMediaType,",
    "Const": "no document at all fits the ",
}

A = {"type": "object", "properties": {"a": {"type": "string"}}}
A_AND_B = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}
STRING = {"type": "string"}
TO_X = {"$ref": "#/$defs/x"}
IF_A = {"if": {"required": ["a"]}}
SEALED = {"unevaluatedProperties": False}
CLOSED = {"additionalProperties": False}


def verdict(found: Comparison) -> tuple[bool, bool]:
    return found.backward, found.forward


def breaks(old: Any, new: Any, model: ContentModel = ContentModel.strict) -> list[tuple[str, str]]:
    """Return pointer and direction of each break, all of which must be proven."""
    found = compare(old, new, model)
    assert_proven(found, old, new)
    return [(change.pointer, direction) for change in found.changes for direction in change.breaks if change.proven]


@pytest.mark.skipif(not CORPORA.is_dir(), reason="no corpora: set CROSSDOCK_SHARED to the folder above")
def test_the_verdicts_on_the_public_cases_are_those_of_the_corpus_but_for_two() -> None:
    cases = json.loads((CORPORA / "schema-compatibility" / "cases.json").read_bytes())
    for case in cases:
        old, new = case["original"], case["updated"]
        found = compare(old, new)
        assert verdict(found) == DIFFERENT.get(case["id"], HOLDS[case["compatibility"]]), case["id"]
        unproven = [(change.why, change.witness) for change in found.changes if not change.proven]
        assert bool(unproven) == (case["id"] in UNSHOWABLE), case["id"]
        assert all(why.startswith(UNSHOWABLE[case["id"]]) and witness is None for why, witness in unproven)
        assert_proven(found, modern_bounds(old), modern_bounds(new))
    assert len([case for case in cases if case["id"] not in DIFFERENT]) == 71


@pytest.mark.parametrize(
    ("old", "new", "pointer", "broken"),
    [
        ({"type": "integer"}, {"type": "number"}, "/type", "forward"),
        ({"minimum": 1}, {"minimum": 2}, "/minimum", "backward"),
        ({"maximum": 10**17 + 1}, {"maximum": 10**17}, "/maximum", "backward"),
        ({"multipleOf": 0.01}, {"multipleOf": 0.1}, "/multipleOf", "backward"),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}, "/enum", "backward"),
        ({"pattern": "^[0-9]+$"}, {"pattern": "^[0-9]{2}$"}, "/pattern", "backward"),
        ({"format": "date"}, {}, "/format", "forward"),
        ({"maxLength": 3}, {"maxLength": 2}, "/maxLength", "backward"),
        ({"required": ["a"]}, {"required": ["a", "b"]}, "/required", "backward"),
        ({"minProperties": 1}, {"minProperties": 3}, "/minProperties", "backward"),
        ({"propertyNames": {"maxLength": 9}}, {"propertyNames": {}}, "/propertyNames/maxLength", "forward"),
        ({"dependentRequired": {"a": ["b"]}}, {}, "/dependentRequired", "forward"),
        ({}, {"dependentSchemas": {"a": {"required": ["b"]}}}, "/dependentSchemas", "backward"),
        ({"patternProperties": {"^x": STRING}}, {}, "/patternProperties", "forward"),
        ({"items": {"type": "integer"}}, {"items": {"type": "number"}}, "/items/type", "forward"),
        ({"prefixItems": [STRING]}, {}, "/prefixItems", "forward"),
        ({"contains": STRING}, {"contains": STRING, "minContains": 2}, "/minContains", "backward"),
        ({}, {"uniqueItems": True}, "/uniqueItems", "backward"),
        ({"maxItems": 2}, {"maxItems": 3}, "/maxItems", "forward"),
        ({"not": {"type": "null"}}, {"not": {"type": ["null", "string"]}}, "/not/type", "backward"),
        ({"anyOf": [{"type": "null"}, STRING]}, {"anyOf": [{"type": "null"}]}, "/anyOf", "backward"),
        ({**IF_A, "then": {"required": ["b"]}}, {**IF_A, "then": {}}, "/then/required", "forward"),
        ({"allOf": [A], **SEALED}, {"allOf": [A_AND_B], **SEALED}, "/allOf/0/properties/b", "forward"),
        ({"prefixItems": [True], "unevaluatedItems": False}, {"prefixItems": [True]}, "/unevaluatedItems", "forward"),
        ({**TO_X, "$defs": {"x": STRING}}, {**TO_X, "$defs": {"x": {}}}, "/$defs/x/type", "forward"),
    ],
)  # fmt: skip
def test_each_keyword_is_judged_at_its_place_with_a_document_that_proves_it(
    old: Any, new: Any, pointer: str, broken: str
) -> None:
    assert breaks(old, new) == [(pointer, broken)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"allOf": [{"minimum": 1}, {"maximum": 5}]}, {"minimum": 1, "maximum": 5}),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, {"type": ["null", "string"]}),
        ({"enum": ["a"]}, {"const": "a"}),
        ({"type": "object", "title": "one"}, {"type": "object", "title": "two", "description": "said"}),
        ({"type": "integer", "exclusiveMinimum": 0}, {"type": "integer", "minimum": 1}),
        ({"required": ["a"], "properties": {"b": True}}, {"required": ["a"]}),
    ],
)
def test_what_says_the_same_in_other_words_is_fully_compatible(old: Any, new: Any) -> None:
    assert verdict(compare(old, new)) == (True, True)


@pytest.mark.parametrize(
    ("old", "new", "strict", "lenient"),
    [
        (A, A_AND_B, (False, True), (True, True)),
        (A | CLOSED, A_AND_B | CLOSED, (True, False), (True, True)),
        (A | CLOSED, A, (True, False), (True, True)),
        (A, A_AND_B | {"required": ["b"]}, (False, True), (False, True)),
        ({"allOf": [A]}, {"allOf": [A, {"properties": {"c": {"type": "null"}}}]}, (False, True), (True, True)),
        ({"additionalProperties": STRING}, {"additionalProperties": False}, (False, True), (True, True)),
    ],
)  # fmt: skip
def test_in_the_lenient_model_writers_send_named_fields_only_and_readers_pass_by_others(
    old: Any, new: Any, strict: tuple[bool, bool], lenient: tuple[bool, bool]
) -> None:
    assert verdict(compare(old, new)) == strict
    assert verdict(compare(old, new, ContentModel.lenient)) == lenient
    breaks(old, new, ContentModel.lenient)


def test_a_schema_that_refers_to_itself_is_compared_inside_of_itself() -> None:
    old: dict[str, Any] = {"type": "object", "properties": {"in": {"$ref": "#"}, "n": {"type": "number"}}}
    new = {**old, "properties": {**old["properties"], "n": {"type": "integer"}}}
    assert breaks(old, new) == [("/properties/n/type", "backward")]
    assert verdict(compare(old, dict(old))) == (True, True)


def test_the_why_says_what_the_reader_answers() -> None:
    (change,) = compare({"properties": {"n": {"maximum": 5}}}, {"properties": {"n": {"maximum": 3}}}).changes
    assert change.change == "maximum: 5 became 3"
    assert change.why.startswith(
        "the old version may send what the new one refuses: /n is greater than the maximum of 3"
    )


def test_what_is_neither_shown_nor_proven_counts_as_a_break_and_says_so() -> None:
    # given patterns that only an automaton with more states than are allowed could tell apart
    found = compare({"pattern": "^(a|b)*a(a|b){20}$"}, {"pattern": "^(a|b)*a(b|a){20}$"})
    assert verdict(found) == (False, False)
    assert sorted(one.breaks for one in found.changes) == [("backward",), ("forward",)]
    assert {(one.proven, one.why, one.witness) for one in found.changes} == {(False, UNSHOWN, None)}


def test_the_why_of_a_change_is_about_this_change_and_its_witness_shows_no_other() -> None:
    # given three changes at once
    old = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}
    new = {**old, "properties": {"a": {"type": "string"}, "b": {"maximum": 3}}, "required": ["b"]}
    # when
    found = compare(old, new)
    assert_proven(found, old, new)
    # then each one has a document that the other changes would let pass
    told = {change.pointer: change for change in found.breaking("backward")}
    assert [(pointer, change.why.split(": ")[1]) for pointer, change in told.items()] == [
        ("/properties/a/type", '/a is not of type "string", got 3'),
        ("/properties/b/maximum", "/b is greater than the maximum of 3, got 4"),
        ("/required", "/b is required"),
    ]
    assert [sorted(change.witness) for change in told.values()] == [["a", "b"], ["b"], []]


def test_two_versions_that_no_document_fits_are_compatible_with_nothing() -> None:
    nothing = {"type": "string", "const": 1}
    found = compare(nothing, {"type": "string", "const": 2})
    assert verdict(found) == (False, False)
    assert found.changes[0].why == "no document at all fits the new version"


def test_a_schema_that_is_none_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        compare({"type": "strin"}, {})
    assert caught.value.problems[0].code == "bad_schema"


def _nested(depth: int, leaf: dict[str, Any]) -> dict[str, Any]:
    if depth == 0:
        return leaf
    inner = _nested(depth - 1, leaf)
    return {
        "oneOf": [
            {"properties": {"a": inner}},
            {"properties": {"b": inner}, "required": ["b"]},
            {"minProperties": depth},
        ]
    }


def _doubling(depth: int) -> dict[str, Any]:
    links = {f"a{n}": {"oneOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(depth)}
    return {"$ref": "#/$defs/a0", "$defs": {**links, f"a{depth}": {"type": "string"}}}


@pytest.mark.parametrize("hostile", [_nested(9, {"type": "string"}), _doubling(40)])
def test_alternatives_inside_alternatives_end_in_time_with_an_honest_answer(hostile: dict[str, Any]) -> None:
    before = time.monotonic()
    found = compare_within(hostile, {"type": "integer"})
    assert time.monotonic() - before < SECONDS + 1
    if not (found.backward and found.forward):
        assert all(
            one.proven or "longer than" in one.why or "no document was found" in one.why for one in found.changes
        )


def test_a_comparison_in_a_process_of_its_own_gives_the_same_answer() -> None:
    alternatives = {"anyOf": [{"const": n} for n in range(20)]}
    fewer = {"anyOf": [{"const": n} for n in range(19)]}
    found = compare_within(alternatives, fewer)
    assert found == compare(alternatives, fewer)
    assert [one.witness for one in found.changes] == [19]


def test_versions_in_different_dialects_are_compared_in_the_newest() -> None:
    old = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "items": [{"type": "string"}],
        "additionalItems": False,
    }
    new = {"prefixItems": [{"type": "string"}], "items": False}
    assert verdict(compare(old, new)) == (True, True)
    assert jsonschema_rs.Draft202012Validator(new).is_valid(["x"])
