"""The content with a note of each step that an event takes through it, so that what is shown is what happened."""

import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field, fields
from functools import cached_property, partial
from typing import TypeVar

from crossdock.casting import Casting
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Refused
from crossdock.project import Project
from crossdock.trial.failing import placed_in
from routes.spec import Route
from transforms.casts import Cast

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it did and how long it took in milliseconds."""

    name: str
    ok: bool
    detail: str
    ms: float


@dataclass(slots=True)
class Notes:
    """The steps so far, and what the transform of that name made even when its schema then refused it."""

    steps: list[Step] = field(default_factory=list)
    transform: str = ""
    made: Event | None = None
    within: bool = False

    def take(self) -> tuple[Step, ...]:
        """Return the steps and begin anew."""
        steps = tuple(self.steps)
        self.steps, self.transform, self.made = [], "", None
        return steps

    def run(self, name: str, act: Callable[[], _T], say: Callable[[_T], str]) -> _T:
        """Do a step and note it; a step within another is a part of that one."""
        if self.within:
            return act()
        self.within, start = True, time.perf_counter()
        ok, detail = False, "internal error"
        try:
            value = act()
            ok, detail = True, say(value)
        except Refused as error:
            detail = ", ".join(dict.fromkeys(p.code for p in error.problems))
            raise
        finally:
            self.within = False
            self.steps.append(Step(name, ok, detail, round((time.perf_counter() - start) * 1000, 3)))
        return value


@dataclass(frozen=True)
class Watched(Project):
    """A project that notes what the pipeline asks of it."""

    notes: Notes = field(default_factory=Notes, compare=False)

    def check(self, event: Event, pin: str = "") -> str:
        """See `Project.check`."""
        return self.notes.run(
            "schema", lambda: super(Watched, self).check(event, pin), lambda found: f"{event.type} {found} is valid"
        )

    def transform(self, event: Event, version: str) -> Event:
        """See `Project.transform`."""
        transform = self.transform_for(event.type, version)
        if transform is None and (lifted := self._casting.up(event, version)) is not event:
            return self.transform(lifted, self.registry.version(lifted.type, lifted.dataschema))
        if transform:
            self.notes.transform = transform.name
        name = f"transform {transform.name}" if transform else "transform"
        with placed_in(transform, event) if transform else nullcontext():
            made = self.notes.run(
                name, lambda: super(Watched, self).transform(event, version), lambda made: _made(event, made)
            )
        self.notes.made = made
        return made

    def check_canonical(self, event: Event) -> str:
        """See `Project.check_canonical`."""
        return self.notes.run(
            "canonical schema",
            lambda: super(Watched, self).check_canonical(event),
            lambda found: f"{event.type} {found} is valid",
        )

    def form_of(self, route: Route) -> Callable[[Event, str], Event] | None:
        """See `Project.form_of`."""
        make = super().form_of(route)
        if make is None:
            return None

        def apply(event: Event, source: str) -> Event:
            with placed_in(self.forms[route.map], event, source):
                act = partial(make, event, source)
                return self.notes.run(f"form {route.map}", act, lambda _: f"for route {route.name}")

        return apply

    @cached_property
    def _casting(self) -> Casting:
        return _WatchedCasting(self)

    def matching(self, event: Event, source: str = "") -> tuple[Route, ...]:
        """See `Project.matching`."""
        return self.notes.run("routes", lambda: super(Watched, self).matching(event, source), _named)


class _WatchedCasting(Casting):
    def __init__(self, project: Watched) -> None:
        super().__init__(project.casts, project.transforms, project.registry)
        self._notes = project.notes

    def _cast(self, event: Event, steps: Iterable[Cast], code: str) -> Event:
        for step in steps:
            act = partial(super()._cast, event, [step], code)
            with placed_in(step, event):
                event = self._notes.run(f"cast {step.name}", act, _version_of)
        return event


def watch(project: Project) -> Watched:
    """Return the same content, watched."""
    return Watched(**{one.name: getattr(project, one.name) for one in fields(project) if one.init})


def _version_of(made: Event) -> str:
    return f"makes {made.dataschema.rpartition(':/')[2]}"


def _made(event: Event, made: Event) -> str:
    if made is event:
        return f"{event.type} passes unchanged"
    key = made.extensions.get("businesskey")
    return f"makes {made.type}" + (f", business key {key}" if key else "")


def _named(routes: tuple[Route, ...]) -> str:
    return ", ".join(f"{route.name} -> {route.connector}" for route in routes) or "no route takes it"
