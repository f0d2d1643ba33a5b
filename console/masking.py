"""What is personal in an event, and how it is covered wherever the event is shown; called by what shows contents."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from crossdock.kernel.event import Event
from crossdock.kernel.problems import Refused
from crossdock.kernel.stream import VERSION
from crossdock.project import Project
from dlq.edits import event_of
from dlq.record import DeadLetter
from schemas.annotations import PERSONAL, annotated, masked, values

MASK = "***"
_DATA = ("data", "data_base64")
_SHORT = 3  # letters of a personal value that stands by chance in many texts, and is covered only where it is all

Personal = Mapping[tuple[str, ...], Any]


def personal_of(project: Project, headers: Mapping[str, str], event: Event) -> Personal | None:
    """Return where its schema calls an event personal; None when no schema describes it, so that nothing is known."""
    version = headers.get(VERSION) or event.dataschema.rpartition("/")[2]
    known = version in project.registry.versions(event.type)
    return annotated(project.registry.schema(event.type, version), PERSONAL) if known else None


def personal_of_all(project: Project) -> Personal:
    """Return the places that any version of any schema calls personal, for what is done to events of many types."""
    registry, found = project.registry, dict[tuple[str, ...], Any]()
    for type_ in registry.types():
        for version in registry.versions(type_):
            told = annotated(registry.schema(type_, version), PERSONAL)
            found |= {path: said for path, said in told.items() if said is not False}
    return found


def covered(event: Event, personal: Personal | None) -> Any:
    """Return the data for people; all of it is covered when no schema says what is personal."""
    return MASK if personal is None or isinstance(event.data, bytes) else masked(event.data, personal, MASK)


def hidden(event: Event, personal: Personal) -> frozenset[str]:
    """Return the personal values of an event, as whatever a map calls them they are the same in what it makes."""
    found = (value for path, said in personal.items() if said is not False for value in values(event.data, path))
    return frozenset(str(leaf) for value in found for leaf in leaves(value) if leaf not in ("", None, True, False))


def secrets_of(project: Project, letter: DeadLetter) -> frozenset[str]:
    """Return the personal values of a dead letter, all of its values where no schema describes it."""
    try:
        event = event_of(letter)
    except Refused:
        return frozenset()
    return hidden(event, {(): True} if (known := personal_of(project, letter.headers, event)) is None else known)


def held_in(text: str, secret: frozenset[str]) -> frozenset[str]:
    """Return those of many personal values that a text holds."""
    return frozenset(one for one in secret if one in text)


def leaves(data: Any) -> Iterator[Any]:
    """Yield the values that hold no others."""
    if isinstance(data, dict | list):
        for child in data.values() if isinstance(data, dict) else data:
            yield from leaves(child)
    else:
        yield data


def without(data: Any, secret: frozenset[str]) -> Any:
    """Return data with a mask for every text that holds a personal value, and for every number that is one."""
    if isinstance(data, dict):
        return {name: without(child, secret) for name, child in data.items()}
    if isinstance(data, list):
        return [without(child, secret) for child in data]
    holds = any(one in data for one in secret) if isinstance(data, str) else str(data) in secret
    return MASK if holds else data


def text_without(text: str, secret: frozenset[str]) -> str:
    """Return a text for people, such as a problem or an answer, in which personal values are covered, and no others."""
    for one in sorted((one for one in secret if one in text), key=len, reverse=True):
        edge = r"\b" if len(one) <= _SHORT else ""
        text = re.sub(f"{edge}{re.escape(one)}{edge}", MASK, text)
    return text


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
    hiding = [path for path, said in (personal or {}).items() if said is not False]
    return _below(value, steps[1:], hiding) if steps[:1] == ["data"] else value


def _below(value: Any, steps: list[str], hiding: list[tuple[str, ...]]) -> Any:
    """Return a value at a place of the data without what is personal at or below it."""
    left: dict[tuple[str, ...], Any] = {}
    for path in hiding:
        common = min(len(path), len(steps))
        if all(name in ("", step) for name, step in zip(path[:common], steps[:common], strict=True)):
            left[path[common:]] = True
    return masked(value, left, MASK)
