"""Reads all content of one installation; every role does at its start and after a change."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from alerts import spec as alert_spec
from alerts.spec import Alerts
from connectors import reading as connector_reading
from connectors.spec import ConnectorSpec
from crossdock import callbackroutes, contenttest, source, targetforms
from crossdock.contentfiles import FOLDERS, passed_over, placeholders, revision_of, unread_texts
from crossdock.contents import Project
from crossdock.contenttest import ContentTest
from crossdock.crosscheck import Parts, compare
from crossdock.kernel.problems import Incomplete, Problem, Refused
from crossdock.targetforms import TargetForm
from journal import spec as journal_spec
from routes import spec as route_spec
from schemas import registry as schema_registry
from schemas.registry import Registry
from transforms import spec as transform_spec
from transforms.lookupspec import Mapped, parked

__all__ = ["FOLDERS", "Project", "Reading", "in_order", "load", "read", "revision_of"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Reading:
    """What could be read of all content, as a project and by folder, and every problem of every file."""

    project: Project
    parts: Parts
    problems: tuple[Problem, ...]


def load(root: Path, env: Mapping[str, str], strict_env: bool = True, tests: bool = True) -> Project:
    """Read and cross-check all content; see `read`.

    Raises:
        Refused: with every problem of every file.
    """
    reading = read(root, env, strict_env, tests)
    if reading.problems:
        raise Refused(reading.problems)
    return reading.project


def read(root: Path, env: Mapping[str, str], strict_env: bool = True, tests: bool = True) -> Reading:
    """Read and cross-check all content, and the content tests unless they are not needed.

    Without `strict_env` variables that are not set get a placeholder.
    """
    root = root.resolve()
    problems: list[Problem] = []
    revision = _collect(problems, lambda: revision_of(root)) or ""
    variables = env if strict_env else placeholders(root) | dict(env)
    problems.extend(passed_over(root))
    registry = _collect(problems, lambda: schema_registry.load(root)) or Registry({})
    sources = _collect(problems, lambda: source.load(root, env)) or ()
    tables = transform_spec.reader(root, variables)
    transforms = _collect(problems, lambda: transform_spec.load(root, tables)) or ()
    casts = _collect(problems, lambda: transform_spec.load_casts(root, tables)) or ()
    routes = _collect(problems, lambda: route_spec.load(root)) or ()
    forms = _collect(problems, lambda: targetforms.load(root, tables)) or {}
    problems.extend(targetforms.compare(routes, forms, root))
    problems.extend(parked(forms.values()))
    connectors = _collect(problems, lambda: connector_reading.load(root, variables)) or {}
    alerts = _collect(problems, lambda: alert_spec.load(root, env)) or Alerts()
    rules = _collect(problems, lambda: journal_spec.load(root)) or ()
    unread = unread_texts(root, problems, {one.spot.document.file for one in transforms}) if problems else {}
    cases = (_collect(problems, lambda: contenttest.load(root)) if tests else None) or ()
    told_by = _collect(problems, lambda: callbackroutes.connectors(sources)) or {}
    mapped: tuple[Mapped, ...] = (*transforms, *casts, *forms.values())
    parts = Parts(registry, sources, transforms, routes, connectors, unread, casts, mapped, alerts, rules)
    problems.extend(compare(parts))
    project = _project(root, revision, parts, told_by, cases, forms)
    return Reading(project, parts, tuple(in_order(problems)))


def _project(
    root: Path,
    revision: str,
    parts: Parts,
    told_by: Mapping[str, ConnectorSpec],
    cases: tuple[ContentTest, ...],
    forms: Mapping[str, TargetForm],
) -> Project:
    return Project(
        root,
        revision,
        parts.registry,
        {one.name: one for one in parts.sources},
        {(one.from_type, one.from_major): one for one in parts.transforms},
        {one.name: one for one in (*parts.routes, *callbackroutes.routes(parts.sources))},
        {**parts.connectors, **told_by},
        cases,
        parts.casts,
        forms,
        parts.alerts,
        parts.rules,
    )


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems by file, line and column, each one once."""
    return sorted(dict.fromkeys(problems), key=lambda p: (p.file, p.line, p.column))


def _collect(problems: list[Problem], act: Callable[[], _T]) -> _T | None:
    try:
        return act()
    except Refused as error:
        problems.extend(error.problems)
        found: _T | None = error.found if isinstance(error, Incomplete) else None
        return found
