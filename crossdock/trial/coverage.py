"""What of the content the tests have been through; called by `crossdock test`."""

from collections.abc import Iterable
from dataclasses import dataclass

from crossdock.project import Project
from crossdock.trial.outcome import Outcome
from journal.entry import CALLBACK


@dataclass(frozen=True, slots=True)
class Cover:
    """How many pieces of one kind the tests go through, and the names of the others."""

    kind: str
    covered: int
    total: int
    missing: tuple[str, ...]


def coverage(project: Project, outcomes: Iterable[Outcome]) -> list[Cover]:
    """Return what is covered: sources that took an event, transforms that ran, routes and connectors that sent one."""
    seen: dict[str, set[str]] = {"source": set(), "transform": set(), "route": set(), "connector": set()}
    for outcome in outcomes:
        seen["source"].add(outcome.source)
        seen["transform"].add(outcome.transform)
        seen["route"].update(sent.route for sent in outcome.sent)
        seen["connector"].update(sent.connector for sent in outcome.sent)
    names = {
        "source": set(project.sources),
        "transform": {transform.name for transform in project.transforms.values()},
        "route": {name for name in project.routes if not name.startswith(CALLBACK)},
        "connector": {name for name in project.connectors if not name.startswith(CALLBACK)},
    }
    return [
        Cover(kind, len(known & seen[kind]), len(known), tuple(sorted(known - seen[kind])))
        for kind, known in names.items()
    ]


def percent(covers: Iterable[Cover]) -> int:
    """Return how many in a hundred of all pieces are covered, rounded down; 100 when there are none."""
    covers = list(covers)
    total = sum(cover.total for cover in covers)
    return 100 * sum(cover.covered for cover in covers) // total if total else 100
