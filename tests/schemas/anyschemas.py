"""Random pairs of schemas that are near each other, and random documents; for the property tests."""

from typing import Any

from hypothesis import strategies as st

Schemas = st.SearchStrategy[Any]

SMALL = st.integers(0, 4)
NAMES = st.sampled_from(["a", "b", "ab"])
ATOMS = st.sampled_from(["a", "b", "[ab]", "[^a]", "[0-9]", "\\d", "\\w", ".", "^a", "b$", "ab"])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds(lambda one, other: one + other, inner, inner),
        st.builds(lambda one, other: f"(?:{one}|{other})", inner, inner),
        st.builds(lambda one, times: f"(?:{one}){times}", inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}"])),
        st.builds(lambda one: f"^(?:{one})$", inner),
    ),
    max_leaves=4,
)
VALUES: Schemas = st.sampled_from(["x", "ab", "a", 1, 2, None, True, 1.5, [], {"a": 1}])
SCALARS = st.one_of(
    st.builds(lambda low, more: {"type": "integer", "minimum": low, "maximum": low + more}, SMALL, SMALL),
    st.builds(lambda low: {"exclusiveMinimum": low}, SMALL),
    st.builds(lambda low, more: {"type": "string", "minLength": low, "maxLength": low + more}, SMALL, SMALL),
    st.builds(lambda pattern: {"type": "string", "pattern": pattern}, PATTERNS),
    st.builds(lambda pattern, most: {"pattern": pattern, "maxLength": most}, PATTERNS, SMALL),
    st.builds(lambda values: {"enum": values}, st.lists(VALUES, min_size=1, max_size=3, unique_by=repr)),
    st.builds(lambda value: {"const": value}, VALUES),
    st.builds(lambda step: {"type": "number", "multipleOf": step + 1}, SMALL),
    st.sampled_from([{"type": "boolean"}, {"type": ["string", "null"]}, {"type": "number"}, {}, {"$ref": "#/$defs/d"}]),
)


def _containers(inner: Schemas) -> Schemas:
    objects = st.builds(
        lambda properties, required, rest: {
            "type": "object", "properties": properties, "required": sorted(required), **rest,
        },
        st.dictionaries(NAMES, inner, max_size=3),
        st.sets(NAMES, max_size=2),
        st.one_of(
            st.just({}),
            st.just({"additionalProperties": False}),
            st.builds(lambda one: {"additionalProperties": one}, inner),
            st.builds(lambda pattern, one: {"patternProperties": {pattern: one}}, PATTERNS, inner),
            st.builds(lambda pattern: {"propertyNames": {"pattern": pattern}}, PATTERNS),
        ),
    )  # fmt: skip
    arrays = st.builds(
        lambda key, one, least: {"type": "array", key: one, "minItems": least},
        st.sampled_from(["items", "contains"]), inner, st.integers(0, 2),
    )  # fmt: skip
    rows = st.builds(lambda one, rest: {"type": "array", "prefixItems": [one], "items": rest}, inner, inner)
    several = st.builds(
        lambda key, some: {key: some},
        st.sampled_from(["anyOf", "oneOf", "allOf"]), st.lists(inner, min_size=1, max_size=2),
    )  # fmt: skip
    return st.one_of(objects, arrays, rows, several, st.builds(lambda one: {"not": one}, inner))


_PARTS = st.recursive(SCALARS, _containers, max_leaves=5)
# A definition leads to itself only through data: what circles in place is refused before it is compared.
_DEFINITIONS = st.one_of(
    SCALARS.filter(lambda one: "$ref" not in one),
    st.builds(lambda one, name: {"type": "object", "properties": {name: one}}, _PARTS, NAMES),
    st.builds(lambda one: {"type": "array", "items": one}, _PARTS),
)
SCHEMAS = st.builds(
    lambda one, definition: {**one, "$defs": {"d": definition}} if "$ref" in str([one, definition]) else one,
    _PARTS, _DEFINITIONS,
)  # fmt: skip


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Any, Any]:
    """Draw two schemas, most often such that one is the other with one part changed."""
    old = draw(SCHEMAS)
    if draw(st.integers(0, 3)) == 0:
        return old, draw(SCHEMAS)
    new = _changed(draw, old)
    return (old, new) if draw(st.booleans()) else (new, old)


def _changed(draw: st.DrawFn, schema: Any) -> Any:
    inside = [key for key in ("properties", "patternProperties", "$defs") if schema.get(key)]
    inside += [key for key in ("items", "contains", "not", "additionalProperties") if isinstance(schema.get(key), dict)]
    inside += [key for key in ("anyOf", "oneOf", "allOf", "prefixItems") if schema.get(key)]
    chosen = draw(st.sampled_from(["", *inside]))
    if not chosen:
        other = draw(SCALARS.filter(lambda one: "$ref" not in one))
        return draw(st.sampled_from([{**schema, **other}, other, {key: schema[key] for key in [*schema][1:]}]))
    part = schema[chosen]
    if isinstance(part, list):
        at = draw(st.integers(0, len(part) - 1))
        return {**schema, chosen: [*part[:at], _changed(draw, part[at]), *part[at + 1 :]]}
    if chosen not in ("properties", "patternProperties", "$defs"):
        return {**schema, chosen: _changed(draw, part)}
    name = draw(st.sampled_from([*part]))
    return {**schema, chosen: {**part, name: _changed(draw, part[name])}}


DOCUMENTS = st.recursive(
    st.one_of(VALUES, st.integers(-1, 9), st.text("ab0x", max_size=4)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("ab0", max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
