"""Events of the past through two revisions of content, and what differs for the targets."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from crossdock.contenttest import Arrival
from crossdock.project import Project
from crossdock.trial.differences import NOTHING, Difference, compare
from crossdock.trial.outcome import DEAD, QUARANTINED, REFUSED, Outcome
from crossdock.trial.rehearsal import Redelivery, Rehearsal, Stored

SAME, DIFFERENT, OTHER_TARGETS = "same", "different", "other_targets"
NEWLY_FAILING, NEWLY_PASSING = "newly_failing", "newly_passing"
EFFECTS = (SAME, DIFFERENT, OTHER_TARGETS, NEWLY_FAILING, NEWLY_PASSING)
_FAILED = {REFUSED, QUARANTINED, DEAD}


@dataclass(frozen=True, slots=True)
class Example:
    """One event, by its place among all, and what differs for it."""

    id: str
    source: str
    type: str
    differences: tuple[Difference, ...]
    place: int = 0


@dataclass(slots=True)
class Effects:
    """How many events each effect has, of which sources and types they are, and the first of each effect.

    `cut` when there are more events than were replayed.
    """

    counts: Counter[str] = field(default_factory=Counter)
    kinds: dict[str, Counter[str]] = field(default_factory=dict)
    examples: dict[str, Example] = field(default_factory=dict)
    cut: bool = False


_Past = Sequence[Stored | Arrival | Redelivery]


def effects(base: Project, candidate: Project, past: _Past, edited: _Past | None = None) -> Effects:
    """Return what becomes of each event now and what would become of it, or of another in its place.

    Nothing leaves the process.
    """
    found = Effects()
    before, after = Rehearsal(base).play(past), Rehearsal(candidate).play(past if edited is None else edited)
    for place, (old, new) in enumerate(zip(before, after, strict=True)):
        differences = tuple(_differences(old, new))
        effect = _effect(old, new, differences)
        event = old.raw or new.raw
        example = Example(event.id if event else "", old.source, event.type if event else "", differences, place)
        found.counts[effect] += 1
        found.kinds.setdefault(effect, Counter())[f"{example.source} {example.type}".strip()] += 1
        if effect != SAME:
            found.examples.setdefault(effect, example)
    return found


def _effect(old: Outcome, new: Outcome, differences: Sequence[Difference]) -> str:
    if _fails(old) != _fails(new):
        return NEWLY_PASSING if _fails(old) else NEWLY_FAILING
    if [(s.route, s.connector) for s in old.sent] != [(s.route, s.connector) for s in new.sent]:
        return OTHER_TARGETS
    return DIFFERENT if differences else SAME


def _fails(outcome: Outcome) -> bool:
    return outcome.word in _FAILED or bool(outcome.failures)


def _differences(old: Outcome, new: Outcome) -> Iterator[Difference]:
    yield from compare("outcome", old.word, new.word)
    yield from compare("problems", _said(old), _said(new))
    before, after = _requests(old), _requests(new)
    for route in [*before, *(route for route in after if route not in before)]:
        if route in before and route in after:
            for part in ("url", "headers", "body"):
                yield from compare(f"{part} of {route}", before[route][part], after[route][part])
        else:
            yield Difference(f"request of {route}", "", before.get(route, NOTHING), after.get(route, NOTHING))


def _requests(outcome: Outcome) -> dict[str, dict[str, Any]]:
    return {sent.route: sent.request.as_dict() for sent in outcome.sent}


def _said(outcome: Outcome) -> list[str]:
    return [str(problem.at("")) for problem in outcome.problems]  # a line that moved is no difference


def summed(counter: Counter[str]) -> Iterable[tuple[str, int]]:
    """Return what is counted, most first, then by name."""
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))
