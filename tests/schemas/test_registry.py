"""The registry: which version an event is written in, and what is wrong with its data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from crossdock.kernel.problems import Problem, Refused
from schemas import spec
from schemas.registry import Registry, load
from tests.smallproject import write_schema

NUMBER = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}, "required": ["n"]}


def registry(root: Path, schema: Mapping[str, Any] | None = None) -> Registry:
    write_schema(root, "a.b", "1.0", dict(schema or NUMBER))
    return load(root)


def only(root: Path, schema: Mapping[str, Any], data: object) -> Problem:
    (problem,) = registry(root, schema).problems("a.b", "1.0", data)
    return problem


def refused(root: Path) -> Problem:
    with pytest.raises(Refused) as caught:
        load(root)
    (problem,) = caught.value.problems
    return problem


def test_a_file_that_is_written_while_it_is_read_is_not_taken_for_what_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a file that changes between two looks at it
    real, other = spec.read, {**NUMBER, "required": ["other"]}

    def read(path: Path, root: Path) -> Any:
        write_schema(tmp_path, "a.b", "1.0", other)
        return real(path, root)

    monkeypatch.setattr("schemas.registry.read", read)
    changed = registry(tmp_path)
    assert changed.problems("a.b", "1.0", {"other": 1}) == []
    # when it is again what it was
    monkeypatch.setattr("schemas.registry.read", real)
    # then it means that
    assert registry(tmp_path).problems("a.b", "1.0", {"n": 3}) == []
    assert changed.problems("a.b", "1.0", {"other": 1}) == []


def test_versions_are_ordered_as_numbers(tmp_path: Path) -> None:
    for version in ("1.10", "1.9", "2.0", "1.0"):
        write_schema(tmp_path, "a.b", version, NUMBER)
    loaded = load(tmp_path)
    assert loaded.types() == ("a.b",)
    assert loaded.versions("a.b") == ("1.0", "1.9", "1.10", "2.0")
    assert (loaded.newest("a.b"), loaded.newest("a.b", 1)) == ("2.0", "1.10")


@pytest.mark.parametrize(
    ("dataschema", "pin", "version"),
    [
        ("https://example.org/schemas/a.b/1.0", "1.1", "1.0"),
        ("crossdock:/a.b/1.0", "", "1.0"),
        ("", "1.0", "1.0"),
        ("", "", "1.1"),
        ("https://example.org/our-own-schema", "1.0", "1.0"),
        ("crossdock:/another.type/9.9", "", "1.1"),
    ],
)
def test_the_version_is_what_the_event_says_then_the_pin_then_the_newest(
    tmp_path: Path, dataschema: str, pin: str, version: str
) -> None:
    write_schema(tmp_path, "a.b", "1.1", NUMBER)
    assert registry(tmp_path).version("a.b", dataschema, pin) == version


def test_an_unknown_version_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        registry(tmp_path).version("a.b", "crossdock:/a.b/7.0")
    assert [(p.code, p.hint) for p in caught.value.problems] == [("unknown_version", "known: 1.0")]


def test_an_unknown_type_suggests_a_near_one(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        registry(tmp_path).version("a.c", "")
    assert [(p.code, p.hint) for p in caught.value.problems] == [("unknown_type", "did you mean a.b?")]


def test_valid_data_has_no_problems(tmp_path: Path) -> None:
    assert registry(tmp_path).problems("a.b", "1.0", {"n": 2**64 - 1}) == []


def test_a_problem_says_where_which_rule_and_what_was_there(tmp_path: Path) -> None:
    problem = only(tmp_path, NUMBER, {"n": 1})
    assert (problem.code, problem.pointer, problem.rule) == ("schema_violation", "/n", "minimum")
    assert problem.message == "is less than the minimum of 3, got 1"


def test_a_missing_member_is_pointed_at(tmp_path: Path) -> None:
    problem = only(tmp_path, NUMBER, {})
    assert (problem.pointer, problem.rule, problem.message) == ("/n", "required", "is required")


def test_each_member_too_many_is_pointed_at_with_escapes(tmp_path: Path) -> None:
    schema = {"properties": {}, "additionalProperties": False}
    problems = registry(tmp_path, schema).problems("a.b", "1.0", {"a/b": 1, "c~d": 2})
    assert sorted(p.pointer for p in problems) == ["/a~1b", "/c~0d"]


def test_of_alternatives_the_nearest_one_is_explained(tmp_path: Path) -> None:
    truck = {"properties": {"kind": {"const": "truck"}, "axles": {"type": "integer"}}, "required": ["kind", "axles"]}
    ship = {"properties": {"kind": {"const": "ship"}}, "required": ["kind", "flag", "port"]}
    problem = only(tmp_path, {"oneOf": [ship, truck]}, {"kind": "truck", "axles": "two"})
    assert (problem.pointer, problem.rule) == ("/axles", "type")


def test_a_long_value_is_not_echoed(tmp_path: Path) -> None:
    problem = only(tmp_path, {"properties": {"s": {"maxLength": 3}}}, {"s": "secret" * 1000})
    assert len(problem.message) < 200
    assert problem.message.count("secret") < 21


def test_a_long_member_name_is_not_echoed(tmp_path: Path) -> None:
    problem = only(tmp_path, {"additionalProperties": False}, {"x" * 5000: 1})
    assert len(str(problem)) < 250


def test_at_most_a_hundred_problems_are_listed(tmp_path: Path) -> None:
    found = registry(tmp_path, {"items": {"type": "string"}}).problems("a.b", "1.0", list(range(500)))
    assert len(found) == 100


def test_bytes_are_not_json(tmp_path: Path) -> None:
    assert [p.code for p in registry(tmp_path).problems("a.b", "1.0", b"<xml/>")] == ["schema_violation"]


def test_formats_are_checked(tmp_path: Path) -> None:
    assert only(tmp_path, {"properties": {"t": {"format": "date-time"}}}, {"t": "yesterday"}).rule == "format"


def test_a_slow_pattern_is_linear(tmp_path: Path) -> None:
    problem = only(tmp_path, {"properties": {"s": {"pattern": "^(a+)+$"}}}, {"s": "a" * 50_000 + "!"})
    assert problem.rule == "pattern"


def test_a_syntax_error_has_its_line_and_column(tmp_path: Path) -> None:
    write_schema(tmp_path, "a.b", "1.0", {}).write_text('{\n  "title": nope\n}')
    problem = refused(tmp_path)
    assert (problem.code, problem.file, problem.line, problem.column) == ("invalid_json", "schemas/a.b/1.0.json", 2, 12)


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    write_schema(tmp_path, "a.b", "1.0", {}).write_text('{"title": "a", "title": "b"}')
    assert "'title' is given twice" in refused(tmp_path).message


def test_a_schema_that_breaks_the_metaschema_is_placed_at_the_value(tmp_path: Path) -> None:
    path = write_schema(tmp_path, "a.b", "1.0", {"type": "objekt"})
    line = path.read_text().splitlines().index('  "type": "objekt"') + 1
    problem = refused(tmp_path)
    assert (problem.code, problem.line) == ("bad_schema", line)


@pytest.mark.parametrize(
    "target", ["https://example.org/x.json", "other.json", "crossdock:/c.d/1.0", "file:///etc/hosts"]
)
def test_a_reference_out_of_the_file_is_refused(tmp_path: Path, target: str) -> None:
    write_schema(tmp_path, "a.b", "1.0", {"properties": {"x": {"$ref": target}}})
    problem = refused(tmp_path)
    assert (problem.code, problem.line) == ("remote_ref", 7)


def test_a_reference_to_nothing_is_refused(tmp_path: Path) -> None:
    write_schema(tmp_path, "a.b", "1.0", {"properties": {"x": {"$ref": "#/$defs/none"}}})
    assert refused(tmp_path).code == "bad_schema"


@pytest.mark.parametrize("pattern", ["(?=a)b", "(", r"(a)\1"])
def test_a_pattern_that_cannot_run_in_linear_time_is_refused(tmp_path: Path, pattern: str) -> None:
    write_schema(tmp_path, "a.b", "1.0", {"properties": {"x": {"pattern": pattern}}})
    assert refused(tmp_path).code == "bad_schema"


def test_the_id_must_be_that_of_the_path(tmp_path: Path) -> None:
    write_schema(tmp_path, "a.b", "1.0", {"$id": "crossdock:/a.b/1.1"})
    assert refused(tmp_path).code == "wrong_id"


def test_title_and_description_are_required(tmp_path: Path) -> None:
    write_schema(tmp_path, "a.b", "1.0", {}).write_text('{"$id": "crossdock:/a.b/1.0", "title": "x"}')
    assert refused(tmp_path).code == "missing_key"


@pytest.mark.parametrize(("type_", "version"), [("a.b", "1"), ("a.b", "01.0"), ("A.b", "1.0"), ("a..b", "1.0")])
def test_a_file_with_another_name_is_a_problem(tmp_path: Path, type_: str, version: str) -> None:
    write_schema(tmp_path, type_, version, {})
    assert refused(tmp_path).code == "wrong_name"


def test_a_huge_schema_is_refused(tmp_path: Path) -> None:
    write_schema(tmp_path, "a.b", "1.0", {"enum": ["x" * 300_000]})
    assert refused(tmp_path).code == "too_large"


def test_all_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    write_schema(tmp_path, "a.b", "1.0", {"type": "objekt", "minLength": -1})
    write_schema(tmp_path, "c.d", "1.0", {"$ref": "x.json"})
    with pytest.raises(Refused) as caught:
        load(tmp_path)
    assert [p.code for p in caught.value.problems] == ["bad_schema", "bad_schema", "remote_ref"]


def test_a_schema_nested_too_deep_is_refused(tmp_path: Path) -> None:
    write_schema(tmp_path, "a.b", "1.0", {}).write_text('{"not":' * 500 + "{}" + "}" * 500)
    assert refused(tmp_path).code == "too_deep"
