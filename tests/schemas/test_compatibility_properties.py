"""Of any two schemas: a verdict is proven by its witness, equal ones are compatible, a wider one reads the narrower."""

from typing import Any, Literal

import jsonschema
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from crossdock.kernel.problems import Refused
from schemas.compatibility import Comparison, compare
from schemas.contentmodel import ContentModel, as_reader, as_writer
from schemas.unchanged import without_unchanged
from schemas.unrolled import circle
from tests.schemas.anyschemas import DOCUMENTS, SCALARS, SCHEMAS, pairs
from tests.schemas.proofs import assert_proven

Schema = dict[str, Any]
DIRECTIONS: tuple[Literal["backward"], Literal["forward"]] = ("backward", "forward")
PLAIN = SCALARS.filter(lambda one: "$ref" not in one)
MANY = settings(max_examples=70, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])


def reads(schema: Any, document: Any) -> bool:
    """Tell what a validator says that has nothing to do with ours."""
    return bool(jsonschema.Draft202012Validator(schema).is_valid(document))


def compared(old: Schema, new: Schema, model: ContentModel) -> Comparison:
    """Compare two schemas of which each says something about a document, in forms that can be compared at all."""
    assume(circle(old) is None and circle(new) is None)
    try:
        return compare(old, new, model)
    except Refused:
        assume(False)
        raise


@MANY
@given(pairs(), st.sampled_from(ContentModel))
def test_each_witness_is_taken_by_one_version_and_refused_by_the_other(
    pair: tuple[Schema, Schema], model: ContentModel
) -> None:
    found = compared(*pair, model)
    assert_proven(found, *pair)
    for direction in DIRECTIONS:
        writer, reader = pair if direction == "backward" else pair[::-1]
        for change in found.breaking(direction):
            assert not change.proven or (reads(writer, change.witness) and not reads(reader, change.witness))


@MANY
@given(pairs(), st.sampled_from(ContentModel), st.lists(DOCUMENTS, min_size=1, max_size=20))
def test_no_document_contradicts_a_verdict(
    pair: tuple[Schema, Schema], model: ContentModel, documents: list[Any]
) -> None:
    old, new = pair
    found = compared(old, new, model)
    for holds, writer, reader in ((found.backward, old, new), (found.forward, new, old)):
        sends, takes = as_writer(writer, model), as_reader(reader, model)
        assert not holds or not [one for one in documents if reads(sends, one) and not reads(takes, one)]


@settings(MANY, max_examples=40)
@given(pairs(), st.sampled_from(ContentModel))
def test_what_is_left_out_as_unchanged_contradicts_no_proof(pair: tuple[Schema, Schema], model: ContentModel) -> None:
    whole, less = compared(*pair, model), compared(*without_unchanged(*pair, model), model)
    for one, other in ((whole, less), (less, whole)):
        for direction in DIRECTIONS:
            shown = [change for change in one.breaking(direction) if change.proven]
            assert not (shown and getattr(other, direction))


@settings(max_examples=60, deadline=None)
@given(SCHEMAS)
def test_equal_schemas_are_fully_compatible(schema: Any) -> None:
    assume(circle(schema) is None)
    found = compare(schema, dict(schema))
    assert (found.backward, found.forward, found.changes) == (True, True, ())


@settings(max_examples=60, deadline=None)
@given(PLAIN, PLAIN)
def test_a_widened_schema_reads_what_was_written_for_the_narrow_one(narrow: Any, other: Any) -> None:
    assume(compare(narrow, narrow | {"title": "so"}).backward)
    assert compare(narrow, {"anyOf": [narrow, other]}).backward
    old = {"type": "object", "properties": {"a": narrow}, "required": ["a"]}
    assert compare(old, {"type": "object", "properties": {"a": narrow}}).backward
