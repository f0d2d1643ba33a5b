"""What is personal in an event by its schema, and texts about it that do not quote that.

Called where such a text is written: in a dead letter, in the journal, and on what people look at.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from crossdock.contents import Project
from crossdock.kernel.event import Event
from crossdock.kernel.problems import Problem, Refused
from crossdock.kernel.stream import VERSION
from dlq.edits import event_of
from dlq.record import DeadLetter
from schemas.annotations import EACH, Path, changed

MASK = "***"
_SHORT = 3  # letters of a personal value that stands by chance in many texts, and is covered only where it is all
_ALIKE = 8  # letters by which the beginning of a personal value is known where the text has no more of it
_CUT = re.compile(r"\.\.\.|…|[\"'’”]|\Z")  # what stands behind a value that was cut
_GOT = ", got "  # what stands before the value in a problem of `schemas.differences`
_OWN = "schema_violation"  # the code of problems whose pointer is into the event itself, not into what was made of it

Personal = Mapping[Path, Any]
ALL: Personal = {(): True}


def personal_of(project: Project, headers: Mapping[str, str], event: Event) -> Personal | None:
    """Return where its schema calls an event personal; None when no schema describes it, so that nothing is known."""
    return project.personal(event.type, headers.get(VERSION) or event.dataschema.rpartition("/")[2])


def hidden(event: Event, personal: Personal) -> frozenset[str]:
    """Return the personal values of an event, as whatever a map calls them they are the same in what it makes."""
    found = list[Any]()
    changed(event.data, personal, found.append)
    return frozenset(str(leaf) for value in found for leaf in leaves(value) if leaf not in ("", None, True, False))


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


def text_without(text: str, secret: Iterable[str]) -> str:
    """Return a text for people, such as a problem or an answer, in which personal values are covered, and no others."""
    written = {form for one in secret for form in _written(one)}
    for one in sorted((one for one in written if one in text), key=len, reverse=True):
        if len(one) > _SHORT:
            text = text.replace(one, MASK)
        else:  # the status that a target answered with is what problems are grouped by
            text = re.sub(rf"(?<!\w)(?<!HTTP ){re.escape(one)}(?!\w)", MASK, text)
    for one in written:
        if len(one) > _ALIKE and one[:_ALIKE] in text:
            text = _without_beginning(text, one)
    return text


def _written(value: str) -> set[str]:
    """Return how a value may stand in a text: as it is, in JSON, or as Python shows it."""
    plain = value.isascii() and value.isprintable() and not {"\\", '"', "'"} & {*value}
    shown = () if plain else (json.dumps(value), json.dumps(value, ensure_ascii=False), repr(value))
    return {value, *(form[1:-1] for form in shown)}


def _without_beginning(text: str, value: str) -> str:
    """Cover a value of which a text has the beginning."""
    at = text.find(value[:_ALIKE])
    while at >= 0:
        alike = next((n for n, pair in enumerate(zip(text[at:], value, strict=False)) if len({*pair}) > 1), None)
        end = min(len(text), at + len(value)) if alike is None else at + alike
        if _CUT.match(text, end):
            text = text[:at] + MASK + text[end:]
        at = text.find(value[:_ALIKE], at + 1)
    return text


class Cover:
    """Covers what is personal in texts about an event, by the schemas of one project; good events never need it.

    `headers` are those that the event was stored with. Of an event that no schema describes every value is covered.
    """

    def __init__(self, project: Project) -> None:
        self._project = project

    def text(self, headers: Mapping[str, str], event: Event, text: str) -> str:
        """Return a text for people, such as what a target answered to an event."""
        return text_without(text, self._secret(event, personal_of(self._project, headers, event)))

    def problems(
        self, headers: Mapping[str, str], event: Event | None, problems: Sequence[Problem]
    ) -> tuple[Problem, ...]:
        """Return problems of an event for people; those of a schema at a personal place do not tell the value."""
        if event is None:
            return tuple(problems)
        own = personal_of(self._project, headers, event)
        secret = self._secret(event, own)
        return tuple(
            self._problem(one, (own or {}) if one.code == _OWN else self._project.personal_anywhere, secret)
            for one in problems
        )

    def _problem(self, problem: Problem, personal: Personal, secret: frozenset[str]) -> Problem:
        said, got, _ = problem.message.partition(_GOT)
        if got and problem.rule and touches(problem.pointer, personal):
            problem = replace(problem, message=f"{said}{_GOT}{MASK}")
        if not secret:
            return problem
        message, hint = text_without(problem.message, secret), text_without(problem.hint, secret)
        return replace(problem, message=message, hint=hint)

    def _secret(self, event: Event, personal: Personal | None) -> frozenset[str]:
        return frozenset() if isinstance(event.data, bytes) else hidden(event, ALL if personal is None else personal)


def touches(pointer: str, personal: Personal) -> bool:
    """Tell whether a place is personal, is in something personal, or holds that."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    return any(all(name in (EACH, step) for name, step in zip(path, steps, strict=False)) for path in personal)
