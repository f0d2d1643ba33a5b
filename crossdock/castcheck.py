"""Compares casts with schemas, transforms and routes; called when a project is loaded."""

from collections.abc import Collection, Iterable, Iterator

from crossdock.casting import goals, majors
from crossdock.kernel.problems import Problem
from routes.spec import Route
from schemas.registry import Registry
from transforms.casts import Cast, Step, chains, way
from transforms.engine import Transform
from transforms.lookupspec import parked


def problems(
    casts: tuple[Cast, ...],
    transforms: Iterable[Transform],
    routes: Iterable[Route],
    registry: Registry,
    unread: Collection[str],
) -> Iterator[Problem]:
    """Yield what is wrong with casts, and the routes that ask for a version nothing leads to."""
    sound = []
    for cast in casts:
        found = [*_misplaced(cast, registry)] if "schemas" not in unread else []
        yield from found
        sound += [] if found else [cast]
    yield from parked(cast for cast in casts if not cast.up)
    if {"schemas", "transforms"} & set(unread):
        return
    transforms = tuple(transforms)
    taken = {(one.from_type, one.from_major) for one in transforms}
    delivering: set[int] = set()  # casts up are among them where a target is ahead of what transforms make
    for route in routes:
        yield from _missing(route, sound, transforms, registry, delivering)
    yield from parked(cast for cast in sound if cast.up and id(cast) in delivering)
    yield from _useless_up(sound, taken, registry, delivering)
    if "routes" not in unread:
        yield from _useless_down(sound, delivering)


def _misplaced(cast: Cast, registry: Registry) -> Iterator[Problem]:
    known = majors(registry, cast.type)
    for major in (cast.from_major, cast.to_major):
        if major not in known:
            hint = f"known: {', '.join(map(str, known)) or 'none'}"
            yield cast.spot.problem((), "unknown_version", f"{cast.type} has no version {major}", hint)
            return
    if abs(known.index(cast.from_major) - known.index(cast.to_major)) != 1:
        message = (
            f"a cast leads to the next version or to the one before, not from {cast.from_major} to {cast.to_major}"
        )
        yield cast.spot.problem((), "bad_cast", message, "casts are chained: 1-to-2 and 2-to-3")


def _useless_up(
    casts: list[Cast], taken: Collection[Step], registry: Registry, delivering: Collection[int]
) -> Iterator[Problem]:
    ends = goals(casts, taken, registry)
    used = {*delivering, *(id(cast) for chain in chains(casts, ends).values() for cast in chain)}
    for cast in casts:
        if not cast.up or id(cast) in used:
            continue
        if (cast.type, cast.from_major) in taken:
            message, hint = f"a transform takes {cast.type}@{cast.from_major} directly", "remove one of the two"
        else:
            message = f"no cast and no transform goes on from {cast.type}@{cast.to_major}"
            hint = f"write the next one: {cast.type}/{cast.to_major}-to-{cast.to_major + 1}.yaml"
        yield cast.spot.problem((), "unreachable_cast", message, hint)


def _missing(
    route: Route, casts: list[Cast], transforms: tuple[Transform, ...], registry: Registry, used: set[int]
) -> Iterator[Problem]:
    """Yield a problem for each version that a route asks for and cannot get; notes the casts that are used."""
    by_start = {(cast.type, cast.from_major, cast.up): cast for cast in casts}
    for type_, major in route.majors.items():
        made = {one.to_major for one in transforms if one.to_type == type_} or {*majors(registry, type_)[-1:]}
        place = ("from", route.types.index(type_))
        if major not in majors(registry, type_):
            yield route.spot.problem(place, "unknown_version", f"{type_} has no version {major}")
            continue
        for start in sorted(made):
            found = way(by_start, type_, start, major)
            used.update(map(id, found or ()))
            if found is None:
                message = f"no casts lead from {type_}@{start} to @{major}"
                hint = f"write transforms/{type_}/{start}-to-{start - 1 if start > major else start + 1}.yaml"
                yield route.spot.problem(place, "no_cast", message, hint)


def _useless_down(casts: list[Cast], used: set[int]) -> Iterator[Problem]:
    for cast in casts:
        if not cast.up and id(cast) not in used:
            message = f"no route asks for {cast.type}@{cast.to_major} or an older version"
            yield cast.spot.problem((), "unreachable_cast", message, f"from: [{cast.type}@{cast.to_major}]")
