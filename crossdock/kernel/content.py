"""Content files of one folder, read and checked against its `_schema.json`; called by the spec modules."""

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossdock.kernel import yamlfile
from crossdock.kernel.expression import Expression, Function
from crossdock.kernel.problems import Problem, Refused

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


def is_test(path: Path) -> bool:
    """Tell whether a file holds content tests."""
    return path.name.endswith(TESTS)


def read_all(
    paths: Iterable[Path], root: Path, schema: Mapping[str, Any]
) -> tuple[list[yamlfile.Document], list[Problem]]:
    """Return the documents that fit the schema, and the problems of the others."""
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
        if not found:
            documents.append(document)
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
                problems.extend(spot.problem((key,), p.code, p.message, p.hint) for p in error.problems)
    return compiled


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint for an unknown name: the nearest known ones, or all of a short list."""
    names_ = sorted(set(known))
    near = difflib.get_close_matches(word, names_, n=2)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"known: {', '.join(names_[:20])}" if names_ else "none is defined"
