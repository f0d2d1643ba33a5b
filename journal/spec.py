"""Reads `journal/*.yaml`, the rules of conformance; called when a project is loaded."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from crossdock.kernel.content import Spot, names, read_all, read_schema
from crossdock.kernel.problems import Incomplete
from crossdock.kernel.units import seconds
from journal.keys import BUSINESS_KEY

FOLDER = "journal"
MISSING_FIRST: Final = "missing_first"
MISSING_THEN: Final = "missing_then"
WRONG_ORDER: Final = "wrong_order"
_SCHEMA = read_schema(Path(__file__).parent)

Breaks = Literal["missing_first", "missing_then", "wrong_order"]


@dataclass(frozen=True, slots=True)
class Side:
    """Events of a canonical type that have a key of a kind."""

    type: str
    key: str


@dataclass(frozen=True, slots=True)
class Rule:
    """Two events that share a key, and what breaks the rule; the missing one may be `within` seconds late."""

    name: str
    description: str
    first: tuple[Side, ...]
    then: tuple[Side, ...]
    breaks: Breaks
    within: float
    spot: Spot = field(repr=False, compare=False)


def load(root: Path) -> tuple[Rule, ...]:
    """Return the rules of a project.

    Raises:
        Refused: with every problem of every file.
    """
    documents, problems = read_all(names(root, FOLDER), root, _SCHEMA)
    spots = [Spot(document, ("rules", i)) for document in documents for i in range(len(document.value["rules"]))]
    rules = tuple(_rule(spot) for spot in spots)
    for rule in rules:
        if rule.breaks == MISSING_THEN and not rule.within:
            hint = "such as within: 3d"
            problems.append(rule.spot.problem((), "missing_key", "`within` is missing: by when must it follow?", hint))
    if problems:
        raise Incomplete(problems, rules)
    return rules


def _rule(spot: Spot) -> Rule:
    value = spot.value()
    key = value.get("key", BUSINESS_KEY)
    return Rule(
        value["rule"],
        value.get("description", ""),
        _sides(value["first"], key),
        _sides(value["then"], key),
        value["breaks"],
        seconds(value.get("within", "0s")),
        spot,
    )


def _sides(value: Any, key: str) -> tuple[Side, ...]:
    return tuple(_side(one, key) for one in (value if isinstance(value, list) else [value]))


def _side(value: Any, key: str) -> Side:
    return Side(value, key) if isinstance(value, str) else Side(value["type"], value.get("key", key))
