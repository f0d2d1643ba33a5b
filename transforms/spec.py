"""Reads `transforms/*.yaml` and the casts below them; called when a project is loaded."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from crossdock.kernel.content import Spot, did_you_mean, expressions, is_test, names, read_all, read_schema
from crossdock.kernel.expression import Expression
from crossdock.kernel.jsonata_names import calls
from crossdock.kernel.jsonata_tree import Node, UnreadableError
from crossdock.kernel.problems import Incomplete, Problem, Refused
from transforms import engine, python
from transforms.casts import Cast
from transforms.engine import Rule, Transform
from transforms.functions import functions
from transforms.lookupspec import Reader

FOLDER = "transforms"
TARGETS = "targets"
_SCHEMA = read_schema(Path(__file__).parent)
_CAST_SCHEMA = {
    **_SCHEMA,
    "properties": {key: _SCHEMA["properties"][key] for key in ("description", "map", "lookups", "codes")},
    "required": ["map"],
}
_CAST = re.compile(r"([0-9]{1,6})-to-([0-9]{1,6})\Z")


def reader(root: Path, env: Mapping[str, str]) -> Reader:
    """Return what reads the tables of a project, each one once; `env` has the variables of its lookups."""
    return Reader(root, FOLDER, env)


def load(root: Path, tables: Reader | None = None) -> tuple[Transform, ...]:
    """Return the transforms of a project.

    Raises:
        Incomplete: with every problem of every file, and the transforms that could be read.
    """
    documents, problems = read_all(names(root, FOLDER), root, _SCHEMA)
    transforms, tables = [], tables or reader(root, {})
    for document in documents:
        try:
            transforms.append(_transform(Spot(document), root, tables))
        except Refused as error:
            problems.extend(error.problems)
    if problems:
        raise Incomplete(problems, tuple(transforms))
    return tuple(transforms)


def load_casts(root: Path, tables: Reader | None = None) -> tuple[Cast, ...]:
    """Return the casts of a project, `transforms/<type>/<major>-to-<major>.yaml`.

    Raises:
        Incomplete: with every problem of every file, and the casts that could be read.
    """
    below = sorted((root / FOLDER).glob("*/*.yaml"))
    paths = [path for path in below if path.parent.name != TARGETS and not is_test(path)]
    named = [path for path in paths if _CAST.match(path.stem)]
    documents, problems = read_all(named, root, _CAST_SCHEMA)
    problems.extend(_misnamed(path.relative_to(root).as_posix()) for path in paths if path not in named)
    casts, tables = [], tables or reader(root, {})
    for document in documents:
        try:
            casts.append(_cast(Spot(document), root, tables))
        except Refused as error:
            problems.extend(error.problems)
    if problems:
        raise Incomplete(problems, tuple(casts))
    return tuple(casts)


def mapping(spot: Spot, root: Path, tables: Reader, owner: str) -> tuple[engine.Mapping, dict[str, Expression]]:
    """Return the `map` of a content file with its lookups and code lists, and its other expressions.

    Raises:
        Refused: with every problem of the file.
    """
    value = spot.value()
    problems: list[Problem] = []
    lookups = tables.lookups(spot, problems)
    known = functions(lookups, value.get("codes", {}))
    compiled = expressions(spot, ("business_key",), problems, known)
    rule: Rule | None = None
    if value["map"].startswith(python.PREFIX):
        rule = _python(spot, root, problems)
    else:
        rule = expressions(spot, ("map",), problems, known).get("map")
    problems.extend(_unknown_names(spot))
    if problems or rule is None:
        raise Refused(problems)
    return engine.Mapping(rule, lookups, owner), compiled


def _transform(spot: Spot, root: Path, tables: Reader) -> Transform:
    value = spot.value()
    made, others = mapping(spot, root, tables, f"the transform {value['transform']}")
    from_type, from_major = value["from"].split("@")
    to_type, to_major = value["to"].split("@")
    return Transform(
        value["transform"],
        from_type,
        int(from_major),
        to_type,
        int(to_major),
        made,
        others.get("business_key"),
        spot,
    )


def _cast(spot: Spot, root: Path, tables: Reader) -> Cast:
    path = Path(spot.document.file)
    type_, (from_major, to_major) = path.parent.name, map(int, path.stem.split("-to-"))
    made, _ = mapping(spot, root, tables, f"the cast {path.parent.name}/{path.stem}")
    return Cast(type_, from_major, to_major, made, spot)


def _python(spot: Spot, root: Path, problems: list[Problem]) -> Rule | None:
    try:
        return python.load(spot.value()["map"], root / FOLDER, root)
    except Refused as error:
        placed = [p if p.file else spot.problem(("map",), p.code, p.message, p.hint) for p in error.problems]
        problems.extend(placed)
        return None


def _unknown_names(spot: Spot) -> Iterator[Problem]:
    """Yield a problem for each lookup and code list that an expression names and the file does not have."""
    value = spot.value()
    known = {"lookup": value.get("lookups", {}), "code": value.get("codes", {})}
    for part in ("map", "business_key"):
        for kind, named in _names_given(value.get(part, "")):
            if named.value not in known[kind]:
                what = "lookup" if kind == "lookup" else "code list"
                place, hint = (*spot.path, part), did_you_mean(named.value, known[kind])
                message = f"there is no {what} {named.value!r}"
                yield spot.document.inside(place, named.at, f"unknown_{kind}", message, hint)


def _names_given(text: str) -> Iterator[tuple[str, Node]]:
    """Yield each text that is given to `$lookup` or `$code` as the name, and to which of them."""
    if "$lookup" not in text and "$code" not in text:
        return
    try:
        for call in calls(text):
            function, *given = call.parts
            named = function.kind == "variable" and function.value in ("lookup", "code")
            if named and given and given[0].kind == "text":
                yield function.value, given[0]
    except UnreadableError:  # of which nothing more can be told
        return


def _misnamed(file: str) -> Problem:
    return Problem("wrong_name", "not the name of a cast", "transforms/<type>/1-to-2.yaml").at(file)
