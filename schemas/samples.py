"""Makes documents that a canonical schema accepts; the search for a witness draws from them."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import jsonschema_rs
from jsonschema_rs import CanonicalSchema, canonical

from schemas.pool import FORMATS, MAX_LENGTH, SHAPES, Pool
from schemas.texts import matching, some

MAX_DEPTH = 8
MOST = 24  # values of one place
MOST_ITEMS = 2000


def samples(schema: CanonicalSchema, pool: Pool, depth: int = 0) -> Iterator[Any]:
    """Return values that the schema accepts, plain ones first; none does not mean that there is none."""
    accepts = _validator(schema)
    seen: set[str] = set()
    most = 4 * MOST if depth == 0 else MOST
    if depth > MAX_DEPTH:
        return
    for value in islice(_candidates(schema, pool, depth), 40 * MOST):
        if len(seen) == most:
            return
        if (shown := repr(value)) not in seen and accepts.is_valid(value):
            seen.add(shown)
            yield value


def _validator(schema: CanonicalSchema) -> Any:
    written = schema.to_json_schema()
    return jsonschema_rs.validator_cls_for(written)(written, validate_formats=True, offline=True)  # type: ignore[arg-type]


def _candidates(schema: CanonicalSchema, pool: Pool, depth: int) -> Iterator[Any]:
    match schema.view():
        case canonical.ConstView(value):
            yield value
        case canonical.EnumView(values):
            yield from values
        case canonical.TypedGroupView(_, body):
            yield from _candidates(body, pool, depth)
        case canonical.StringView() as view:
            yield from _strings(view, pool)
        case canonical.NumberView() | canonical.IntegerView() as view:
            yield from _numbers(view, pool)
        case canonical.ArrayView() as view:
            yield from _arrays(view, pool, depth)
        case canonical.ObjectView() as view:
            yield from _objects(view, pool, depth)
        case _:
            yield from _compounds(schema, pool, depth)


def _compounds(schema: CanonicalSchema, pool: Pool, depth: int) -> Iterator[Any]:
    match schema.view():
        case canonical.AnyOfView(branches) | canonical.OneOfView(branches):
            yield from _in_turn([samples(branch, pool, depth + 1) for branch in branches[:16]])
        case canonical.AllOfView(branches):
            yield from _in_turn([_candidates(branch, pool, depth + 1) for branch in branches[:16]])
            yield from pool.values
        case canonical.ReferenceView(uri) if (target := schema.definition(uri)) is not None:
            yield from samples(target, pool, depth + 1)
        case _:
            yield from (*pool.values, *FORMATS)


def _in_turn(sources: list[Any]) -> Iterator[Any]:
    while sources:
        for source in [*sources]:
            try:
                yield next(source)
            except StopIteration:
                sources.remove(source)


def _strings(view: canonical.StringView, pool: Pool) -> Iterator[str]:
    least, most = view.min_length or 0, view.max_length
    if view.patterns or view.excluded_patterns:
        formats = [SHAPES[name] for name in view.formats if name in SHAPES]
        yield from some(frozenset((*view.patterns, *formats)), frozenset(view.excluded_patterns), least, most)
    yield from FORMATS if view.formats or view.content_encodings or view.content_media_types else ()
    yield from ("x" * length for length in (max(least, 1), least, least + 1) if length <= MAX_LENGTH)
    yield from pool.texts()
    if most is not None and most <= MAX_LENGTH:
        yield "x" * most


def _numbers(view: canonical.NumberView | canonical.IntegerView, pool: Pool) -> Iterator[Any]:
    low, high = view.minimum, view.maximum
    steps = [*view.multiple_of, *view.not_multiple_of]
    whole = isinstance(view, canonical.IntegerView)
    for value in (1, 0, low, high, *pool.numbers()):
        if value is not None:
            exact = _plain(value)
            yield from (
                (exact, exact + 1, exact - 1) if whole else (exact, exact + 0.5, exact - 0.5, exact + 1, exact - 1)
            )
    for step in map(_plain, steps):
        first = int((_plain(low) if low is not None else 0) / step) if step else 0
        yield from (step * (first + index) for index in range(-2, 13))


def _plain(value: Any) -> int | float:
    return value if isinstance(value, int | float) else float(value)


def _arrays(view: canonical.ArrayView, pool: Pool, depth: int) -> Iterator[list[Any]]:
    least, prefix = view.min_items or 0, list(view.prefix_items)
    rest = _few(view.items, pool, depth)
    tuple_ = [_few(schema, pool, depth) for schema in prefix]
    needed = [value for one in view.contains for value in _repeated(one, view.items, pool, depth)]
    for length in dict.fromkeys((least, len(prefix), len(prefix) + 1, len(needed), least + 1, least + 2, *range(4))):
        if least <= length <= MOST_ITEMS:
            yield from _rows(tuple_, rest, needed, length)


def _repeated(one: canonical.ContainsView, items: CanonicalSchema | None, pool: Pool, depth: int) -> list[Any]:
    found = _few(_both(one.schema, items), pool, depth) or _few(one.schema, pool, depth)
    count = one.min_contains if one.min_contains is not None else 1
    return [found[index % len(found)] for index in range(min(count, MOST_ITEMS))] if found else []


def _rows(tuple_: list[list[Any]], rest: list[Any], needed: list[Any], length: int) -> Iterator[list[Any]]:
    """Return arrays of one length: of the first values, of other ones in one place, of distinct and of equal ones."""
    places = [tuple_[index] if index < len(tuple_) else rest for index in range(length)]
    if not all(places):
        return
    base = [place[0] for place in places]
    yield base
    yield [place[index % len(place)] for index, place in enumerate(places)]
    if rest and all(isinstance(value, int) for value in rest):
        yield [*base[: len(tuple_)], *range(rest[0], rest[0] + length - len(tuple_))]
    yield [*base[: len(tuple_)], *(f"{'x' * 2}{index}" for index in range(length - len(tuple_)))]
    yield [*base[: max(0, length - len(needed))], *needed[:length]]
    yield from _in_turn([_varied(base, index, places[index]) for index in reversed(range(min(length, 32)))])


def _varied(base: list[Any], index: int, place: list[Any]) -> Iterator[list[Any]]:
    return ([*base[:index], value, *base[index + 1 :]] for value in place[1:])


def _objects(view: canonical.ObjectView, pool: Pool, depth: int) -> Iterator[dict[str, Any]]:
    known = {name: _few(schema, pool, depth) for name, schema in view.properties.items()}
    other = _few(view.additional_properties, pool, depth)
    patterns = {name: schema for pattern, schema in view.pattern_properties.items() for name in matching(pattern)[:2]}
    patterned = {name: _few(schema, pool, depth) for name, schema in patterns.items()}
    base = {name: (known.get(name) or other or ["x"])[0] for name in view.required}
    for bad in view.violations:
        yield from ({**base, name: value} for name, value in _violating(bad, view, pool, depth))
    optional = _optional(view, known | patterned, other, pool, base)
    for size in dict.fromkeys((view.min_properties or 0, len(base), view.max_properties or 0)):
        if len(base) <= size <= MOST_ITEMS:
            yield base | dict(list(optional.items())[: size - len(base)])
    for name in (*base, *optional):
        yield from ({**base, name: value} for value in (known.get(name) or patterned.get(name) or other))
    yield base | {name: values[0] for name, values in known.items() if values}
    yield from ({**base, **optional, name: value} for name, values in known.items() for value in values)


def _optional(
    view: canonical.ObjectView, known: Mapping[str, list[Any]], other: list[Any], pool: Pool, base: Mapping[str, Any]
) -> dict[str, Any]:
    """Return properties that may be added to the required ones, as many as there may have to be."""
    names = [*pool.names, *pool.texts(), *_fresh(view.property_names)]
    wanted = max(view.min_properties or 0, view.max_properties or 0, 3)
    names += [f"other{index}" for index in range(min(wanted + 2, MOST_ITEMS))]
    given = {name: values[0] for name, values in known.items() if values and name not in base}
    return given | {name: other[0] for name in names if other and name not in known and name not in base}


def _fresh(names: CanonicalSchema | None) -> list[str]:
    if names is None:
        return ["other"]
    found = [name for name in samples(names, Pool()) if isinstance(name, str)]
    longer = [name + "x" * index for name in found[:1] for index in range(12)]
    return [*found, *longer]


def _violating(bad: Any, view: canonical.ObjectView, pool: Pool, depth: int) -> Iterator[tuple[str, Any]]:
    """Return names and values of fields that an object must have so as not to be taken by another schema."""
    match bad:
        case canonical.NameFailsView(schema):
            accepts = _validator(schema)
            known = ("other", *pool.names, *pool.texts())
            names = [name for name in known if not accepts.is_valid(name)]
            names += [name for name in _failing(schema, [view.property_names], pool, depth) if isinstance(name, str)]
            yield from ((name, value) for value in _values(view, pool, depth) for name in (*names[:8], *names[-8:]))
        case canonical.UndeclaredValueFailsView(names, _, additional):
            fresh = [name for name in ("other", *pool.names, *pool.texts()) if name not in names]
            rules = [*view.pattern_properties.values(), view.additional_properties]
            values = _failing(additional, rules, pool, depth)
            yield from ((name, value) for value in values for name in fresh[:8])
        case canonical.PatternValueFailsView(pattern, schema):
            rules = [*view.pattern_properties.values(), view.additional_properties]
            values = _failing(schema, rules, pool, depth)
            own = some(frozenset((pattern, *view.pattern_properties))), matching(pattern)
            yield from ((name, value) for value in values for name in (*own[0][:3], *own[1][:3]))


def _values(view: canonical.ObjectView, pool: Pool, depth: int) -> list[Any]:
    """Return values that a field of any name may have."""
    rules = [rule for rule in (view.additional_properties, *view.pattern_properties.values()) if rule is not None]
    return [value for rule in rules for value in _few(rule, pool, depth)[:4]] + [*pool.values[:60]]


def _failing(schema: CanonicalSchema, rules: Iterable[CanonicalSchema | None], pool: Pool, depth: int) -> list[Any]:
    """Return values that do not fit a schema: those first that fit one of the rules."""
    accepts = _validator(schema)
    found = [value for rule in rules if rule is not None for value in _few(_both(schema.negate(), rule), pool, depth)]
    return [*found, *(value for value in pool.values[:60] if not accepts.is_valid(value))]


def _both(one: CanonicalSchema, other: CanonicalSchema | None) -> CanonicalSchema:
    try:
        return one if other is None else one.intersect(other)
    except canonical.CanonicalizationError:
        return one


def _few(schema: CanonicalSchema | None, pool: Pool, depth: int) -> list[Any]:
    if schema is None:
        return [*pool.values[:12]]
    return list(islice(samples(schema, pool, depth + 1), 12 if depth < 2 else 4))
