"""Reads `routes/*.yaml`; called when a project is loaded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from crossdock.kernel.content import Spot, expressions, names, read_all, read_schema
from crossdock.kernel.expression import Expression
from crossdock.kernel.problems import Incomplete, Problem
from crossdock.kernel.retry import Retry
from crossdock.kernel.units import seconds
from routes.window import Hours, Window, hours, zone

FOLDER = "routes"
NOW, BEGINNING = "now", "beginning"
LONGEST_DELAY = 24 * 3600.0  # seconds; the events that wait must still be there when their turn comes
_SCHEMA = read_schema(Path(__file__).parent)

Priority = Literal["high", "normal", "low"]


@dataclass(frozen=True, slots=True)
class After:
    """What must have reached the connector before: an event of this business key, of `type` unless that is empty.

    A delivery waits for it for at most `within` seconds; then it goes all the same, or is given up if `buries`.
    """

    key: Expression
    type: str
    within: float
    buries: bool


@dataclass(frozen=True, slots=True)
class Route:
    """Which canonical events go to a connector; at most `in_flight` deliveries are under way at once.

    `majors` are the versions in which it wants some of its `types`, `map` is the name of the target's form. `expire`
    (0 for never) and `delay` are in seconds, `sample` is from 0 to 1.
    """

    name: str
    types: tuple[str, ...]
    connector: str
    when: Expression | None
    order_by: Expression | None
    in_flight: int
    retry: Retry
    spot: Spot = field(repr=False, compare=False)
    majors: Mapping[str, int] = field(default_factory=dict, hash=False)
    map: str = ""
    priority: Priority = "normal"
    expire: float = 0.0
    delay: float = 0.0
    window: Window | None = None
    sample: float = 1.0
    tap: bool = False
    start: str = NOW
    after: After | None = None


def load(root: Path) -> tuple[Route, ...]:
    """Return the routes of a project; one with several targets is a route for each.

    Raises:
        Refused: with every problem of every file.
    """
    documents, problems = read_all(names(root, FOLDER), root, _SCHEMA)
    spots = [Spot(document, ("routes", i)) for document in documents for i in range(len(document.value["routes"]))]
    routes = [route for spot in spots for route in _routes(spot, problems)]
    if problems:
        raise Incomplete(problems, tuple(routes))
    return tuple(routes)


def _routes(spot: Spot, problems: list[Problem]) -> list[Route]:
    value = spot.value()
    compiled = expressions(spot, ("when", "order_by"), problems)
    types = [type_.partition("@")[::2] for type_ in value["from"]]
    tap = value.get("tap", False)
    shared: dict[str, Any] = {
        "types": tuple(type_ for type_, _ in types),
        "when": compiled.get("when"),
        "order_by": compiled.get("order_by"),
        "in_flight": value.get("in_flight", 64),
        "retry": _retry(spot, value.get("retry", {}), tap, problems),
        "spot": spot,
        "majors": {type_: int(major) for type_, major in types if major},
        "map": value.get("map", ""),
        "priority": value.get("priority", "low" if tap else "normal"),
        "expire": seconds(value.get("expire", "0s")),
        "delay": seconds(value.get("delay", "0s")),
        "window": _window(spot, value["window"], problems) if "window" in value else None,
        "sample": float(value.get("sample", "100%")[:-1]) / 100,
        "tap": tap,
        "start": _start(spot, value.get("start", NOW), problems),
        "after": _after(spot, value["after"], problems) if "after" in value else None,
    }
    _check(spot, shared, problems)
    return [Route(name, connector=connector, **shared) for name, connector in _targets(value)]


def _start(spot: Spot, value: str, problems: list[Problem]) -> str:
    """Return where a route begins that comes with a change: a word, or a time in UTC as ISO 8601 has it."""
    if value in (NOW, BEGINNING):
        return value
    try:
        return datetime.fromisoformat(value).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):  # the latter: in UTC it is before the year 1 or after 9999
        problems.append(spot.problem(("start",), "bad_value", f"{value[:40]} is no date and time", "2026-11-01T00:00Z"))
        return NOW


def _targets(value: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the names of the routes that a route stands for, each with its connector."""
    name, to = value["route"], value["to"]
    return [(name, to)] if isinstance(to, str) else [(f"{name}-{connector}", connector) for connector in to]


def _retry(spot: Spot, value: Mapping[str, Any], tap: bool, problems: list[Problem]) -> Retry:
    first, most = seconds(value.get("first", "2s")), seconds(value.get("most", "10m"))
    if not 0 < first <= most:
        problems.append(
            spot.problem(("retry",), "bad_value", "retry needs 0 < first <= most", "such as first: 2s, most: 10m")
        )
    return Retry(seconds(value.get("for", "1m" if tap else "24h")), first, most)


def _after(spot: Spot, value: str | Mapping[str, Any], problems: list[Problem]) -> After | None:
    given: Mapping[str, Any] = {} if isinstance(value, str) else value
    place, name = (Spot(spot.document, (*spot.path, "after")), "key") if given else (spot, "after")
    key = expressions(place, (name,), problems).get(name)
    if key is None:
        return None
    return After(key, given.get("type", ""), seconds(given.get("for", "1h")), given.get("then") == "dead_letter")


def _window(spot: Spot, value: Mapping[str, Any], problems: list[Problem]) -> Window | None:
    closed: list[Hours] = []
    given = value["closed"]
    for index, text in enumerate([given] if isinstance(given, str) else given):
        try:
            closed.append(hours(text))
        except ValueError as error:
            hint = "such as 22:00-02:00, Mon-Fri 22:00-02:00 or Sat,Sun 00:00-24:00"
            problems.append(spot.problem(("window", "closed", index), "bad_window", str(error), hint))
    found = _zone(spot, value["zone"], problems)
    if found is None or not closed:
        return None
    window = Window(tuple(closed), found, int(value.get("drain", "0/s").removesuffix("/s")))
    if window.never_opens():
        problems.append(spot.problem(("window", "closed"), "bad_window", "it is closed at every hour of the week"))
    return window


def _zone(spot: Spot, name: str, problems: list[Problem]) -> ZoneInfo | None:
    try:
        return zone(name)
    except ValueError as error:
        problems.append(spot.problem(("window", "zone"), "unknown_zone", f"there is no time zone {name!r}", str(error)))
        return None


def _check(spot: Spot, route: Mapping[str, Any], problems: list[Problem]) -> None:
    """Find keys that contradict each other."""
    if len(set(route["types"])) < len(route["types"]):
        problems.append(spot.problem(("from",), "bad_value", "a type is named twice", "take it in one version"))
    if "expire" in spot.value() and route["expire"] <= route["delay"]:
        message = "every event has expired when its time comes"
        problems.append(spot.problem(("expire",), "contradiction", message, "let `expire` be longer than `delay`"))
    if route["after"] and route["after"].within > LONGEST_DELAY:
        message = "an event waits for another at most 24h"
        problems.append(spot.problem(("after", "for"), "bad_value", message, "the events must still be kept"))
    if route["delay"] > LONGEST_DELAY:
        problems.append(
            spot.problem(("delay",), "bad_value", "a delay is at most 24h", "the events must still be kept")
        )
