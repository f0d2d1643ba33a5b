"""The content in force as one frozen value, and what it says of each event."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from alerts.spec import Alerts
from connectors.spec import ConnectorSpec
from crossdock.casting import Casting, untaken
from crossdock.contenttest import ContentTest
from crossdock.kernel.event import Event
from crossdock.kernel.expression import view
from crossdock.kernel.problems import Refused, refuse
from crossdock.source import SourceSpec
from crossdock.targetforms import TargetForm
from journal.keys import Key
from journal.spec import Rule
from routes.match import matches
from routes.spec import Route
from schemas import annotations
from schemas.registry import Registry, major_of
from schemas.spec import uri
from transforms.casts import Cast
from transforms.engine import Transform
from transforms.lookups import Lookups, fed_types
from transforms.lookupspec import Mapped

_K = TypeVar("_K")
_T = TypeVar("_T")


@dataclass(frozen=True)
class Project:
    """The content in force; `revision` is its hash, `transforms` are by raw type and major version."""

    root: Path
    revision: str
    registry: Registry
    sources: Mapping[str, SourceSpec]
    transforms: Mapping[tuple[str, int], Transform]
    routes: Mapping[str, Route]
    connectors: Mapping[str, ConnectorSpec]
    tests: tuple[ContentTest, ...]
    casts: tuple[Cast, ...] = ()
    forms: Mapping[str, TargetForm] = field(default_factory=dict)
    alerts: Alerts = field(default_factory=Alerts)
    rules: tuple[Rule, ...] = ()

    def transform_for(self, type_: str, version: str) -> Transform | None:
        """Return the transform that takes a raw type and version."""
        return self.transforms.get((type_, major_of(version)))

    def source_for(self, partner: str, type_: str, ce_source: str) -> SourceSpec:
        """Return the one source of a partner that an event with an envelope belongs to.

        Raises:
            Refused: `type_not_accepted`.
        """
        candidates = self._accepting.get((partner, type_), ())
        for candidate in candidates:
            if ce_source.startswith(candidate.match):
                return candidate
        if candidates:
            begins = " or ".join(candidate.match for candidate in candidates)
            raise refuse("type_not_accepted", f"source must begin with {begins} for {type_[:80]}", pointer="/source")
        known = sorted(accepted for owner, accepted in self._accepting if owner == partner)
        hint = f"accepted: {', '.join(known)}" if known else "ask for a source to be set up"
        raise refuse("type_not_accepted", f"{type_[:80]} is not accepted from you", hint, pointer="/type")

    def keys(self, type_: str, version: str, data: Any) -> list[Key]:
        """Return what data of a known version is searched by: kinds and values, as its schema annotates them."""
        if (places := self._keyed.get((type_, version))) is None:
            known = version in self.registry.versions(type_)  # a message may be older than the content
            found = annotations.annotated(self.registry.schema(type_, version), annotations.KEY) if known else {}
            places = self._keyed[type_, version] = tuple((path, str(kind)) for path, kind in found.items())
        if not places:
            return []
        found_there = ((kind, value) for path, kind in places for value in annotations.values(data, path))
        return [(kind, str(value)) for kind, value in found_there if type(value) in (str, int) and value != ""]

    def personal(self, type_: str, version: str) -> Mapping[annotations.Path, Any] | None:
        """Return where a version of a schema calls data personal; None when there is no such version."""
        found = self._personal.get((type_, version))
        if found is None and version in self.registry.versions(type_):  # else no more is kept: anybody may name one
            told = annotations.annotated(self.registry.schema(type_, version), annotations.PERSONAL)
            found = self._personal[type_, version] = {path: said for path, said in told.items() if said is not False}
        return found

    def routes_for(self, type_: str) -> tuple[Route, ...]:
        """Return the routes that take a canonical type."""
        return self._by_type.get(type_, ())

    def check(self, event: Event, pin: str = "") -> str:
        """Return the version an event is written in, when its data fits the schema.

        Raises:
            Refused: `unknown_type`, `unknown_version`, `schema_violation`.
        """
        version = self.registry.version(event.type, event.dataschema, pin)
        if problems := self.registry.problems(event.type, version, event.data):
            raise Refused(problems)
        return version

    def transform(self, event: Event, version: str) -> Event:
        """Return what a checked event becomes; a canonical type passes unchanged.

        An older major than the transforms take, or than the newest of a canonical type, is cast up first.

        Raises:
            Refused: `no_transform`, `upcast_invalid`, or what a cast or the transform refuses.
        """
        transform = self.transform_for(event.type, version)
        if transform is not None:
            return transform.apply(event, self._dataschemas[transform.name])
        if (lifted := self._casting.up(event, version)) is not event:
            return self.transform(lifted, self.registry.version(lifted.type, lifted.dataschema))
        if event.type not in self._canonical:
            raise refuse("no_transform", *untaken(event.type, major_of(version), self.casts, self.transforms))
        return event

    def downcast(self, event: Event, major: int) -> Event:
        """Return a canonical event in the form of another major version of its type, for a target that lags.

        Raises:
            Refused: `no_cast`, `downcast_invalid`, or what a cast refuses.
        """
        return self._casting.down(event, major)

    def check_canonical(self, event: Event) -> str:
        """Return the version of an event that a transform made, when its data fits the schema.

        Raises:
            Refused: `canonical_invalid`.
        """
        try:
            return self.check(event)
        except Refused as error:
            raise Refused(replace(problem, code="canonical_invalid") for problem in error.problems) from None

    def canonical(self, event: Event, version: str) -> Event:
        """Return a checked event in canonical form, which fits its own schema.

        Raises:
            Refused: as `transform` and `check_canonical` do.
        """
        made = self.transform(event, version)
        if made is not event:
            self.check_canonical(made)
        return made

    def as_asked(self, route: Route, event: Event) -> Event:
        """Return a canonical event in the major version that a route takes.

        Raises:
            Refused: as `downcast` does.
        """
        major = route.majors.get(event.type)
        return event if major is None else self.downcast(event, major)

    def form_of(self, route: Route) -> Callable[[Event, str], Event] | None:
        """Return what makes of an event, and the name of its source, what the target of a route gets."""
        return self.forms[route.map].apply if route.map else None

    def wants(self, route: Route, event: Event, source: str = "") -> bool:
        """Tell whether a route takes a canonical event of its types; `source` is the name of who took it, if known.

        Raises:
            Refused: `when_not_boolean`, `expression_failed`, or as `downcast` does.
        """
        return matches(route, view(self.as_asked(route, event), source))

    def matching(self, event: Event, source: str = "") -> tuple[Route, ...]:
        """Return the routes that take a canonical event.

        Raises:
            Refused: as `wants` does.
        """
        return tuple(route for route in self.routes_for(event.type) if self.wants(route, event, source))

    def cast_ways(self) -> Iterator[tuple[Cast, Transform | Route]]:
        """Yield each cast with what it leads to: a transform, or a route that takes another version than is made."""
        for cast, goal in self._casting.lifting():
            ends = [self.transforms[goal]] if goal in self.transforms else self.routes_for(cast.type)
            yield from ((cast, end) for end in ends)
        for route in self.routes.values():
            for type_, goal_major in route.majors.items():
                made = {one.to_major for one in self.transforms.values() if one.to_type == type_}
                for start in sorted(made or {major_of(self.registry.newest(type_))}):
                    yield from ((cast, route) for cast in self._casting.way(type_, start, goal_major))

    @cached_property
    def _keyed(self) -> dict[tuple[str, str], tuple[tuple[annotations.Path, str], ...]]:
        return {}

    @cached_property
    def _personal(self) -> dict[tuple[str, str], Mapping[annotations.Path, Any]]:
        return {}

    @cached_property
    def personal_anywhere(self) -> Mapping[annotations.Path, Any]:
        """The places that any version of any schema calls personal, for what is done to events of many types."""
        of_all = [(type_, version) for type_ in self.registry.types() for version in self.registry.versions(type_)]
        return {path: said for one in of_all for path, said in (self.personal(*one) or {}).items()}

    @cached_property
    def lookups(self) -> tuple[Lookups, ...]:
        """What transforms, casts and forms look up in."""
        pieces: tuple[Mapped, ...] = (*self.transforms.values(), *self.casts, *self.forms.values())
        return tuple(one.mapping.lookups for one in pieces)

    @cached_property
    def _dataschemas(self) -> dict[str, str]:
        """What each transform makes: the newest version of its major, which loading made sure of."""
        made = self.transforms.values()
        return {one.name: uri(one.to_type, self.registry.newest(one.to_type, one.to_major)) for one in made}

    @cached_property
    def _casting(self) -> Casting:
        return Casting(self.casts, self.transforms, self.registry)

    @cached_property
    def _accepting(self) -> dict[tuple[str, str], tuple[SourceSpec, ...]]:
        shared = [source for source in self.sources.values() if not source.at_own_address]
        pairs = [((source.partner, type_), source) for source in shared for type_, _ in source.types]
        return _grouped(pairs)

    @cached_property
    def _canonical(self) -> frozenset[str]:
        made = {transform.to_type for transform in self.transforms.values()}
        made |= fed_types(self.lookups).keys()
        return frozenset(made | self._by_type.keys())  # loading refuses routes of types that are not canonical

    @cached_property
    def _by_type(self) -> dict[str, tuple[Route, ...]]:
        return _grouped([(type_, route) for route in self.routes.values() for type_ in route.types])


def _grouped(pairs: list[tuple[_K, _T]]) -> dict[_K, tuple[_T, ...]]:
    groups: dict[_K, tuple[_T, ...]] = {}
    for key, value in pairs:
        groups[key] = (*groups.get(key, ()), value)
    return groups
