"""Compares the content folders with each other; called when a project is loaded."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import combinations

from connectors.spec import ConnectorSpec
from crossdock.kernel.content import Spot, did_you_mean
from crossdock.kernel.problems import Problem, Refused
from crossdock.kernel.yamlfile import Path_
from crossdock.source import SourceSpec
from routes.spec import Route
from schemas.registry import Registry, major_of
from transforms.engine import Transform


@dataclass(frozen=True, slots=True)
class Parts:
    """What the folders hold; `None` for a folder with problems of its own, which is not compared."""

    registry: Registry | None
    sources: tuple[SourceSpec, ...] | None
    transforms: tuple[Transform, ...] | None
    routes: tuple[Route, ...] | None
    connectors: Mapping[str, ConnectorSpec] | None


def compare(parts: Parts) -> list[Problem]:
    """Return everything that does not fit together."""
    return [
        *_duplicates("source", parts.sources or ()),
        *_duplicates("transform", parts.transforms or ()),
        *_duplicates("route", parts.routes or ()),
        *_ambiguous_sources(parts.sources or ()),
        *_competing_transforms(parts.transforms or ()),
        *_unknown_versions(parts),
        *_unprocessed_types(parts),
        *_unknown_connectors(parts),
        *_types_nobody_makes(parts),
    ]


def _made_types(parts: Parts) -> set[str]:
    """Return the types that processing can put out: what transforms make, and what no transform takes."""
    made = {transform.to_type for transform in parts.transforms or ()}
    for source in parts.sources or ():
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
    if registry is None:
        return
    for source in parts.sources or ():
        for index, (type_, pin) in enumerate(source.types):
            yield from _refused(source.spot, ("types", index), partial(registry.version, type_, "", pin))
    for transform in parts.transforms or ():
        ends = (("from", transform.from_type, transform.from_major), ("to", transform.to_type, transform.to_major))
        for key, type_, major in ends:
            yield from _refused(transform.spot, (key,), partial(registry.newest, type_, major))


def _refused(spot: Spot, path: Path_, act: Callable[[], str]) -> Iterator[Problem]:
    try:
        act()
    except Refused as error:
        yield from (spot.problem(path, p.code, p.message, p.hint) for p in error.problems)


def _unprocessed_types(parts: Parts) -> Iterator[Problem]:
    if parts.transforms is None or parts.routes is None or parts.registry is None:
        return
    routed = {type_ for route in parts.routes for type_ in route.types}
    for source in parts.sources or ():
        for index, (type_, pin) in enumerate(source.types):
            if type_ not in routed and (missing := _untransformed(parts, type_, pin)):
                message = f"no transform takes {type_}@{missing[0]} and no route names it"
                yield source.spot.problem(("types", index), "no_transform", message, "add one of the two")


def _untransformed(parts: Parts, type_: str, pin: str) -> list[int]:
    """Return the majors of a type that a source may send and no transform takes; for a pinned type that one."""
    versions = (pin,) if pin else parts.registry.versions(type_) if parts.registry else ()
    taken = {(transform.from_type, transform.from_major) for transform in parts.transforms or ()}
    return sorted({major for major in map(major_of, versions) if (type_, major) not in taken})


def _unknown_connectors(parts: Parts) -> Iterator[Problem]:
    if parts.connectors is None:
        return
    for route in parts.routes or ():
        if route.connector not in parts.connectors:
            message = f"there is no connector {route.connector!r}"
            hint = did_you_mean(route.connector, parts.connectors)
            yield route.spot.problem(("to",), "unknown_connector", message, hint)


def _types_nobody_makes(parts: Parts) -> Iterator[Problem]:
    if parts.sources is None or parts.transforms is None or parts.registry is None:
        return
    made = _made_types(parts)
    becomes = {t.from_type: f"{t.from_type} becomes {t.to_type} in transform {t.name}" for t in parts.transforms}
    for route in parts.routes or ():
        for index, type_ in enumerate(route.types):
            if type_ not in made:
                hint = becomes.get(type_) or did_you_mean(type_, made)
                message = f"no transform makes {type_} and no source sends it"
                yield route.spot.problem(("from", index), "unknown_type", message, hint)
