"""Where the rule stands that an event broke: file, line and text of it; called where a dead letter is looked at."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import jsonschema_rs

from crossdock.kernel import jsontext, yamlfile
from crossdock.kernel.problems import Problem, Refused
from crossdock.kernel.secretlike import secret_lines
from crossdock.project import Project
from crossdock.trial.outcome import Outcome
from schemas.registry import FOLDER
from schemas.spec import compile_schema

_OF_CANONICAL = "canonical_invalid"
_OF_SCHEMAS = {"schema_violation", _OF_CANONICAL}
HIDDEN = "(a line that may hold a secret)"


def placed(
    problems: Iterable[Problem], files: Mapping[str, bytes], project: Project, outcome: Outcome | None = None
) -> list[dict[str, Any]]:
    """Return problems with the place in `files` of the rule of each, and the line that stands there.

    `outcome` is what became of the event that they are about.
    """
    found = []
    for problem in problems:
        there = _in_schema(problem, files, project, outcome) if outcome and problem.code in _OF_SCHEMAS else problem
        found.append({k: v for k, v in there.as_dict().items() if v} | _line(files, there))
    return found


def _in_schema(problem: Problem, files: Mapping[str, bytes], project: Project, outcome: Outcome) -> Problem:
    """Return a problem of data at the keyword of the schema that it broke."""
    event = outcome.event if problem.code == _OF_CANONICAL else outcome.raw
    source = project.sources.get(outcome.source)
    if event is None:
        return problem
    pin = source.pin(event.type) if source and event is outcome.raw else ""
    try:
        name = f"{FOLDER}/{event.type}/{project.registry.version(event.type, event.dataschema, pin)}.json"
        document = yamlfile.parse(files[name], name)
        errors = compile_schema(jsontext.loads(files[name])).iter_errors(event.data)
    except (Refused, KeyError, ValueError):
        return problem
    at = next((list(error.schema_path) for error in errors if _is(error, problem)), [])
    place = document.problem(tuple(at), "", "")
    return replace(problem, file=place.file, line=place.line, column=place.column)


def _is(error: jsonschema_rs.ValidationError, problem: Problem) -> bool:
    """Tell whether a validator's error is what the problem tells; that may name a member of the error's place."""
    if error.kind.name != problem.rule:
        return False
    steps = [step.replace("~1", "/").replace("~0", "~") for step in problem.pointer.split("/")[1:]]
    path = [str(step) for step in error.instance_path]
    return steps == path or steps[:-1] == path


def _line(files: Mapping[str, bytes], problem: Problem) -> dict[str, str]:
    lines: Sequence[str] = files.get(problem.file, b"").decode("utf-8", "replace").splitlines()
    if not 0 < problem.line <= len(lines):
        return {}
    place = problem.line - 1
    return {"text": HIDDEN if place in secret_lines(lines) else lines[place]}
