"""What of the content the tests have been through; called by `crossdock test`."""

from collections.abc import Iterable
from dataclasses import dataclass

from crossdock.project import Project
from crossdock.trial.outcome import Outcome
from journal.entry import CALLBACK

_STEPS = ("cast", "form")  # of which most projects have none


@dataclass(frozen=True, slots=True)
class Cover:
    """How many pieces of one kind the tests go through, and the names of the others."""

    kind: str
    covered: int
    total: int
    missing: tuple[str, ...]


def coverage(project: Project, outcomes: Iterable[Outcome]) -> list[Cover]:
    """Return what is covered: sources that took an event, maps that ran, routes and connectors that sent one.

    Casts and forms are among it where there are some; connectors that are only polled are not, as their source is.
    """
    seen: dict[str, set[str]] = {kind: set() for kind in ("source", *_STEPS, "transform", "route", "connector")}
    for outcome in outcomes:
        for kind, _, name in (step.name.partition(" ") for step in outcome.steps):
            seen.get(kind, set()).add(name)
        seen["source"].add(outcome.source)
        seen["transform"].add(outcome.transform)
        seen["route"].update(sent.route for sent in outcome.sent)
        seen["connector"].update(sent.connector for sent in outcome.sent)
    polled = {source.poll.connector for source in project.sources.values() if source.poll}
    origins = polled - {route.connector for route in project.routes.values()}
    names = {
        "source": set(project.sources),
        "cast": {cast.name for cast in project.casts},
        "transform": {transform.name for transform in project.transforms.values()},
        "route": {name for name in project.routes if not name.startswith(CALLBACK)},
        "form": set(project.forms),
        "connector": {name for name in project.connectors.keys() - origins if not name.startswith(CALLBACK)},
    }
    return [
        Cover(kind, len(known & seen[kind]), len(known), tuple(sorted(known - seen[kind])))
        for kind, known in names.items()
        if known or kind not in _STEPS
    ]


def percent(covers: Iterable[Cover]) -> int:
    """Return how many in a hundred of all pieces are covered, rounded down; 100 when there are none."""
    covers = list(covers)
    total = sum(cover.total for cover in covers)
    return 100 * sum(cover.covered for cover in covers) // total if total else 100
