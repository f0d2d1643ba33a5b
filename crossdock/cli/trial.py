"""Runs one event through the content in memory, step by step; called by `try`, `explain` and `test`."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from crossdock.kernel.event import Event
from crossdock.kernel.problems import Problem, Refused
from crossdock.project import Project
from routes.spec import Route

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it did and how long it took."""

    name: str
    ok: bool
    detail: str
    ms: float


@dataclass(frozen=True, slots=True)
class Trial:
    """All steps up to the first that failed, and what came out."""

    steps: tuple[Step, ...]
    event: Event | None
    routes: tuple[Route, ...]
    problems: tuple[Problem, ...]


class _Clock:
    """Times steps and keeps what each one says."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def run(self, name: str, act: Callable[[], _T], say: Callable[[_T], str]) -> _T:
        start = time.perf_counter()
        try:
            value = act()
        except Refused as error:
            self._note(name, False, ", ".join(dict.fromkeys(p.code for p in error.problems)), start)
            raise
        self._note(name, True, say(value), start)
        return value

    def _note(self, name: str, ok: bool, detail: str, start: float) -> None:
        self.steps.append(Step(name, ok, detail, round((time.perf_counter() - start) * 1000, 3)))


def run(project: Project, event: Event) -> Trial:
    """Take an event through schema, transform, canonical schema and routes; the first refusal ends it."""
    clock = _Clock()
    made: Event | None = None
    try:
        version = clock.run("schema", lambda: project.check(event), lambda found: f"{event.type} {found} is valid")
        made = _canonical(project, event, version, clock)
        routes = _routes(project, made, clock)
    except Refused as error:
        return Trial(tuple(clock.steps), made, (), error.problems)
    return Trial(tuple(clock.steps), made, routes, ())


def _canonical(project: Project, event: Event, version: str, clock: _Clock) -> Event:
    transform = project.transform_for(event.type, version)
    name = f"transform {transform.name}" if transform else "transform"
    made = clock.run(name, lambda: project.transform(event, version), lambda made: _made(event, made))
    if made is not event:
        clock.run(
            "canonical schema", lambda: project.check_canonical(made), lambda found: f"{made.type} {found} is valid"
        )
    return made


def _routes(project: Project, event: Event, clock: _Clock) -> tuple[Route, ...]:
    return clock.run("routes", lambda: project.matching(event), _named)


def _made(event: Event, made: Event) -> str:
    if made is event:
        return f"{event.type} passes unchanged"
    key = made.extensions.get("businesskey")
    return f"makes {made.type}" + (f", business key {key}" if key else "")


def _named(routes: tuple[Route, ...]) -> str:
    return ", ".join(f"{route.name} -> {route.connector}" for route in routes) or "no route takes it"
