"""Of any two schemas: a verdict is proven by its witness, equal ones are compatible, a wider one reads the narrower."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.compatibility import compare
from schemas.contentmodel import ContentModel
from tests.schemas.proofs import accepts, assert_proven

SMALL = st.integers(0, 4)
NAMES = st.sampled_from(["a", "b", "c"])
SCALARS = st.one_of(
    st.just({"type": "boolean"}),
    st.builds(lambda low, more: {"type": "integer", "minimum": low, "maximum": low + more}, SMALL, SMALL),
    st.builds(lambda low, more: {"type": "string", "minLength": low, "maxLength": low + more}, SMALL, SMALL),
    st.builds(lambda values: {"enum": values}, st.lists(st.sampled_from(["x", "y", 1, None]), min_size=1, unique=True)),
    st.builds(lambda step: {"type": "number", "multipleOf": step + 1}, SMALL),
    st.just({"type": ["string", "null"]}),
    st.just({}),
)


def _containers(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    objects = st.builds(
        lambda properties, required, closed: {
            "type": "object", "properties": properties, "required": sorted(required),
            **({"additionalProperties": False} if closed else {}),
        },
        st.dictionaries(NAMES, inner, max_size=3), st.sets(NAMES, max_size=2), st.booleans(),
    )  # fmt: skip
    arrays = st.builds(lambda items, least: {"type": "array", "items": items, "minItems": least}, inner, SMALL)
    chosen = st.builds(
        lambda key, some: {key: some},
        st.sampled_from(["anyOf", "oneOf", "allOf"]),
        st.lists(inner, min_size=1, max_size=2),
    )
    return st.one_of(objects, arrays, chosen, st.builds(lambda one: {"not": one}, inner))


SCHEMAS = st.recursive(SCALARS, _containers, max_leaves=5)
DOCUMENTS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-1, 9), st.sampled_from(["", "x", "xxx", "y"])),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=6,
)


@settings(max_examples=120, deadline=None)
@given(SCHEMAS, SCHEMAS, st.sampled_from(ContentModel))
def test_each_witness_proves_its_verdict(old: Any, new: Any, model: ContentModel) -> None:
    assert_proven(compare(old, new, model), old, new)


@settings(max_examples=120, deadline=None)
@given(SCHEMAS, SCHEMAS, st.lists(DOCUMENTS, min_size=1, max_size=20))
def test_no_document_contradicts_a_verdict(old: Any, new: Any, documents: list[Any]) -> None:
    found = compare(old, new)
    for document in documents:
        taken = accepts(old, document), accepts(new, document)
        assert taken != (True, False) or not found.backward
        assert taken != (False, True) or not found.forward


@settings(max_examples=60, deadline=None)
@given(SCHEMAS)
def test_equal_schemas_are_fully_compatible(schema: Any) -> None:
    found = compare(schema, dict(schema))
    assert (found.backward, found.forward, found.changes) == (True, True, ())


@settings(max_examples=60, deadline=None)
@given(SCALARS, SCALARS)
def test_a_widened_schema_reads_what_was_written_for_the_narrow_one(narrow: Any, other: Any) -> None:
    assert compare(narrow, {"anyOf": [narrow, other]}).backward
    old = {"type": "object", "properties": {"a": narrow}, "required": ["a"]}
    assert compare(old, {"type": "object", "properties": {"a": narrow}}).backward
