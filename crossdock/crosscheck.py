"""Compares the content folders with each other; called when a project is loaded."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations

from alerts.spec import Alerts
from connectors.kinds import KINDS
from connectors.spec import ConnectorSpec
from crossdock import alertcheck, castcheck, casting, rulecheck
from crossdock.kernel.content import Spot, did_you_mean
from crossdock.kernel.nearest import near
from crossdock.kernel.problems import Problem, Refused
from crossdock.kernel.yamlfile import Path_
from crossdock.source import SourceSpec
from journal.spec import Rule
from routes.spec import Route
from schemas.registry import Registry, major_of
from transforms.casts import Cast
from transforms.engine import Transform
from transforms.lookups import fed_types
from transforms.lookupspec import Mapped


@dataclass(frozen=True, slots=True)
class Parts:
    """What could be read of each folder, and by folder the text of the files that could not."""

    registry: Registry
    sources: tuple[SourceSpec, ...]
    transforms: tuple[Transform, ...]
    routes: tuple[Route, ...]
    connectors: Mapping[str, ConnectorSpec]
    unread: Mapping[str, str]
    casts: tuple[Cast, ...] = ()
    mapped: tuple[Mapped, ...] = ()
    alerts: Alerts = field(default_factory=Alerts)
    rules: tuple[Rule, ...] = ()

    def may_have(self, name: str, *folders: str) -> bool:
        """Tell whether a file that could not be read names it; then nothing is said of what seems to be missing."""
        texts = [self.unread[folder] for folder in folders if folder in self.unread]
        return any(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) for text in texts)

    def is_meant_by(self, type_: str) -> bool:
        """Tell whether a type without a schema is written almost like this one; then nothing else is missing."""
        made = (end for transform in self.transforms for end in (transform.from_type, transform.to_type))
        used = {*made, *(type_ for route in self.routes for type_ in route.types)}
        used |= {type_ for source in self.sources for type_, _ in source.types}
        return bool(near(type_, used - self.registry.by_type.keys() - {type_}, like=0.85))


def compare(parts: Parts) -> list[Problem]:
    """Return everything that does not fit together."""
    return [
        *_duplicates("source", parts.sources),
        *_duplicates("transform", parts.transforms),
        *_duplicates("route", parts.routes),
        *_ambiguous_sources(parts.sources),
        *_competing_transforms(parts.transforms),
        *_unknown_versions(parts),
        *_unknown_replies(parts),
        *_unprocessed_types(parts),
        *_unknown_connectors(parts),
        *_polls(parts),
        *_never_arriving(parts),
        *_types_nobody_makes(parts),
        *rulecheck.problems(parts.rules, parts.registry, parts.transforms, _made_types(parts), parts.may_have),
        *alertcheck.problems(parts.alerts, _names(parts), parts.may_have),
        *castcheck.problems(parts.casts, parts.transforms, parts.routes, parts.registry, parts.unread),
    ]


def _names(parts: Parts) -> dict[str, list[str]]:
    """Return the names of what alerts may be about."""
    routes, sources = [one.name for one in parts.routes], [one.name for one in parts.sources]
    return {"route": routes, "source": sources, "connector": list(parts.connectors)}


def _never_arriving(parts: Parts) -> Iterator[Problem]:
    """Find what a route waits for though no route takes it to the same connector."""
    for route in parts.routes:
        if route.after is None or not route.after.type or parts.may_have(route.after.type, "routes"):
            continue
        taken = {type_ for other in parts.routes if other.connector == route.connector for type_ in other.types}
        if route.after.type not in taken:
            message = f"no route takes {route.after.type} to {route.connector}, so it would wait in vain"
            hint = did_you_mean(route.after.type, taken) or "add a route for it, or correct the type"
            yield route.spot.problem(("after", "type"), "after_never", message, hint)


def _made_types(parts: Parts) -> set[str]:
    """Return the types that processing can put out: what transforms make, and what no transform takes."""
    made = {transform.to_type for transform in parts.transforms}
    made |= {one.reply[0] for one in parts.connectors.values() if one.reply}
    for source in parts.sources:
        made.update(type_ for type_, pin in source.types if _untransformed(parts, type_, pin))
    return made


def _duplicates(kind: str, pieces: Iterable[SourceSpec | Transform | Route]) -> Iterator[Problem]:
    first: dict[str, Spot] = {}
    for piece in pieces:
        if piece.name in first:
            hint = f"the other one is at {first[piece.name]}"
            yield piece.spot.problem((kind,), "duplicate_name", f"there are two {kind}s named {piece.name!r}", hint)
        first.setdefault(piece.name, piece.spot)


def _ambiguous_sources(sources: Iterable[SourceSpec]) -> Iterator[Problem]:
    for one, two in combinations([source for source in sources if not source.at_own_address], 2):
        overlap = one.match.startswith(two.match) or two.match.startswith(one.match)
        shared = [type_ for type_, _ in two.types if type_ in dict(one.types)]
        if one.partner == two.partner and shared and overlap:
            message = f"{one.name} and {two.name} of {one.partner} both accept {shared[0]}"
            hint = "give each a `match:` that does not begin like the other's"
            yield two.spot.problem(("match",) if two.match else ("types",), "ambiguous_source", message, hint)


def _competing_transforms(transforms: Iterable[Transform]) -> Iterator[Problem]:
    first: dict[tuple[str, int], Transform] = {}
    for transform in transforms:
        other = first.setdefault((transform.from_type, transform.from_major), transform)
        if other is not transform:
            message = f"{other.name} already takes {transform.from_type}@{transform.from_major}"
            yield transform.spot.problem(("from",), "duplicate_transform", message, f"it is at {other.spot}")


def _unknown_versions(parts: Parts) -> Iterator[Problem]:
    registry = parts.registry
    for source in parts.sources:
        for index, (type_, pin) in enumerate(source.types):
            if not parts.may_have(type_, "schemas"):
                yield from _refused(source.spot, ("types", index), partial(registry.version, type_, "", pin))
    for transform in parts.transforms:
        ends = (("from", transform.from_type, transform.from_major), ("to", transform.to_type, transform.to_major))
        for key, type_, major in ends:
            if not parts.may_have(type_, "schemas"):
                yield from _refused(transform.spot, (key,), partial(registry.newest, type_, major))


def _unknown_replies(parts: Parts) -> Iterator[Problem]:
    for one in parts.connectors.values():
        if one.spot and one.reply and not parts.may_have(one.reply[0], "schemas"):
            yield from _refused(one.spot, ("reply", "type"), partial(parts.registry.newest, *one.reply))


def _refused(spot: Spot, path: Path_, act: Callable[[], str]) -> Iterator[Problem]:
    try:
        act()
    except Refused as error:
        yield from (spot.problem(path, p.code, p.message, p.hint) for p in error.problems)


def _unprocessed_types(parts: Parts) -> Iterator[Problem]:
    routed = {type_ for route in parts.routes for type_ in route.types}
    routed |= fed_types(one.mapping.lookups for one in parts.mapped).keys()
    for source in parts.sources:
        for index, (type_, pin) in enumerate(source.types):
            if type_ in routed or parts.may_have(type_, "transforms", "routes", "schemas"):
                continue
            if (missing := _untransformed(parts, type_, pin)) and not parts.is_meant_by(type_):
                taken = [(one.from_type, one.from_major) for one in parts.transforms]
                message, hint = casting.untaken(type_, missing[0], parts.casts, taken)
                message += " and no route names it"
                yield source.spot.problem(("types", index), "no_transform", message, hint)


def _untransformed(parts: Parts, type_: str, pin: str) -> list[int]:
    """Return the majors of a type that a source may send and no transform takes; for a pinned type that one."""
    versions = (pin,) if pin else parts.registry.versions(type_)
    taken = {(transform.from_type, transform.from_major) for transform in parts.transforms}
    taken |= casting.lifted(parts.casts, taken, parts.registry)
    return sorted({major for major in map(major_of, versions) if (type_, major) not in taken})


def _polls(parts: Parts) -> Iterator[Problem]:
    """Tell which sources poll what is no origin, and which routes lead to what is nothing else."""
    for source in parts.sources:
        if source.poll is None:
            continue
        name, path = source.poll.connector, ("poll", "connector")
        spec = parts.connectors.get(name)
        if spec is None and not parts.may_have(name, "connectors"):
            hint = did_you_mean(name, parts.connectors)
            yield source.spot.problem(path, "unknown_connector", f"there is no connector {name!r}", hint)
        if spec is not None and spec.spot is not None and "poll" not in spec.spot.value():
            hint = "its file says under `poll` what is read"
            yield source.spot.problem(path, "not_polled", f"connector {name} has no `poll`", hint)
    for route in parts.routes:
        spec = parts.connectors.get(route.connector)
        needed = KINDS[spec.kind].destination if spec else ""
        if spec and spec.spot and needed and needed not in spec.spot.value():
            hint = f"its file says under `{needed}` where events go"
            message = f"connector {spec.name} is only polled"
            yield route.spot.problem(("to",), "no_destination", message, hint)


def _unknown_connectors(parts: Parts) -> Iterator[Problem]:
    for route in parts.routes:
        if route.connector not in parts.connectors and not parts.may_have(route.connector, "connectors"):
            message = f"there is no connector {route.connector!r}"
            hint = did_you_mean(route.connector, parts.connectors)
            given = route.spot.value()["to"]
            path: Path_ = ("to",) if isinstance(given, str) else ("to", given.index(route.connector))
            yield route.spot.problem(path, "unknown_connector", message, hint)


def _types_nobody_makes(parts: Parts) -> Iterator[Problem]:
    made = _made_types(parts)
    becomes = {t.from_type: f"{t.from_type} becomes {t.to_type} in transform {t.name}" for t in parts.transforms}
    for route in parts.routes:
        for index, type_ in enumerate(route.types):
            if type_ in made or parts.may_have(type_, "gateway", "transforms", "schemas"):
                continue
            if not parts.is_meant_by(type_):
                hint = becomes.get(type_) or did_you_mean(type_, made)
                message = f"no transform makes {type_} and no source sends it"
                yield route.spot.problem(("from", index), "unknown_type", message, hint)
    for one in parts.mapped:
        for type_, lookup in fed_types([one.mapping.lookups]).items():
            if type_ not in made and not parts.may_have(type_, "gateway", "transforms", "schemas"):
                message = f"no transform makes {type_} and no source sends it"
                hint = becomes.get(type_) or did_you_mean(type_, made)
                yield one.spot.problem(("lookups", lookup.name, "events"), "unknown_type", message, hint)
