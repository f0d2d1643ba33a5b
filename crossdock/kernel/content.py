"""Content files of one folder, read and checked against its `_schema.json`; called by the spec modules."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossdock.kernel import yamlfile
from crossdock.kernel.expression import Expression, Function
from crossdock.kernel.mending import mended
from crossdock.kernel.nearest import did_you_mean
from crossdock.kernel.problems import Problem, Refused

__all__ = [
    "Spot",
    "beginning",
    "did_you_mean",
    "expressions",
    "goes_along",
    "is_test",
    "names",
    "read_all",
    "read_schema",
]

TESTS = ".test.yaml"


@dataclass(frozen=True, slots=True)
class Spot:
    """Where one piece of content stands: its file and the path of it in there."""

    document: yamlfile.Document
    path: yamlfile.Path_ = ()

    def problem(self, path: yamlfile.Path_, code: str, message: str, hint: str = "") -> Problem:
        """Return a problem placed at the value under the spot, or at its nearest parent."""
        return self.document.problem((*self.path, *path), code, message, hint)

    def value(self) -> Any:
        """Return the piece of content as it was read."""
        value = self.document.value
        for step in self.path:
            value = value[step]
        return value

    def __str__(self) -> str:
        line, _ = self.document.places.get(self.path, (1, 1))
        return f"{self.document.file}:{line}"


def read_schema(folder: Path, name: str = "_schema.json") -> dict[str, Any]:
    """Return the JSON Schema that lies beside an engine module."""
    schema: dict[str, Any] = json.loads((folder / name).read_bytes())
    return schema


def names(root: Path, folder: str) -> list[Path]:
    """Return the content files of a folder in order, without tests and names that begin with `_`."""
    return [p for p in sorted((root / folder).glob("*.yaml")) if not p.name.startswith("_") and not is_test(p)]


def goes_along(root: Path, name: str, suffix: str) -> bool:
    """Tell whether a file that content names is applied with it: neither a link nor `..` leads to its folder."""
    path = Path(name)
    if path.is_absolute() or ".." in path.parts or path.suffix != suffix or path.name.startswith("_"):
        return False
    return (root / path).parent.resolve() == root.resolve() / path.parent


def beginning(path: Path) -> bytes:
    """Return as much of a file as a content file may hold; nothing of what cannot be read, which its reader tells."""
    try:
        if not path.is_file():  # a pipe keeps its reader waiting
            return b""
        with path.open("rb") as opened:
            return opened.read(yamlfile.MAX_BYTES)
    except OSError:
        return b""


def is_test(path: Path) -> bool:
    """Tell whether a file holds content tests."""
    return path.name.endswith(TESTS)


def read_all(
    paths: Iterable[Path], root: Path, schema: Mapping[str, Any]
) -> tuple[list[yamlfile.Document], list[Problem]]:
    """Return the documents that fit the schema, or do so once their slips are mended, and all problems."""
    documents: list[yamlfile.Document] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            document = yamlfile.read(path, root)
        except Refused as error:
            problems.extend(error.problems)
            continue
        found = yamlfile.check(document, schema)
        problems.extend(found)
        if fitting := mended(document, schema) if found else document:
            documents.append(fitting)
    return documents, problems


def expressions(
    spot: Spot, keys: Iterable[str], problems: list[Problem], functions: Mapping[str, Function] | None = None
) -> dict[str, Expression]:
    """Return the compiled expressions among the keys of a mapping; adds those that do not compile to `problems`."""
    value = spot.value()
    compiled = {}
    for key in keys:
        if key in value:
            try:
                compiled[key] = Expression(value[key], functions)
            except Refused as error:
                problems.extend(_in_text(spot, key, value[key], p) for p in error.problems)
    return compiled


def _in_text(spot: Spot, key: str, text: str, problem: Problem) -> Problem:
    """Return the problem of an expression at the character where it is; jsonatapy does not say which one."""
    from crossdock.kernel.jsonata_tree import UnreadableError, read  # noqa: PLC0415 - only when something is wrong

    message, offset = problem.message, 0
    if called := re.match(r"(\$\w+)\(\) is", message):
        found = re.search(re.escape(called[1]) + r"\s*\(", text)
        offset = found.start() if found else 0
    else:
        try:
            read(text)
        except UnreadableError as error:
            message, offset = str(error), min(error.at, len(text.rstrip()) - 1)
    return spot.document.inside((*spot.path, key), offset, problem.code, message, problem.hint)
