"""What rules of conformance name compared with the schemas and transforms; called when a project is loaded."""

from collections.abc import Callable, Collection, Iterator, Sequence

from crossdock.alertcheck import MayHave
from crossdock.kernel.content import Spot, did_you_mean
from crossdock.kernel.problems import Problem
from crossdock.kernel.yamlfile import Path_
from journal.keys import BUSINESS_KEY
from journal.spec import Rule, Side
from schemas import annotations
from schemas.registry import Registry
from transforms.engine import Transform


def problems(
    rules: Sequence[Rule], registry: Registry, transforms: Sequence[Transform], made: Collection[str], may_have: MayHave
) -> Iterator[Problem]:
    """Yield what rules are about and what never happens; `made` are the types that processing puts out."""
    yield from _twice(rules)
    for rule in rules:
        for name, sides in (("first", rule.first), ("then", rule.then)):
            for index, side in enumerate(sides):
                if may_have(side.type, "schemas", "transforms", "gateway"):
                    continue
                listed = isinstance(rule.spot.value()[name], list)
                path: Path_ = (name, index) if listed else (name,)
                yield from _side(rule.spot, path, side, made, lambda type_: _kinds(type_, registry, transforms))


def _twice(rules: Sequence[Rule]) -> Iterator[Problem]:
    first: dict[str, Spot] = {}
    for rule in rules:
        if rule.name in first:
            hint = f"the other one is at {first[rule.name]}"
            yield rule.spot.problem(("rule",), "duplicate_name", f"there are two rules named {rule.name!r}", hint)
        first.setdefault(rule.name, rule.spot)


def _side(
    spot: Spot, path: Path_, side: Side, made: Collection[str], kinds_of: Callable[[str], set[str]]
) -> Iterator[Problem]:
    value = spot.value()
    for step in path:
        value = value[step]
    own = value if isinstance(value, dict) else {}
    if side.type not in made:
        hint = did_you_mean(side.type, made) or "a rule is about canonical types"
        message = f"nothing becomes {side.type}, so the rule would never see it"
        yield spot.problem((*path, "type") if own else path, "unknown_type", message, hint)
    elif side.key not in (kinds := kinds_of(side.type)):
        place: Path_ = (*path, "key") if "key" in own else ("key",)
        hint = did_you_mean(side.key, kinds) or f"it has {', '.join(sorted(kinds))}; its schema may name more"
        yield spot.problem(place, "unknown_key_kind", f"no field of {side.type} is a key of kind {side.key!r}", hint)


def _kinds(type_: str, registry: Registry, transforms: Sequence[Transform]) -> set[str]:
    """Return the kinds of keys that events of a type have: from its own schemas, and from those of what becomes it."""
    sources = {type_, *(one.from_type for one in transforms if one.to_type == type_)}
    schemas = [registry.schema(one, version) for one in sources for version in registry.versions(one)]
    found = (kind for schema in schemas for kind in annotations.annotated(schema, annotations.KEY).values())
    return {BUSINESS_KEY, *map(str, found)}
