"""What `schema.yaml` promises of a type, and how a version that breaks it is reported."""

import json
from pathlib import Path
from typing import Any

import pytest

from crossdock.checking import check
from crossdock.kernel.problems import Problem, Refused
from schemas.evolution import problems
from schemas.registry import Registry, load
from tests.smallproject import ENV, write, write_schema

NARROW: dict[str, Any] = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}}
WIDE: dict[str, Any] = {"type": "object", "properties": {"n": {"type": "integer"}}}
OTHER = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 9}}}


def registry(root: Path, about: str, *schemas: dict[str, Any]) -> Registry:
    for minor, schema in enumerate(schemas):
        write_schema(root, "a.b", f"1.{minor}", schema)
    (root / "schemas/a.b/schema.yaml").write_text(about)
    return load(root)


def broken(root: Path, mode: str, *schemas: dict[str, Any]) -> list[str]:
    """Return what is said first about each pair of versions in a mode."""
    found = problems(registry(root, f"compatibility: {mode}\n", *schemas), root)
    return [problem.message.split(":")[0] for problem in found]


def refused(root: Path, about: str) -> Problem:
    with pytest.raises(Refused) as caught:
        registry(root, about, WIDE)
    (problem,) = caught.value.problems
    return problem


def test_a_version_that_narrows_is_reported_at_the_keyword_with_the_why_and_a_witness(tmp_path: Path) -> None:
    # when
    (problem,) = problems(registry(tmp_path, "owner: us\n", WIDE, NARROW), tmp_path)
    # then
    lines = (tmp_path / "schemas/a.b/1.1.json").read_text().splitlines()
    assert (problem.code, problem.file) == ("incompatible_version", "schemas/a.b/1.1.json")
    assert '"minimum": 3' in lines[problem.line - 1]
    assert problem.message == (
        "1.1 is not backward compatible with 1.0: minimum added: 3; the old version may send what the new one "
        "refuses: /n is less than the minimum of 3, got 1"
    )
    assert problem.hint.startswith('witness: {"n": 1}; keep it as it was, make it a new major')


@pytest.mark.parametrize(
    ("mode", "narrowing", "widening"),
    [
        ("none", 0, 0),
        ("backward", 1, 0),
        ("forward", 0, 1),
        ("full", 1, 1),
        ("backward_transitive", 1, 0),
        ("forward_transitive", 0, 1),
        ("full_transitive", 1, 1),
    ],
)
def test_each_mode_demands_its_direction(tmp_path: Path, mode: str, narrowing: int, widening: int) -> None:
    assert len(broken(tmp_path / "one", mode, WIDE, NARROW)) == narrowing
    assert len(broken(tmp_path / "two", mode, NARROW, WIDE)) == widening


def test_a_transitive_mode_looks_at_all_earlier_minors_and_a_plain_one_at_the_last(tmp_path: Path) -> None:
    # given a field that was a number, then could be anything, then is a text
    number, anything, text = (
        {"properties": {"n": kind}} for kind in ({"type": "number"}, {}, {"type": ["number", "string"]})
    )
    # then
    to_last = ["1.2 is not backward compatible with 1.1"]
    assert broken(tmp_path / "plain", "backward", number, anything, text) == to_last
    assert broken(tmp_path / "all", "backward_transitive", text, number, anything, number) == [
        "1.1 is not backward compatible with 1.0",
        "1.3 is not backward compatible with 1.0",
        "1.3 is not backward compatible with 1.2",
    ]


def test_by_default_a_new_minor_must_read_all_earlier_ones(tmp_path: Path) -> None:
    write_schema(tmp_path, "a.b", "1.0", WIDE)
    write_schema(tmp_path, "a.b", "1.1", NARROW)
    assert [problem.file for problem in problems(load(tmp_path), tmp_path)] == ["schemas/a.b/1.1.json"]


def test_a_new_major_may_break(tmp_path: Path) -> None:
    write_schema(tmp_path, "a.b", "1.0", WIDE)
    write_schema(tmp_path, "a.b", "2.0", {"type": "string"})
    assert problems(load(tmp_path), tmp_path) == []


def test_the_content_model_of_the_type_decides_about_new_optional_fields(tmp_path: Path) -> None:
    more = {**WIDE, "properties": {**WIDE["properties"], "m": {"type": "string"}}}
    assert len(problems(registry(tmp_path / "s", "content_model: strict\n", WIDE, more), tmp_path / "s")) == 1
    assert problems(registry(tmp_path / "l", "content_model: lenient\n", WIDE, more), tmp_path / "l") == []


def test_what_cannot_be_proven_is_reported_as_not_proven(tmp_path: Path) -> None:
    (problem,) = problems(registry(tmp_path, "owner: us\n", {}, {"pattern": "[a-z]*"}), tmp_path)
    assert "every text matches [a-z]*" in problem.message
    assert problem.hint.startswith("not proven; ")


def test_a_pair_that_is_too_complex_is_reported_at_its_newer_version_and_hides_no_other_pair(tmp_path: Path) -> None:
    # given definitions that lead to one another in more ways than are followed
    names = [f"a{n}" for n in range(8)]
    each = {"type": "object", "properties": {name: {"$ref": f"#/$defs/{name}"} for name in names}}
    tangled = {"$ref": "#/$defs/a0", "$defs": dict.fromkeys(names, each)}
    write_schema(tmp_path, "z.z", "1.0", WIDE)
    write_schema(tmp_path, "z.z", "1.1", NARROW)
    # when
    found = problems(
        registry(tmp_path, "compatibility: backward\n", tangled, {**tangled, "minProperties": 1}), tmp_path
    )
    # then
    assert [(problem.code, problem.file) for problem in found] == [
        ("too_complex", "schemas/a.b/1.1.json"),
        ("incompatible_version", "schemas/z.z/1.1.json"),
    ]
    assert found[0].message.startswith("1.1 cannot be compared with 1.0: more than ")
    assert "compatibility: none" in found[0].hint


@pytest.mark.parametrize(
    ("about", "code", "line"),
    [
        ("owner: us\nowned: us\n", "unknown_key", 2),
        ("owner: us\ncompatibility: upward\n", "bad_value", 2),
        ("content_model: open\n", "bad_value", 1),
        ('deprecated:\n  "1.7": send 1.8\n', "unknown_version", 2),
        ("deprecated: [1.0]\n", "bad_value", 1),
    ],
)
def test_a_mistake_in_the_file_is_refused_with_its_place(tmp_path: Path, about: str, code: str, line: int) -> None:
    problem = refused(tmp_path, about)
    assert (problem.code, problem.file, problem.line) == (code, "schemas/a.b/schema.yaml", line)


def test_check_tells_it_beside_everything_else_but_a_role_does_not_look(tmp_path: Path) -> None:
    # given
    write(tmp_path)
    old = json.loads((tmp_path / "schemas/pos.sale/1.0.json").read_text())
    new = {"$id": "crossdock:/pos.sale/1.1", "required": [*old["required"], "till"]}
    write_schema(tmp_path, "pos.sale", "1.1", {**old, **new})
    # when
    found = check(tmp_path, ENV)
    # then
    assert [problem.code for problem in found.problems] == ["incompatible_version"]
    assert found.obstacles == found.problems
    assert load(tmp_path).versions("pos.sale") == ("1.0", "1.1")
