"""Proves that nothing is left when one schema is taken from another, where that depends on regular expressions."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from jsonschema_rs import CanonicalSchema, canonical, canonicalize

from schemas.texts import matches_all, none_fits


def covers(reader: CanonicalSchema, writer: CanonicalSchema) -> bool:
    """Tell whether it is proven that one schema takes every document of another one."""
    try:
        known = reader.covers(writer)
        if known == canonical.Containment.UNKNOWN and (_has_patterns(reader) or _has_patterns(writer)):
            return is_nothing(writer.subtract(reader))  # which takes four times as long as to compare
        return known == canonical.Containment.YES
    except (canonical.CanonicalizationError, RecursionError):
        return False


def _has_patterns(schema: CanonicalSchema) -> bool:
    return "'pattern" in str(schema.to_json_schema())


def is_nothing(schema: CanonicalSchema) -> bool:
    """Tell whether it is proven that no document fits."""
    known = schema.satisfiability()
    if known != canonical.Satisfiability.UNKNOWN:
        return known == canonical.Satisfiability.NO
    match schema.view():
        case canonical.StringView() as view:
            return _no_text(view)
        case canonical.ArrayView() as view:
            return _no_array(view)
        case canonical.ObjectView() as view:
            return _no_object(view)
        case view:
            return _no_part(view)


def _no_part(view: Any) -> bool:
    match view:
        case canonical.TypedGroupView(_, body):
            return is_nothing(body)
        case canonical.AnyOfView(branches) | canonical.OneOfView(branches):
            return all(map(is_nothing, branches))
        case canonical.AllOfView(branches):
            return any(map(is_nothing, branches))
        case _:
            return False


def _no_text(view: canonical.StringView) -> bool:
    if any(map(matches_all, view.excluded_patterns)):
        return False  # whoever wrote it meant to exclude something, see `schemas.unshown`
    wanted, unwanted = frozenset(view.patterns), frozenset(view.excluded_patterns)
    return none_fits(wanted, unwanted, view.min_length or 0, view.max_length)


def _no_array(view: canonical.ArrayView) -> bool:
    first, least = list(view.prefix_items), view.min_items or 0
    rest = [] if view.items is None else [view.items]
    if any(map(is_nothing, first[:least])) or (least > len(first) and any(map(is_nothing, rest))):
        return True
    places = [*first, *rest] if rest else []  # without a rule for the rest, any item may be the one that is needed
    needed = [one.schema for one in view.contains if one.min_contains != 0]
    return bool(places) and any(all(_apart(one, place) for place in places) for one in needed)


def _no_object(view: canonical.ObjectView) -> bool:
    known = view.properties
    if any(is_nothing(known[name]) for name in view.required if name in known):
        return True
    return any(_cannot_be(bad, view) for bad in view.violations)


def _cannot_be(bad: Any, view: canonical.ObjectView) -> bool:
    """Tell whether no field can be as an object that is looked for must have one."""
    match bad:
        case canonical.NameFailsView(schema):
            return is_nothing(_names(view, schema).subtract(schema))
        case canonical.PatternValueFailsView(pattern, schema):
            names = _names(view, schema).intersect(_matching(pattern, schema.draft))
            own = view.pattern_properties.items()
            rules = [rule for wide, rule in own if covers(_matching(wide, schema.draft), names)]
            return is_nothing(names) or _beyond(schema, rules)
        case canonical.UndeclaredValueFailsView(names, patterns, additional):
            named = [rule for name, rule in view.properties.items() if name not in names]
            rules = [rule for own, rule in view.pattern_properties.items() if own not in patterns]
            rest = view.additional_properties
            return rest is not None and all(_beyond(additional, [rule]) for rule in (*named, *rules, rest))
        case _:
            return False


def _beyond(schema: CanonicalSchema, rules: Iterable[CanonicalSchema]) -> bool:
    """Tell whether what follows all the rules cannot fail the schema."""
    left: Any = schema.negate()
    for rule in rules:
        left = left.intersect(rule)
    return is_nothing(left)


def _apart(one: CanonicalSchema, other: CanonicalSchema) -> bool:
    return is_nothing(one.intersect(other))


def _names(view: canonical.ObjectView, like: CanonicalSchema) -> CanonicalSchema:
    """Return the texts that may be names of the object's fields, in the dialect of another schema."""
    texts = _matching("", like.draft)
    return texts if view.property_names is None else texts.intersect(view.property_names)


@lru_cache(maxsize=256)
def _matching(pattern: str, draft: int) -> CanonicalSchema:
    said = {"pattern": pattern} if pattern else {}
    return canonicalize({"type": "string", **said}, draft=draft, validate_formats=True, offline=True)
