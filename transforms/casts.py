"""Casts of one type from a major version to another: up for senders that lag, down for targets that do."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from crossdock.kernel.content import Spot
from crossdock.kernel.event import Event
from transforms import engine

Step = tuple[str, int]  # a type and a major of it


@dataclass(frozen=True, slots=True)
class Cast:
    """What becomes of the data of one major version of a type in another one."""

    type: str
    from_major: int
    to_major: int
    mapping: engine.Mapping
    spot: Spot = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """What people call it, as its file is named."""
        return f"{self.type}/{self.from_major}-to-{self.to_major}"

    @property
    def up(self) -> bool:
        """Whether it leads to a newer version."""
        return self.to_major > self.from_major

    def apply(self, event: Event, dataschema: str) -> Event:
        """Return the same event with data of the other version, which `dataschema` names.

        Raises:
            Refused: as `Mapping.data` does.
        """
        data = self.mapping.data(self.mapping.begin(event))
        return Event(
            event.id,
            event.source,
            event.type,
            data,
            event.time,
            event.subject,
            dataschema,
            event.datacontenttype,
            event.extensions,
            event.exact,
        )


def chains(casts: Iterable[Cast], goals: Collection[Step]) -> dict[Step, tuple[Cast, ...]]:
    """Return by type and major the casts up, one after the other, that lead to the first goal above it."""
    up = {(cast.type, cast.from_major): cast for cast in casts if cast.up}
    found = {}
    for start in up:
        chain: tuple[Cast, ...] = ()
        at = start
        while at not in goals and at in up:
            chain = (*chain, up[at])
            at = (at[0], up[at].to_major)
        if chain and at in goals:
            found[start] = chain
    return found


def way(casts: Mapping[tuple[str, int, bool], Cast], type_: str, start: int, goal: int) -> tuple[Cast, ...] | None:
    """Return the casts by type, major and direction that lead from one major to another; nothing if one is missing."""
    steps: tuple[Cast, ...] = ()
    while start != goal:
        cast = casts.get((type_, start, goal > start))
        if cast is None or (cast.to_major != goal and (goal > cast.to_major) != cast.up):
            return None  # there is none, or it leads past the goal
        steps, start = (*steps, cast), cast.to_major
    return steps
