"""Compares the versions of each type as its `schema.yaml` demands; `check`, `up` and `schema check` call it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

from crossdock.kernel.content import Spot
from crossdock.kernel.problems import Problem, Refused
from crossdock.kernel.yamlfile import Path_
from schemas import spec
from schemas.about import About
from schemas.bounded import compare_within
from schemas.compatibility import Change, Comparison, Direction
from schemas.registry import FOLDER, Registry, major_of

MAX_TOLD = 10  # changes of one pair
_MAX_WITNESS = 300
_UNCOMPARED = "make it simpler, make it a new major, or set compatibility: none in schema.yaml"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How two versions of one type relate, and whether that is what the type's mode demands."""

    type: str
    old: str
    new: str
    about: About
    comparison: Comparison
    refused: tuple[Problem, ...] = ()  # why they could not be compared

    def broken(self) -> tuple[Direction, ...]:
        """Return the directions that are demanded and do not hold."""
        backward, forward = self.about.needs
        broken: list[Direction] = []
        broken += ["backward"] if backward and not self.comparison.backward else []
        broken += ["forward"] if forward and not self.comparison.forward else []
        return tuple(broken)


def verdicts(registry: Registry, types: tuple[str, ...]) -> Iterator[Verdict]:
    """Compare each minor version with those before it in its major; a new major may break."""
    for type_ in types:
        about = registry.about(type_)
        for old, new in _pairs(registry.versions(type_), about):
            schemas = (registry.schema(type_, old), registry.schema(type_, new))
            try:
                yield Verdict(type_, old, new, about, compare_within(*schemas, about.content_model))
            except Refused as error:
                yield Verdict(type_, old, new, about, Comparison(False, False), error.problems)


def _pairs(versions: tuple[str, ...], about: About) -> Iterator[tuple[str, str]]:
    for major in dict.fromkeys(map(major_of, versions)):
        minors = [version for version in versions if major_of(version) == major]
        yield from combinations(minors, 2) if about.transitive else pairwise(minors)


def problems(registry: Registry, root: Path) -> list[Problem]:
    """Return a problem for each change that breaks what a type promises, placed in the newer version's file."""
    demanding = tuple(type_ for type_ in registry.types() if any(registry.about(type_).needs))
    return [problem for verdict in verdicts(registry, demanding) for problem in told(verdict, root)]


def told(verdict: Verdict, root: Path) -> Iterator[Problem]:
    """Return what breaks a verdict's promise, at most ten changes a direction, or why nobody can say."""
    if not verdict.broken():
        return
    spot = Spot(spec.placed(root / FOLDER / verdict.type / f"{verdict.new}.json", root))
    for refused in verdict.refused:
        message = f"{verdict.new} cannot be compared with {verdict.old}: {refused.message}"
        yield spot.problem((), refused.code, message, refused.hint or _UNCOMPARED)
    for direction in verdict.broken():
        for change in verdict.comparison.breaking(direction)[:MAX_TOLD]:
            message = f"{verdict.new} is not {direction} compatible with {verdict.old}: {change.change}; {change.why}"
            yield spot.problem(_path(spot, change.pointer), "incompatible_version", message, _hint(change))


def _hint(change: Change) -> str:
    advice = "keep it as it was, make it a new major, or say in schema.yaml that readers ignore what they do not know"
    advice += " (content_model: lenient) or another compatibility"
    if not change.proven:
        return f"not proven; {advice}"
    shown = json.dumps(change.witness, ensure_ascii=False)
    return f"witness: {shown if len(shown) <= _MAX_WITNESS else shown[:_MAX_WITNESS] + '...'}; {advice}"


def _path(spot: Spot, pointer: str) -> Path_:
    node, path = spot.document.value, []
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        key: str | int = int(name) if isinstance(node, list) else name
        path.append(key)
        if isinstance(node, dict):
            node = node.get(name)
        else:
            node = node[int(name)] if isinstance(node, list) and int(name) < len(node) else None
    return tuple(path)
