"""What is in force in an installation: a revision, where its routes begin, what is left of routes that are gone."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol

from crossdock.bundle import Bundle
from crossdock.project import Project

Word = Literal["drain", "discard"]


@dataclass(frozen=True, slots=True)
class Leaving:
    """A route that was removed: what of EVENTS up to `until` is its own is delivered, or given up, as a person said.

    `revision` is the last one that had the route.
    """

    revision: str
    word: Word
    until: int


@dataclass(frozen=True, slots=True)
class InForce:
    """The one record that says what all processes run; it is replaced whole.

    `at` is Unix milliseconds; `starts` has for routes that came with a change the sequence in EVENTS where they begin;
    `number` is the record's own, which must be named to replace it.
    """

    revision: str
    at: int
    starts: Mapping[str, int] = field(default_factory=dict)
    leaving: Mapping[str, Leaving] = field(default_factory=dict)
    number: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return what is stored."""
        return {name: value for name, value in asdict(self).items() if name != "number"}


def read(document: Mapping[str, Any], number: int) -> InForce:
    """Return what `as_dict` was stored of."""
    left = document["leaving"].items()
    leaving = {name: Leaving(one["revision"], one["word"], one["until"]) for name, one in left}
    return InForce(document["revision"], document["at"], dict(document["starts"]), leaving, number)


@dataclass(frozen=True, slots=True)
class Content:
    """What a process works by: the project in force, and the projects that had the routes that are leaving."""

    force: InForce
    project: Project
    before: Mapping[str, Project] = field(default_factory=dict)  # by revision


class Contents(Protocol):
    """Where an installation keeps its content."""

    async def force(self) -> InForce | None:
        """Return what is in force, None before the first start.

        Raises:
            Unavailable: the broker does not answer.
        """

    async def bundle(self, revision: str) -> Bundle | None:
        """Return the files of a revision, None when they are gone.

        Raises:
            Unavailable: the broker does not answer.
        """

    async def store(self, bundle: Bundle) -> None:
        """Keep the files of a revision, which is not in force by that.

        Raises:
            Unavailable: the broker does not answer.
        """

    async def put_in_force(self, force: InForce) -> InForce | None:
        """Replace the record that has the number of this one, none for 0; None when another came before.

        Raises:
            Unavailable: the broker does not answer.
        """
