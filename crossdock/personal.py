"""What is personal in an event by its schema, and texts about it that do not quote that.

Called where such a text is written: in a dead letter, in the journal, and on what people look at.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from crossdock.contents import Project
from crossdock.covering import MASK, Covering
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Problem, Refused
from crossdock.kernel.stream import VERSION
from dlq.edits import event_of
from dlq.record import DeadLetter
from schemas.annotations import EACH, Path, found

_GOT = ", got "  # what stands before the value in a problem of `schemas.differences`
_UNREADABLE = "unreadable"  # the code of problems of files and rows that no event could be made of
_OWN = "schema_violation"  # the code of problems whose pointer is into the event itself, not into what was made of it

Personal = Mapping[Path, Any]
ALL: Personal = {(): True}


def personal_of(project: Project, headers: Mapping[str, str], event: Event) -> Personal | None:
    """Return where its schema calls an event personal; None when no schema describes it, so that nothing is known."""
    return project.personal(event.type, headers.get(VERSION) or event.dataschema.rpartition("/")[2])


def hidden(event: Event, personal: Personal) -> frozenset[str]:
    """Return the personal values of an event, as whatever a map calls them they are the same in what it makes."""
    return frozenset(_hidden(event, personal))


def _hidden(event: Event, personal: Personal) -> Iterator[str]:
    values = (leaf for value in found(event.data, personal) for leaf in leaves(value))
    return (str(leaf) for leaf in values if leaf not in ("", None, True, False))


def secrets_of(letter: DeadLetter, *projects: Project) -> frozenset[str]:
    """Return the personal values of a dead letter by any of the projects, all values where none describes it."""
    try:
        event = event_of(letter)
    except Refused:
        return frozenset()
    by_each = [personal_of(project, letter.headers, event) for project in projects]
    known = [one for one in by_each if one is not None]
    return frozenset[str]().union(*(hidden(event, one) for one in known or [ALL]))


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


class Cover:
    """Covers what is personal in texts about an event, by the schemas of one project; good events never need it.

    `headers` are those that the event was stored with. Of an event that no schema describes every value is covered.
    """

    def __init__(self, project: Project) -> None:
        self._project = project

    def text(self, headers: Mapping[str, str], event: Event, text: str) -> str:
        """Return a text for people, such as what a target answered to an event."""
        return self._covering(event, personal_of(self._project, headers, event)).text(text) if text else ""

    def problems(
        self, headers: Mapping[str, str], event: Event | None, problems: Sequence[Problem]
    ) -> tuple[Problem, ...]:
        """Return problems of an event for people; those of a schema at a personal place do not tell the value."""
        if event is None or not problems:
            return tuple(problems)
        own = personal_of(self._project, headers, event)
        covering = self._covering(event, own)
        return tuple(
            one
            if one.code == _UNREADABLE  # what the event holds is this text itself
            else self._problem(one, (own or {}) if one.code == _OWN else self._project.personal_anywhere, covering)
            for one in problems
        )

    def _problem(self, problem: Problem, personal: Personal, covering: Covering) -> Problem:
        message, hint = problem.message, problem.hint
        said, got, _ = message.partition(_GOT)
        if got and problem.rule and touches(problem.pointer, personal):
            message = f"{said}{_GOT}{MASK}"
        return replace(problem, message=covering.text(message), hint=covering.text(hint))

    def _covering(self, event: Event, personal: Personal | None) -> Covering:
        unread = isinstance(event.data, bytes)
        return Covering(() if unread else _hidden(event, ALL if personal is None else personal))


def touches(pointer: str, personal: Personal) -> bool:
    """Tell whether a place is personal, is in something personal, or holds that."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    return any(all(name in (EACH, step) for name, step in zip(path, steps, strict=False)) for path in personal)
