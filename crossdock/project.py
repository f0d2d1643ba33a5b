"""All content of one installation as one frozen value; every role loads it at start and after a change."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from connectors import spec as connector_spec
from connectors.spec import ConnectorSpec
from crossdock import callbackroutes, contenttest, source
from crossdock.contenttest import ContentTest
from crossdock.crosscheck import Parts, compare
from crossdock.kernel.content import is_test
from crossdock.kernel.environment import UNSET
from crossdock.kernel.event import Event
from crossdock.kernel.expression import view
from crossdock.kernel.problems import Problem, Refused, refuse
from crossdock.source import SourceSpec
from routes import spec as route_spec
from routes.match import matches
from routes.spec import Route
from schemas import registry as schema_registry
from schemas.registry import Registry, major_of
from schemas.spec import uri
from transforms import spec as transform_spec
from transforms.engine import Transform

FOLDERS = ("gateway", "schemas", "transforms", "routes", "connectors")
_KINDS = {".yaml", ".json", ".csv"}
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
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

        Raises:
            Refused: `no_transform`, or what the transform refuses.
        """
        transform = self.transform_for(event.type, version)
        if transform is not None:
            return transform.apply(event, self._dataschemas[transform.name])
        if event.type not in self._canonical:
            raise refuse("no_transform", f"no transform takes {event.type}@{major_of(version)}")
        return event

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

    def matching(self, event: Event) -> tuple[Route, ...]:
        """Return the routes that take a canonical event.

        Raises:
            Refused: `when_not_boolean`, `expression_failed`.
        """
        seen = view(event)
        return tuple(route for route in self.routes_for(event.type) if matches(route, seen))

    @cached_property
    def _dataschemas(self) -> dict[str, str]:
        """What each transform makes: the newest version of its major, which loading made sure of."""
        made = self.transforms.values()
        return {one.name: uri(one.to_type, self.registry.newest(one.to_type, one.to_major)) for one in made}

    @cached_property
    def _accepting(self) -> dict[tuple[str, str], tuple[SourceSpec, ...]]:
        shared = [source for source in self.sources.values() if not source.at_own_address]
        pairs = [((source.partner, type_), source) for source in shared for type_, _ in source.types]
        return _grouped(pairs)

    @cached_property
    def _canonical(self) -> frozenset[str]:
        made = {transform.to_type for transform in self.transforms.values()}
        return frozenset(made | self._by_type.keys())  # loading refuses routes of types that are not canonical

    @cached_property
    def _by_type(self) -> dict[str, tuple[Route, ...]]:
        return _grouped([(type_, route) for route in self.routes.values() for type_ in route.types])


def _grouped(pairs: list[tuple[_K, _T]]) -> dict[_K, tuple[_T, ...]]:
    groups: dict[_K, tuple[_T, ...]] = {}
    for key, value in pairs:
        groups[key] = (*groups.get(key, ()), value)
    return groups


def load(root: Path, env: Mapping[str, str], strict_env: bool = True) -> Project:
    """Read and cross-check all content; without `strict_env` variables that are not set get a placeholder.

    Raises:
        Refused: with every problem of every file.
    """
    root = root.resolve()
    problems: list[Problem] = []
    revision = revision_of(root)
    variables = env if strict_env else _placeholders(root) | dict(env)
    parts = Parts(
        _collect(problems, lambda: schema_registry.load(root)),
        _collect(problems, lambda: source.load(root, env)),
        _collect(problems, lambda: transform_spec.load(root)),
        _collect(problems, lambda: route_spec.load(root)),
        _collect(problems, lambda: connector_spec.load(root, variables)),
    )
    tests = _collect(problems, lambda: contenttest.load(root))
    told_by = _collect(problems, lambda: callbackroutes.connectors(parts.sources or ()))
    problems.extend(compare(parts))
    problems.extend(_unread(root))
    if problems:
        raise Refused(sorted(dict.fromkeys(problems), key=lambda p: (p.file, p.line, p.column)))
    return Project(
        root,
        revision,
        parts.registry or Registry({}),
        {one.name: one for one in parts.sources or ()},
        {(one.from_type, one.from_major): one for one in parts.transforms or ()},
        {one.name: one for one in (*(parts.routes or ()), *callbackroutes.routes(parts.sources or ()))},
        {**(parts.connectors or {}), **(told_by or {})},
        tests or (),
    )


def _unread(root: Path) -> Iterator[Problem]:
    """Name files that look like content and would be passed over."""
    for folder in FOLDERS:
        for path in sorted((root / folder).glob("*.yml")):
            problem = Problem("wrong_suffix", "files that end in .yml are not read", "rename it to .yaml")
            yield problem.at(path.relative_to(root).as_posix())


def revision_of(root: Path) -> str:
    """Return the first 12 hex digits of the SHA-256 of names and bytes of all content, tests left out."""
    digest = hashlib.sha256()
    for path in sorted(_content(root)):
        raw = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\n{len(raw)}\n".encode() + raw)
    return digest.hexdigest()[:12]


def _content(root: Path) -> Iterator[Path]:
    for folder in FOLDERS:
        for path in (root / folder).rglob("*"):
            if path.suffix in _KINDS and not path.name.startswith("_") and not is_test(path) and path.is_file():
                yield path


def _placeholders(root: Path) -> dict[str, str]:
    texts = [path.read_text(errors="replace") for path in (root / "connectors").glob("*.yaml")]
    return {name: UNSET for text in texts for name in _VARIABLE.findall(text)}


def _collect(problems: list[Problem], act: Callable[[], _T]) -> _T | None:
    try:
        return act()
    except Refused as error:
        problems.extend(error.problems)
        return None
