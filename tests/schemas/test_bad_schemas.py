"""Schemas that would never end, lead elsewhere or are too large: refused with a place, in bounded time."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from crossdock.kernel.problems import Problem, Refused
from schemas.registry import load
from tests.smallproject import write_schema


def refused(root: Path, schema: dict[str, Any]) -> Problem:
    path = write_schema(root, "a.b", "1.0", schema)
    before = time.process_time()
    with pytest.raises(Refused) as caught:
        load(root)
    assert time.process_time() - before < 1
    (problem,) = caught.value.problems
    assert problem.file == path.relative_to(root).as_posix()
    return problem


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"not": {"$ref": "#/$defs/a"}}}},
        {"properties": {"x": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"$anchor": "me", "allOf": [{"$ref": "#me"}]}}},
    ],
)
def test_a_reference_that_never_comes_to_the_data_is_refused_at_its_place(tmp_path: Path, schema: Any) -> None:
    problem = refused(tmp_path, schema)
    lines = (tmp_path / problem.file).read_text().splitlines()
    assert problem.code == "circular_ref"
    assert lines[problem.line - 1].strip().startswith('"$ref"')


def test_a_definition_may_contain_itself_deeper_in_the_data(tmp_path: Path) -> None:
    write_schema(tmp_path, "a.b", "1.0", {"type": "object", "properties": {"in": {"$ref": "#"}}})
    assert load(tmp_path).problems("a.b", "1.0", {"in": {"in": {"in": 1}}}) != []


def test_alternatives_that_double_with_each_reference_are_refused(tmp_path: Path) -> None:
    links = {f"a{n}": {"oneOf": [{"$ref": f"#/$defs/a{n + 1}"}, {"$ref": f"#/$defs/a{n + 1}"}]} for n in range(40)}
    problem = refused(tmp_path, {"$ref": "#/$defs/a0", "$defs": {**links, "a40": {"type": "string"}}})
    assert (problem.code, problem.line) == ("too_complex", 1)


@pytest.mark.parametrize("reference", ["https://example.org/x.json", "file:///etc/passwd", "other.json", "//host/x"])
def test_a_remote_reference_is_refused_at_its_place(tmp_path: Path, reference: str) -> None:
    problem = refused(tmp_path, {"properties": {"x": {"$ref": reference}}})
    assert (problem.code, problem.message) == ("remote_ref", "$ref leads out of the file")
    assert reference in (tmp_path / problem.file).read_text().splitlines()[problem.line - 1]


def test_a_dialect_of_somebody_else_is_refused_and_not_fetched(tmp_path: Path) -> None:
    write_schema(tmp_path, "a.b", "1.0", {"$schema": "http://127.0.0.1:9/schema"})
    with pytest.raises(Refused) as caught:
        load(tmp_path)
    assert {problem.code for problem in caught.value.problems} <= {"bad_value", "unknown_dialect"}


def test_a_pattern_that_backtracks_elsewhere_takes_linear_time_here(tmp_path: Path) -> None:
    write_schema(tmp_path, "a.b", "1.0", {"type": "string", "pattern": "^(a+)+$"})
    before = time.process_time()
    assert load(tmp_path).problems("a.b", "1.0", "a" * 50_000 + "!") != []
    assert time.process_time() - before < 1


def test_a_file_of_50_megabytes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "schemas/a.b/1.0.json"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(50 << 20)
    with pytest.raises(Refused) as caught:
        load(tmp_path)
    assert [(problem.code, problem.line) for problem in caught.value.problems] == [("too_large", 1)]


def test_an_enum_of_a_million_entries_is_refused_for_its_size(tmp_path: Path) -> None:
    assert refused(tmp_path, {"enum": list(range(1_000_000))}).code == "too_large"


def test_an_enum_that_just_fits_is_checked_quickly(tmp_path: Path) -> None:
    path = tmp_path / "schemas/a.b/1.0.json"
    path.parent.mkdir(parents=True)
    head = {"$id": "crossdock:/a.b/1.0", "title": "t", "description": "d", "enum": list(range(40_000))}
    path.write_text(json.dumps(head, separators=(",", ":")))
    (problem,) = load(tmp_path).problems("a.b", "1.0", -1)
    assert len(problem.message) < 500
