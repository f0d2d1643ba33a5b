"""Decides whether a route takes an event and in which order; the pipeline, `try` and `explain` ask it."""

from collections.abc import Iterable
from dataclasses import dataclass

from crossdock.kernel.event import Event
from crossdock.kernel.expression import View, view
from crossdock.kernel.keys import EXPECTED, as_key
from crossdock.kernel.problems import Refused, refuse
from routes.reason import reason
from routes.spec import Route


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a route makes of an event: whether it takes it, and why."""

    route: str
    matched: bool
    why: str


def wants(route: Route, type_: str) -> bool:
    """Tell whether the route takes events of a type, before its condition is asked."""
    return type_ in route.types


def matches(route: Route, seen: View) -> bool:
    """Tell whether the route's condition holds; only exactly `true` does.

    Raises:
        Refused: `when_not_boolean`, `expression_failed`.
    """
    if route.when is None:
        return True
    value = route.when.evaluate(seen)
    if not isinstance(value, bool):
        given = "nothing" if value is None else "neither true nor false"
        raise refuse("when_not_boolean", f"`when` of the route {route.name} gives {given}", "compare, or use $exists()")
    return value


def order_key(route: Route, seen: View) -> str:
    """Return the key whose events are delivered one at a time; empty when the route is not ordered.

    Raises:
        Refused: `bad_order_key`, `expression_failed`.
    """
    if route.order_by is None:
        return ""
    key = as_key(route.order_by.evaluate(seen))
    if key is None:
        raise refuse("bad_order_key", f"`order_by` of the route {route.name} does not give {EXPECTED}")
    return key


def explain(routes: Iterable[Route], event: Event) -> list[Verdict]:
    """Return what each route makes of a canonical event, with the condition that failed in words."""
    seen = view(event)
    return [_verdict(route, event.type, seen) for route in routes]


def _verdict(route: Route, type_: str, seen: View) -> Verdict:
    if not wants(route, type_):
        return Verdict(route.name, False, f"takes {', '.join(route.types)}, not {type_}")
    if route.when is None:
        return Verdict(route.name, True, f"takes every {type_}")
    try:
        matched = matches(route, seen)
    except Refused as error:
        return Verdict(route.name, False, "; ".join(p.message for p in error.problems))
    return Verdict(route.name, matched, f"{route.when.text} holds" if matched else reason(route.when, seen))
