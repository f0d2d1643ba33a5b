"""Reads `routes/*.yaml`; called when a project is loaded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crossdock.kernel.content import Spot, expressions, names, read_all, read_schema
from crossdock.kernel.expression import Expression
from crossdock.kernel.problems import Problem, Refused
from crossdock.kernel.retry import Retry
from crossdock.kernel.units import seconds

FOLDER = "routes"
_SCHEMA = read_schema(Path(__file__).parent)


@dataclass(frozen=True, slots=True)
class Route:
    """Which canonical events go to a connector; at most `in_flight` deliveries are under way at once."""

    name: str
    types: tuple[str, ...]
    connector: str
    when: Expression | None
    order_by: Expression | None
    in_flight: int
    retry: Retry
    spot: Spot = field(repr=False, compare=False)


def load(root: Path) -> tuple[Route, ...]:
    """Return the routes of a project.

    Raises:
        Refused: with every problem of every file.
    """
    documents, problems = read_all(names(root, FOLDER), root, _SCHEMA)
    spots = [Spot(document, ("routes", i)) for document in documents for i in range(len(document.value["routes"]))]
    routes = [_route(spot, problems) for spot in spots]
    if problems:
        raise Refused(problems)
    return tuple(routes)


def _route(spot: Spot, problems: list[Problem]) -> Route:
    value = spot.value()
    compiled = expressions(spot, ("when", "order_by"), problems)
    return Route(
        value["route"],
        tuple(value["from"]),
        value["to"],
        compiled.get("when"),
        compiled.get("order_by"),
        value.get("in_flight", 64),
        _retry(spot, value.get("retry", {}), problems),
        spot,
    )


def _retry(spot: Spot, value: Mapping[str, Any], problems: list[Problem]) -> Retry:
    first, most = seconds(value.get("first", "2s")), seconds(value.get("most", "10m"))
    if not 0 < first <= most:
        problems.append(spot.problem(("retry",), "bad_value", "retry needs 0 < first <= most"))
    return Retry(seconds(value.get("for", "24h")), first, most)
