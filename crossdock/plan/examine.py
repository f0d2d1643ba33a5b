"""One dead letter through a revision in memory, and what changed since another one on the way that it takes."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import unified_diff
from typing import Any

from crossdock.kernel.content import Spot
from crossdock.kernel.event import Event
from crossdock.kernel.secretlike import secret_lines
from crossdock.plan.resending import again
from crossdock.plan.rules import HIDDEN, placed
from crossdock.project import Project
from crossdock.trial.differences import compare
from crossdock.trial.rehearsal import Rehearsal
from dlq.edits import document_of
from dlq.record import PROCESS, DeadLetter

MOST_LINES = 200  # of one file


def examine(project: Project, files: Mapping[str, bytes], letter: DeadLetter) -> dict[str, Any]:
    """Return what becomes of a dead letter by a project: its canonical form, requests, and problems with their rules.

    Nothing leaves the process.
    """
    outcome = Rehearsal(project).play([again(letter)])[0]
    return {
        "revision": project.revision,
        "outcome": outcome.word,
        "canonical": _event(outcome.event),
        "requests": [
            {"route": sent.route, "connector": sent.connector, **sent.request.as_dict()} for sent in outcome.sent
        ],
        "problems": placed(outcome.problems, files, project, outcome),
    }


def _event(event: Event | None) -> dict[str, Any] | None:
    if event is None:
        return None
    data = event.data.decode("utf-8", "backslashreplace") if isinstance(event.data, bytes) else event.data
    return {**event.attributes(), "data": data}


def differences(letter: DeadLetter, made: DeadLetter) -> list[dict[str, Any]]:
    """Return where an edited event differs from the one it was made of, each with `before` and `after`."""
    found = compare("event", document_of(letter), document_of(made))
    return [one.as_dict("before", "after") for one in found]


def rules(project: Project, files: Mapping[str, bytes], letter: DeadLetter) -> list[dict[str, Any]]:
    """Return where the route and the connector stand that a delivery failed at; nothing at the other stage."""
    route = project.routes.get(letter.route)
    if route is None:
        return []
    connector = project.connectors.get(route.connector)
    spots = [route.spot, *([connector.spot] if connector and connector.spot else [])]
    return placed([spot.problem((), "", "") for spot in spots], files, project)


def changes(then: Mapping[str, bytes], now: Mapping[str, bytes], names: Iterable[str]) -> list[dict[str, Any]]:
    """Return the files of `names` that differ, each with the lines that do."""
    found = []
    for name in sorted(names):
        before, after = then.get(name), now.get(name)
        if before != after:
            what = "added" if before is None else "removed" if after is None else "changed"
            lines = list(_lines(before or b"", after or b""))
            found.append({"file": name, "what": what, "lines": lines[:MOST_LINES], "more": len(lines) > MOST_LINES})
    return found


def _lines(before: bytes, after: bytes) -> Iterator[str]:
    old, new = (raw.decode("utf-8", "replace").splitlines() for raw in (before, after))
    secret = {lines[place] for lines in (old, new) for place in secret_lines(lines)}
    for line in list(unified_diff(old, new, n=2, lineterm=""))[2:]:
        yield line[0] + HIDDEN if line[1:] in secret else line


def passed(project: Project, names: Iterable[str], letter: DeadLetter) -> set[str]:
    """Return those of the files that an event goes through: source, schemas, transform and tables, route, target."""
    pieces = list(_pieces(project, letter))
    said = "\n".join(str(spot.value()) for spot in pieces)
    own = {spot.document.file for spot in pieces}
    types = _types(project, letter)
    return own | {name for name in names if _schema_of(name, types) or _named_in(name, said)}


def _types(project: Project, letter: DeadLetter) -> set[str]:
    return {letter.type, *(one.to_type for one in project.transforms.values() if one.from_type == letter.type)}


def _schema_of(name: str, types: set[str]) -> bool:
    parts = name.split("/")
    return parts[0] == "schemas" and len(parts) > 2 and parts[1] in types


def _named_in(name: str, said: str) -> bool:
    """Tell whether a table, a module or a schema of a target is named in what a piece of content says."""
    folder, _, rest = name.partition("/")
    if folder != "transforms":
        return False
    if name.endswith(".py"):
        return f"python:{rest.removesuffix('.py')}." in said
    return rest in said or (rest.startswith("targets/") and rest.removeprefix("targets/") in said)


def _pieces(project: Project, letter: DeadLetter) -> Iterator[Spot]:
    if (source := project.sources.get(letter.source)) is not None:
        yield source.spot
    types = _types(project, letter)
    if letter.stage == PROCESS:
        yield from (one.spot for one in project.transforms.values() if one.from_type == letter.type)
    yield from (cast.spot for cast in project.casts if cast.type in types)
    for route in project.routes.values():
        if letter.route != route.name and (letter.route or not types & {*route.types}):
            continue
        yield route.spot
        if route.map:
            yield project.forms[route.map].spot
        connector = project.connectors.get(route.connector)
        if connector is not None and connector.spot is not None:
            yield connector.spot
