"""Decides whether a route takes an event and in which order; the pipeline, `try` and `explain` ask it."""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from crossdock.kernel.event import Event
from crossdock.kernel.expression import View, view
from crossdock.kernel.keys import EXPECTED, as_key
from crossdock.kernel.problems import Refused, refuse
from crossdock.kernel.units import duration
from routes.reason import reason
from routes.spec import Route


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a route makes of an event: whether it takes it, and why.

    `code` says which rule decided: `type`, `sample`, `when`, `failed`, or `all` for a route that takes every event of
    its types; `expression` is the part of `when` that did, `value` what its left side was.
    """

    route: str
    matched: bool
    why: str
    code: str
    expression: str = ""
    value: Any = None


def wants(route: Route, type_: str) -> bool:
    """Tell whether the route takes events of a type, before its condition is asked."""
    return type_ in route.types


def in_sample(event: Event) -> float:
    """Return where an event stands from 0 to 1, the same in every process and for every route.

    A route with a `sample` takes those below it, so that what a small sample takes is in every larger one.
    """
    digest = hashlib.blake2b(f"{event.source}\0{event.id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


def matches(route: Route, seen: View) -> bool:
    """Tell whether the route's sample has the event and its condition holds; only exactly `true` does.

    Raises:
        Refused: `when_not_boolean`, `expression_failed`.
    """
    if route.sample < 1 and in_sample(seen.event) >= route.sample:
        return False
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


class Reference(NamedTuple):
    """An event that another waits for, by its business key; an empty type stands for any."""

    type: str
    key: str

    def __str__(self) -> str:
        return f"{self.type or 'an event of'} {self.key}"

    def means(self, event: Event) -> bool:
        """Tell whether it is this event."""
        return self.type in ("", event.type) and str(event.extensions.get("businesskey", "")) == self.key


def references(route: Route, seen: View) -> tuple[Reference, ...]:
    """Return which events must have reached the connector before this one.

    Raises:
        Refused: `bad_after_key`, `expression_failed`.
    """
    if route.after is None:
        return ()
    value = route.after.key.evaluate(seen)
    keys = [] if value is None else value if isinstance(value, list) else [value]
    found = tuple(dict.fromkeys(as_key(key) for key in keys))
    if None in found:
        raise refuse("bad_after_key", f"`after` of the route {route.name} does not give {EXPECTED}, or a list of such")
    return tuple(Reference(route.after.type, key) for key in found if key is not None)


def age(event: Event, stored: float) -> float:
    """Return since when an event counts as old, in Unix seconds: its `time`, without one when it was `stored`."""
    try:
        return datetime.fromisoformat(event.time.upper()).timestamp() if event.time else stored
    except (ValueError, OverflowError):  # a leap second, a year that the clock does not reach
        return stored


def explain(
    routes: Iterable[Route],
    event: Event,
    source: str = "",
    cast: Callable[[Route, Event], Event] = lambda _, event: event,
    now: Callable[[], float] = time.time,
) -> list[Verdict]:
    """Return what each route makes of a canonical event, with the condition that failed in words.

    `cast` gives the event in the version that a route takes.
    """
    return [_verdict(route, event, source, cast, now()) for route in routes]


def _verdict(route: Route, event: Event, source: str, cast: Callable[[Route, Event], Event], now: float) -> Verdict:
    if not wants(route, event.type):
        return Verdict(route.name, False, f"takes {', '.join(route.types)}, not {event.type}", "type", value=event.type)
    try:
        event = cast(route, event)
        seen = view(event, source)
        matched = matches(route, seen)
    except Refused as error:
        text = route.when.text if route.when else ""
        return Verdict(route.name, False, "; ".join(p.message for p in error.problems), "failed", text)
    if not matched:
        return _unmatched(route, seen)
    why = f"{route.when.text} holds" if route.when else f"takes every {event.type}"
    told = "; ".join([why, *_later(route, event, now)])
    return Verdict(route.name, True, told, *(("when", route.when.text) if route.when else ("all",)))


def _unmatched(route: Route, seen: View) -> Verdict:
    place = in_sample(seen.event)
    if place >= route.sample or route.when is None:
        why = f"the sample of {_percent(route.sample)} does not have it: it stands at {_percent(place)}"
        return Verdict(route.name, False, why, "sample", value=place)
    why, part, value = reason(route.when, seen)
    return Verdict(route.name, False, why, "when", part, value)


def _later(route: Route, event: Event, now: float) -> Iterator[str]:
    """Say what else the route makes of an event that it takes at this moment."""
    if route.sample < 1:
        yield f"the sample of {_percent(route.sample)} has it"
    if route.expire and age(event, now) + route.expire < now:
        yield f"but it is older than {duration(route.expire)}: it becomes the dead letter `expired`"
    if route.delay:
        yield f"sent {duration(route.delay)} after it was stored"
    if waits := _waits(route, event):
        yield waits
    if route.window and (look := route.window.look(now)).closed:
        yield f"held, the window is closed until {route.window.local(look.until)}"
    if route.tap:
        yield "a tap: dropped if it cannot be sent"


def _waits(route: Route, event: Event) -> str:
    """Say for which others it waits; what cannot be evaluated becomes a dead letter, and is said as such."""
    try:
        named = references(route, view(event))
    except Refused as error:
        return "; ".join(problem.message for problem in error.problems)
    if route.after is None or not named:
        return ""
    then = "dead letter `after_missing`" if route.after.buries else "sent all the same"
    told = " and ".join(map(str, named))
    return f"waits until {told} has reached {route.connector}, for at most {duration(route.after.within)}, then {then}"


def _percent(share: float) -> str:
    return f"{round(share * 100, 2):g}%"
