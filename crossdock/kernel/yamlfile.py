"""YAML 1.2 core documents that know the line of every value; duplicate keys, anchors and tags are refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from crossdock.kernel.problems import Problem, Refused

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
_CORE = "tag:yaml.org,2002:"

Place = tuple[int, int]
Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file: its value, and line and column (from 1) of every value in it by path."""

    file: str
    value: Any
    places: Mapping[Path_, Place]

    def problem(self, path: Path_, code: str, message: str, hint: str = "") -> Problem:
        """Return a problem placed at the value, or at its nearest parent that has a place."""
        while path and path not in self.places:
            path = path[:-1]
        line, column = self.places.get(path, (1, 1))
        return Problem(code, message, hint, file=self.file, line=line, column=column)


def read(path: Path, root: Path) -> Document:
    """Read one file; its name in problems is relative to the project root.

    Raises:
        Refused: `bad_yaml`, `duplicate_key`, `too_large` with all places.
    """
    name = path.relative_to(root).as_posix()
    raw = path.read_bytes()
    if len(raw) > MAX_BYTES:
        raise Refused([Problem("too_large", f"larger than {MAX_BYTES >> 20} MiB", file=name, line=1, column=1)])
    return parse(raw, name)


def parse(raw: bytes, name: str) -> Document:
    """Parse YAML text; see `read`."""
    try:
        node = YAML(typ="safe", pure=True).compose(raw.decode())
    except UnicodeDecodeError as error:
        raise Refused([Problem("bad_yaml", f"not UTF-8: {error.reason}", file=name, line=1, column=1)]) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = error.problem or error.context or "not YAML"
        raise Refused([Problem("bad_yaml", what, file=name, line=line, column=column)]) from None
    except (YAMLError, RecursionError) as error:
        what = str(error) or "nested too deep"
        raise Refused([Problem("bad_yaml", what, file=name, line=1, column=1)]) from None
    builder = _Builder(name)
    value = builder.build(node, ()) if node is not None else None
    if builder.problems:
        raise Refused(builder.problems)
    return Document(name, value, builder.places)


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
            return self._refuse(node, "bad_yaml", f"nested deeper than {MAX_DEPTH} levels")
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
        kind = node.tag.removeprefix(_CORE) if isinstance(node.tag, str) else str(node.tag)
        text = node.value
        if kind in ("int", "float") and "_" in text:
            return text  # a number only to YAML 1.1
        if kind not in _SCALARS:
            return self._refuse(node, "bad_yaml", f"the tag {node.tag} is not allowed")
        return _SCALARS[kind](text)

    def _refuse(self, node: Node, code: str, message: str, hint: str = "") -> None:
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        self.problems.append(Problem(code, message, hint, file=self.name, line=line, column=column))


def _integer(text: str) -> int:
    for prefix, base in (("0o", 8), ("0x", 16)):
        if text.startswith(prefix):
            return int(text, base)
    return int(text)  # `010` is ten in the YAML 1.2 core schema


def _as_problems(document: Document, error: ValidationError) -> list[Problem]:
    best = best_match([error]) or error
    path: Path_ = tuple(best.absolute_path)
    if best.validator == "additionalProperties":
        known = list(best.schema.get("properties", {}))
        unknown = [key for key in best.instance if key not in known]
        hint = f"known: {', '.join(known)}"
        return [document.problem((*path, key), "unknown_key", f"{key!r} is not known here", hint) for key in unknown]
    if best.validator == "required":
        return [document.problem(path, "missing_key", best.message)]
    if best.validator == "pattern" and best.schema.get("description"):  # which says it in words
        return [
            document.problem(path, "bad_value", f"{best.instance!r} is not allowed here", best.schema["description"])
        ]
    return [document.problem(path, "bad_value", best.message, str(best.schema.get("description", "")))]


def _float(text: str) -> float:
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


_SCALARS: dict[str, Callable[[str], Any]] = {
    "null": lambda _: None,
    "bool": lambda text: text.lower() == "true",
    "int": _integer,
    "float": _float,
    "str": str,
    "timestamp": str,
}
