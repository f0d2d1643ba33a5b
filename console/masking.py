"""How what is personal in an event is covered wherever the event is shown; called by what shows contents."""

from typing import Any

from crossdock.covering import MASK
from crossdock.kernel.event import Event
from crossdock.personal import ALL, Personal, touches
from schemas.annotations import masked

_DATA = ("data", "data_base64")


def covered(event: Event, personal: Personal | None) -> Any:
    """Return the data for people; all of it is covered when no schema says what is personal."""
    return MASK if personal is None or isinstance(event.data, bytes) else masked(event.data, personal, MASK)


def reaches(patch: Any, personal: Personal | None) -> bool:
    """Tell whether a patch has to do with what is personal, so that what comes of it may tell something of that."""
    named = {"move": ("path", "from"), "copy": ("path", "from")}
    places = (one[name] for one in patch for name in named.get(one["op"], ("path",)))
    hiding = ALL if personal is None else personal
    return any(place.startswith("/data_base64") or touches(place.removeprefix("/data"), hiding) for place in places)


def shown_patch(patch: Any, personal: Personal | None) -> Any:
    """Return a patch of an event for people: values that it puts in, or asks for, at a personal place are covered."""
    return [{**one, "value": at_place(one["path"], one["value"], personal)} if "value" in one else one for one in patch]


def at_place(pointer: str, value: Any, personal: Personal | None) -> Any:
    """Return a value at a place of an event, which is a JSON pointer into it, without what is personal there."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    if not steps and isinstance(value, dict):
        return {**value, **{key: at_place(f"/{key}", value[key], personal) for key in _DATA if key in value}}
    if steps[:1] == ["data_base64"] or (steps[:1] == ["data"] and personal is None):
        return MASK
    return _below(value, steps[1:], personal or {}) if steps[:1] == ["data"] else value


def _below(value: Any, steps: list[str], hiding: Personal) -> Any:
    """Return a value at a place of the data without what is personal at or below it."""
    left: dict[tuple[str, ...], Any] = {}
    for path in hiding:
        common = min(len(path), len(steps))
        if all(name in ("", step) for name, step in zip(path[:common], steps[:common], strict=True)):
            left[path[common:]] = True
    return masked(value, left, MASK)
