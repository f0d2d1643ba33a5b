"""Reads one schema file and finds everything that is wrong with it; called by the registry."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from crossdock.kernel import jsontext, within, yamlfile
from crossdock.kernel.content import Spot, read_schema
from crossdock.kernel.problems import Problem, Refused
from schemas import unrolled

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MAX_BYTES = 256 << 10
MAX_PATTERN = 1 << 20  # bytes of one compiled regular expression
_RULES = read_schema(Path(__file__).parent)
_SYNTAX = "look for commas, quotes and brackets before this place"
_LITERALS = {"const", "enum", "examples", "default"}


def uri(type_: str, version: str) -> str:
    """Return the `dataschema` of a version, as Crossdock writes it."""
    return f"crossdock:/{type_}/{version}"


def embedded(node: Any, home: str) -> Any:
    """Return a schema as a part of a larger document: its references lead to `home`, where it stands."""
    if isinstance(node, list):
        return [embedded(child, home) for child in node]
    if not isinstance(node, dict):
        return node
    moved = {key: embedded(child, home) for key, child in node.items() if key not in ("$id", "$schema")}
    if isinstance(reference := moved.get("$ref"), str) and reference.startswith("#"):
        moved["$ref"] = home + reference[1:]
    return moved


def compile_schema(schema: Any) -> jsonschema_rs.Draft202012Validator:
    """Return the validator of a schema; its regular expressions run in linear time and nothing is fetched."""
    return jsonschema_rs.Draft202012Validator(
        schema,
        validate_formats=True,
        offline=True,
        mask="value",
        pattern_options=jsonschema_rs.RegexOptions(size_limit=MAX_PATTERN),
    )


def read(path: Path, root: Path) -> tuple[dict[str, Any], jsonschema_rs.Draft202012Validator]:
    """Return a schema and its validator.

    Raises:
        Refused: with every problem of the file.
    """
    expected = uri(path.parent.name, path.stem)
    return _read(path, root, lambda spot: _problems(spot, expected))


def read_foreign(path: Path, root: Path) -> tuple[dict[str, Any], jsonschema_rs.Draft202012Validator]:
    """Return the schema of somebody else, such as a target's own, and its validator; see `read`."""
    return _read(path, root, _foreign_problems)


def _read(
    path: Path, root: Path, find: Callable[[Spot], list[Problem]]
) -> tuple[dict[str, Any], jsonschema_rs.Draft202012Validator]:
    name = path.relative_to(root).as_posix()
    raw = within.read(path, root, MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise Refused([Problem("too_large", f"larger than {MAX_BYTES >> 10} KiB").at(name)])
    schema = _parse(raw, name)
    # The places of a schema's values are looked for when there is something to show: that costs as much as the rest.
    if find(Spot(yamlfile.Document(name, schema, {}))):
        raise Refused(find(Spot(_document(raw, name, schema))))
    try:
        return schema, compile_schema(schema)
    except ValueError as error:
        raise Refused([_uncompiled(Spot(_document(raw, name, schema)), error)]) from None


def placed(path: Path, root: Path) -> yamlfile.Document:
    """Return a schema that was read before, with the places of its values."""
    raw, name = within.read(path, root, MAX_BYTES), path.relative_to(root).as_posix()
    return _document(raw, name, _parse(raw, name))


def _problems(spot: Spot, expected: str) -> list[Problem]:
    schema = spot.document.value
    problems = [*yamlfile.check(spot.document, _RULES), *_foreign_problems(spot)]
    if not problems and schema["$id"] != expected:
        problems.append(
            spot.problem(("$id",), "wrong_id", f"$id must be {expected}", "or move the file: its path says it")
        )
    return problems


def _foreign_problems(spot: Spot) -> list[Problem]:
    schema = spot.document.value
    dialect = schema.get("$schema", DIALECT) if isinstance(schema, dict) else DIALECT
    if dialect != DIALECT:  # and must not reach the validator, which would fetch it
        return [spot.problem(("$schema",), "unknown_dialect", f"$schema must be {DIALECT}", "or be left out")]
    problems = [*_remote(spot, schema, ())] or [*_endless(spot, schema)]
    if not jsonschema_rs.meta.is_valid(schema):  # which is quick, but does not say it in words
        problems += _metaschema(spot)
    return problems


def _parse(raw: bytes, name: str) -> Any:
    try:
        json.loads(raw.decode(), object_pairs_hook=_unique)
        return jsontext.loads(raw)
    except Refused as error:
        raise Refused(problem.at(name) for problem in error.problems) from None
    except json.JSONDecodeError as error:
        raise Refused([Problem("invalid_json", error.msg, _SYNTAX).at(name, error.lineno, error.colno)]) from None
    except (ValueError, RecursionError) as error:
        raise Refused([Problem("invalid_json", str(error), _SYNTAX).at(name)]) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"{next(k for k in keys if keys.count(k) > 1)!r} is given twice in one object")
    return members


def _document(raw: bytes, name: str, schema: Any) -> yamlfile.Document:
    """Return the schema with the places of its values, where YAML can read the JSON (it is nearly a superset)."""
    try:
        return yamlfile.Document(name, schema, yamlfile.parse(raw, name).places)
    except Refused:
        return yamlfile.Document(name, schema, {})


def _metaschema(spot: Spot) -> Iterator[Problem]:
    checker = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    for error in checker.iter_errors(spot.document.value):
        best = best_match([error]) or error
        yield spot.problem(tuple(best.absolute_path), "bad_schema", best.message[:200], "JSON Schema 2020-12")


def _remote(spot: Spot, node: Any, path: yamlfile.Path_) -> Iterator[Problem]:
    if isinstance(node, list):
        for index, child in enumerate(node):
            yield from _remote(spot, child, (*path, index))
    if not isinstance(node, dict):
        return
    for key, child in node.items():
        if key in ("$ref", "$dynamicRef") and isinstance(child, str) and not child.startswith("#"):
            yield spot.problem((*path, key), "remote_ref", f"{key} leads out of the file", "copy it under $defs")
        elif key not in _LITERALS:
            yield from _remote(spot, child, (*path, key))


def _endless(spot: Spot, schema: Any) -> Iterator[Problem]:
    """Refuse what says nothing, and what takes a validator longer than any document is worth."""
    if not unrolled.chains(schema):
        return
    if (reference := unrolled.circle(schema)) is not None:
        message = f"{reference} leads back to itself and never to the data"
        yield spot.problem(unrolled.path_of(schema, reference), "circular_ref", message, "say what the data is like")
    elif unrolled.effort(schema) >= unrolled.MAX_EFFORT:
        message = f"one value would be compared with more than {unrolled.MAX_EFFORT} subschemas"
        yield spot.problem((), "too_complex", message, "fewer alternatives that refer to alternatives")


def _uncompiled(spot: Spot, error: ValueError) -> Problem:
    message = str(error).split("\n", 1)[0]
    path = tuple(getattr(error, "instance_path", ()))
    hint = "patterns are RE2-like: no look-around, no back-references" if path and path[-1] == "pattern" else ""
    return spot.problem(path, "bad_schema", message, hint)
