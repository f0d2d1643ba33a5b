"""Reads `transforms/*.yaml`; called when a project is loaded."""

import re
from pathlib import Path

from crossdock.kernel.content import Spot, did_you_mean, expressions, names, read_all, read_schema
from crossdock.kernel.problems import Problem, Refused
from transforms.engine import Transform
from transforms.functions import functions
from transforms.lookups import Table, read

FOLDER = "transforms"
_SCHEMA = read_schema(Path(__file__).parent)
_LOOKUP_CALL = re.compile(r"\$lookup\(\s*(?:\"([^\"]*)\"|'([^']*)')")


def load(root: Path) -> tuple[Transform, ...]:
    """Return the transforms of a project.

    Raises:
        Refused: with every problem of every file.
    """
    documents, problems = read_all(names(root, FOLDER), root, _SCHEMA)
    transforms = []
    for document in documents:
        try:
            transforms.append(_transform(Spot(document), root))
        except Refused as error:
            problems.extend(error.problems)
    if problems:
        raise Refused(problems)
    return tuple(transforms)


def _transform(spot: Spot, root: Path) -> Transform:
    value = spot.document.value
    problems: list[Problem] = []
    tables = _tables(spot, root, problems)
    compiled = expressions(spot, ("map", "business_key"), problems, functions(tables))
    problems.extend(_unknown_lookups(spot))
    if problems:
        raise Refused(problems)
    from_type, from_major = value["from"].split("@")
    to_type, to_major = value["to"].split("@")
    return Transform(
        value["transform"],
        from_type,
        int(from_major),
        to_type,
        int(to_major),
        compiled["map"],
        compiled.get("business_key"),
        spot,
    )


def _tables(spot: Spot, root: Path, problems: list[Problem]) -> dict[str, Table]:
    tables = {}
    for name, path in spot.document.value.get("lookups", {}).items():
        try:
            tables[name] = read(root / FOLDER, path, root)
        except Refused as error:
            here = [p if p.file else spot.problem(("lookups", name), p.code, p.message, p.hint) for p in error.problems]
            problems.extend(here)
    return tables


def _unknown_lookups(spot: Spot) -> list[Problem]:
    """Return the lookups that an expression names and the file does not have."""
    known = spot.document.value.get("lookups", {})
    found = []
    for part in ("map", "business_key"):
        for double, single in _LOOKUP_CALL.findall(spot.document.value.get(part, "")):
            name = double or single
            if name not in known:
                hint = did_you_mean(name, known)
                found.append(spot.problem((part,), "unknown_lookup", f"there is no lookup {name!r}", hint))
    return found
