"""Brings events from one major version of their type to another; used by the project."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from crossdock.kernel.event import Event
from crossdock.kernel.problems import Refused, refuse
from schemas.registry import Registry, major_of
from schemas.spec import uri
from transforms.casts import Cast, Step, chains, way


class Casting:
    """The casts of a project; `taken` are the types and majors that transforms take."""

    def __init__(self, casts: Iterable[Cast], taken: Collection[Step], registry: Registry) -> None:
        casts = tuple(casts)
        self._registry = registry
        self._by_start = {(cast.type, cast.from_major, cast.up): cast for cast in casts}
        self._chains = chains(casts, goals(casts, taken, registry))

    def up(self, event: Event, version: str) -> Event:
        """Return an event in the version that a transform takes, or the newest of its type; the same without a cast.

        Raises:
            Refused: `upcast_invalid`, or what a cast refuses.
        """
        chain = self._chains.get((event.type, major_of(version)))
        return self._cast(event, chain, "upcast_invalid") if chain else event

    def down(self, event: Event, major: int) -> Event:
        """Return an event in the form of another major version of its type.

        Raises:
            Refused: `no_cast`, `downcast_invalid`, or what a cast refuses.
        """
        now = major_of(self._registry.version(event.type, event.dataschema))
        if now == major:
            return event
        steps = way(self._by_start, event.type, now, major)
        if steps is None:
            raise refuse("no_cast", f"no casts lead from {event.type}@{now} to @{major}")
        return self._cast(event, steps, "downcast_invalid")

    def _cast(self, event: Event, steps: Iterable[Cast], code: str) -> Event:
        for step in steps:
            version = self._registry.newest(step.type, step.to_major)
            event = step.apply(event, uri(step.type, version))
            if problems := self._registry.problems(step.type, version, event.data):
                hint = f"see {step.mapping.owner}"
                raise Refused(replace(problem, code=code, hint=hint) for problem in problems)
        return event

    def lifting(self) -> Iterator[tuple[Cast, Step]]:
        """Yield each cast up that senders that lag need, with the type and major to which it leads."""
        for chain in self._chains.values():
            yield chain[0], (chain[-1].type, chain[-1].to_major)

    def way(self, type_: str, start: int, goal: int) -> tuple[Cast, ...]:
        """Return the casts from one major to another; none where nothing leads there."""
        return way(self._by_start, type_, start, goal) or ()


def untaken(type_: str, major: int, casts: Iterable[Cast], taken: Iterable[Step]) -> tuple[str, str]:
    """Say that no transform takes a version, which casts there are all the same, and what to write."""
    there = [cast.name for cast in casts if cast.type == type_ and cast.up]
    message = f"no transform takes {type_}@{major}" + (
        f", nor do casts lead there: {', '.join(there)}" if there else ""
    )
    newest = max((known for name, known in taken if name == type_), default=0)
    if newest > major:
        return message, f"one takes {type_}@{newest}: cast it up, in transforms/{type_}/{major}-to-{major + 1}.yaml"
    return message, "add a transform, or a route that names the type"


def goals(casts: Iterable[Cast], taken: Collection[Step], registry: Registry) -> set[Step]:
    """Return the majors at which casting up ends: those a transform takes, else the newest one of a type."""
    transformed = {type_ for type_, _ in taken}
    others = {cast.type for cast in casts} - transformed
    return {*taken, *((type_, known[-1]) for type_ in others if (known := majors(registry, type_)))}


def lifted(casts: Collection[Cast], taken: Collection[Step], registry: Registry) -> set[Step]:
    """Return the majors that are cast up to one that a transform takes."""
    found = chains(casts, goals(casts, taken, registry))
    return {start for start, chain in found.items() if (chain[-1].type, chain[-1].to_major) in taken}


def majors(registry: Registry, type_: str) -> list[int]:
    """Return the major versions of a type, oldest first."""
    return list(dict.fromkeys(map(major_of, registry.versions(type_))))
