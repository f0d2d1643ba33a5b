"""YAML 1.2 core documents that know the line of every value; duplicate keys, anchors and tags are refused."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from crossdock.kernel import within, yamlscalar
from crossdock.kernel.nearest import did_you_mean, near
from crossdock.kernel.problems import Problem, Refused

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
_SPLIT = "split it into several files; a large table is a lookup"
MAX_PARTS = 40_000  # lines, commas and brackets: reading a million of them takes half a minute
_PART = re.compile(r"[\n,\[{]")
MAX_BRACKETS = 500  # open at a time, those in texts too: the parser takes seconds for some thousands
_BRACKET = re.compile(r"[\[\]{}]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")

Place = tuple[int, int]
Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Document:
    """A parsed file: its value, and line and column (from 1) of every value in it by path."""

    file: str
    value: Any
    places: Mapping[Path_, Place]
    text: str = field(default="", repr=False)

    def problem(self, path: Path_, code: str, message: str, hint: str = "") -> Problem:
        """Return a problem placed at the value, or at its nearest parent that has a place."""
        while path and path not in self.places:
            path = path[:-1]
        line, column = self.places.get(path, (1, 1))
        return Problem(code, message, hint, file=self.file, line=line, column=column)

    def inside(self, path: Path_, offset: int, code: str, message: str, hint: str = "") -> Problem:
        """Return a problem placed at a character of a text value, or as `problem` does where that is not found."""
        from crossdock.kernel.scalarplace import place  # noqa: PLC0415 - only when there is something to show

        found = place(self.text, path, offset) if self.text else None
        problem = self.problem(path, code, message, hint)
        return problem.at(self.file, *found) if found else problem


# What is in use now, by name and hash of its bytes: most files of other content are those of the content before.
_PRESENT: WeakValueDictionary[tuple[str, bytes], Document] = WeakValueDictionary()


def read(path: Path, root: Path) -> Document:
    """Read one file; its name in problems is relative to the project root.

    Raises:
        Refused: `bad_yaml`, `duplicate_key`, `too_large`, `outside`, `unreadable` with all places.
    """
    name = path.relative_to(root).as_posix()
    raw = within.read(path, root, MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise Refused([Problem("too_large", f"larger than {MAX_BYTES >> 20} MiB", _SPLIT).at(name)])
    return parse(raw, name)


def parse(raw: bytes, name: str) -> Document:
    """Parse YAML text; see `read`. Nobody may change the value: who parses the same again gets the same document."""
    named = name, hashlib.sha256(raw).digest()
    if (present := _PRESENT.get(named)) is None:
        present = _PRESENT[named] = _parse(raw, name)
    return present


def _parse(raw: bytes, name: str) -> Document:
    text = _decoded(raw, name)
    try:
        reader = YAML(typ="safe", pure=True)
        reader.Resolver = yamlscalar.CoreResolver
        node = reader.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = error.problem or error.context or "not YAML"
        hint = "indent with spaces" if "\\t" in what else "look for quotes, brackets and indentation before this place"
        raise Refused([Problem("bad_yaml", what, hint).at(name, line, column)]) from None
    except (YAMLError, RecursionError) as error:
        what = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise Refused([Problem("bad_yaml", what, f"at most {MAX_DEPTH} levels").at(name)]) from None
    builder = _Builder(name)
    value = builder.build(node, ()) if node is not None else None
    if builder.problems:
        raise Refused(builder.problems)
    return Document(name, value, builder.places, text)


def _decoded(raw: bytes, name: str) -> str:
    """Return the text of a file; a control character in it is told by its place."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        place = _place_in(raw[: error.start].decode())
        wrong = Problem("bad_yaml", f"not UTF-8: {error.reason}", "save the file in UTF-8")
        raise Refused([wrong.at(name, *place)]) from None
    if found := _CONTROL.search(text):
        place = _place_in(text[: found.start()])
        raise Refused([Problem("bad_yaml", f"the control character {found[0]!r}", "remove it").at(name, *place)])
    if (last := next(islice(_PART.finditer(text), MAX_PARTS, None), None)) is not None:
        place = _place_in(text[: last.start()])
        raise Refused([Problem("too_large", f"more than {MAX_PARTS} lines and values", _SPLIT).at(name, *place)])
    depth = 0
    for found in _BRACKET.finditer(text):
        depth = depth + 1 if found[0] in "[{" else max(0, depth - 1)
        if depth > MAX_BRACKETS:
            place = _place_in(text[: found.start()])
            raise Refused([Problem("bad_yaml", "nested too deep", f"at most {MAX_DEPTH} levels").at(name, *place)])
    return text


