"""How well the events of a partner fit: a score of 100 from which points are taken, each with its reason."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

FULL = 100.0


class Rule(NamedTuple):
    """What costs points: `each` percent of `of` (or each one, where `of` is empty) costs so many, at most `most`."""

    name: str
    of: str
    each: float
    most: float
    says: str
    one: str = ""  # says it of a single one, where that differs


# What is refused must be sent again by somebody, so it costs most; what is known as a repeat costs us little.
RULES = (
    Rule("refused", "sent", 1.0, 30.0, "refused at the gateway"),
    Rule(
        "unverified",
        "sent",
        0.5,
        10.0,
        "requests that did not prove who sent them",
        "request that did not prove who sent it",
    ),
    Rule("unusable", "accepted", 1.0, 20.0, "accepted, but quarantined or refused by the process step"),
    Rule("id_conflicts", "accepted", 5.0, 20.0, "an id used again with other content"),
    Rule("duplicates", "sent", 0.2, 10.0, "sent again"),
    Rule("late", "timed", 0.2, 10.0, "more than 5 minutes after their own time"),
    Rule("unordered", "timed", 0.1, 5.0, "after a younger one of the same device"),
    Rule("drift", "", 2.0, 10.0, "open drift findings", "open drift finding"),
    Rule("silent", "", 5.0, 10.0, "sources silent for longer than usual", "source silent for longer than usual"),
)


class Loss(NamedTuple):
    """Points that were lost, and why."""

    rule: str
    points: float
    reason: str


def losses(counts: Mapping[str, int]) -> list[Loss]:
    """Return what costs points, the most expensive first; what a count is a part of must be counted, too."""
    found = [loss for rule in RULES if (loss := _loss(rule, counts)) is not None]
    return sorted(found, key=lambda loss: -loss.points)


def score(lost: Sequence[Loss]) -> float:
    """Return what is left of 100 points, at least 0."""
    return max(0.0, round(FULL - sum(loss.points for loss in lost), 1))


def _loss(rule: Rule, counts: Mapping[str, int]) -> Loss | None:
    number, of = counts.get(rule.name, 0), counts.get(rule.of, 0) if rule.of else 0
    if not number or (rule.of and not of):
        return None
    measured = min(100.0, 100 * number / of) if rule.of else float(number)
    points = round(min(rule.most, rule.each * measured), 1)
    share = f" ({measured:.3g} % of {of})" if rule.of else ""
    says = rule.one if rule.one and number == 1 else rule.says
    return Loss(rule.name, points, f"{number}{share} {says}") if points else None


def change(now: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, float | None]:
    """Return by how much each count grew, as a part of what it was before; None where there was none."""
    return {
        name: round(value / before[name] - 1, 3) if before.get(name) else None
        for name, value in now.items()
        if isinstance(value, int | float)
    }