def _place_in(before: str) -> Place:
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def check(document: Document, schema: Mapping[str, Any]) -> list[Problem]:
    """Compare a document with the JSON Schema of its kind; every difference with its place."""
    errors = Draft202012Validator(schema).iter_errors(document.value)
    return [problem for error in errors for problem in _as_problems(document, error)]


class _Builder:
    """Makes plain values of nodes and notes where each one stands."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.places: dict[Path_, Place] = {}
        self.problems: list[Problem] = []
        self._seen: set[int] = set()

    def build(self, node: Node, path: Path_) -> Any:
        self.places[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if id(node) in self._seen:
            return self._refuse(node, "bad_yaml", "anchors and aliases are not allowed", "write the value out")
        self._seen.add(id(node))
        if len(path) > MAX_DEPTH:
            return self._refuse(node, "bad_yaml", f"nested deeper than {MAX_DEPTH} levels", "make it flatter")
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.build(child, (*path, i)) for i, child in enumerate(node.value)]
        return self._scalar(node) if isinstance(node, ScalarNode) else None

    def _mapping(self, node: MappingNode, path: Path_) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for key, child in node.value:
            if not isinstance(key, ScalarNode):
                self._refuse(key, "bad_yaml", "a key is plain text")
            elif key.value in value:
                self._refuse(key, "duplicate_key", f"{key.value!r} is given twice", "keep one of the two")
            else:
                value[key.value] = self.build(child, (*path, key.value))
                self.places[(*path, key.value)] = (key.start_mark.line + 1, key.start_mark.column + 1)
        return value

    def _scalar(self, node: ScalarNode) -> Any:
        kind = node.tag.removeprefix(yamlscalar.CORE) if isinstance(node.tag, str) else str(node.tag)
        try:
            return yamlscalar.value(kind, node.value)
        except KeyError:
            return self._refuse(node, "bad_yaml", f"the tag {node.tag} is not allowed", "write the value without it")
        except ValueError as error:
            return self._refuse(node, "bad_yaml", str(error), "a text stands in quotes")

    def _refuse(self, node: Node, code: str, message: str, hint: str = "") -> None:
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        self.problems.append(Problem(code, message, hint, file=self.name, line=line, column=column))


def _as_problems(document: Document, error: ValidationError) -> list[Problem]:
    best = best_match([error]) or error
    path: Path_ = tuple(best.absolute_path)
    if best.validator == "additionalProperties":
        known = list(best.schema.get("properties", {}))
        unknown = [key for key in best.instance if key not in known]
        return [
            document.problem((*path, key), "unknown_key", f"{key!r} is not known here", did_you_mean(key, known))
            for key in unknown
        ]
    if best.validator == "required":
        known = best.schema.get("properties", {})
        name = next(key for key in best.validator_value if key not in best.instance and repr(key) in best.message)
        about = known.get(name, {}).get("description", "")
        if best.schema.get("additionalProperties") is False and near(name, best.instance.keys() - known.keys()):
            return []  # that is told as `unknown_key`
        return [document.problem(path, "missing_key", f"{name!r} is missing", f"add {name}: {about}".rstrip(": "))]
    return [document.problem(path, "bad_value", *_told(best))]


def _names(error: ValidationError) -> list[str]:
    """Return the names of which one was meant; of alternatives those of the first that has any, for a text."""
    if error.validator == "anyOf" and isinstance(error.instance, str):
        return next(filter(None, map(_names, error.context or ())), [])
    return [str(value) for value in error.validator_value] if error.validator == "enum" else []


def _told(error: ValidationError) -> tuple[str, str]:
    """Return what is wrong with a value, and what would be right."""
    hints = [str(error.schema.get("description", ""))]
    message = error.message
    if error.validator == "pattern" and hints[0]:  # which says it in words
        message = f"{error.instance!r} is not allowed here"
    names = _names(error)
    if names:
        message = f"{error.instance!r} is not one of them" if error.validator == "anyOf" else message
        similar = near(error.instance, names) if isinstance(error.instance, str) else []
        hints = [f"did you mean {' or '.join(similar)}?" if similar else f"one of {', '.join(names)}", *hints]
    if "default" in error.schema and error.validator == "pattern":
        hints.append(f"such as {error.schema['default']}")
    wanted = str(error.validator_value) if error.validator in ("type", "minItems", "minLength", "const") else ""
    hints += [f"{error.validator}: {wanted}"] if wanted and not hints[0] else []
    return message, "; ".join(hint for hint in hints if hint)
