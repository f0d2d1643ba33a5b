"""YAML 1.2 core with the place of every value, and what it refuses."""

import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.kernel import yamlfile
from crossdock.kernel.problems import Problem, Refused

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "list": {"type": "array", "items": {"type": "integer"}}},
    "required": ["name"],
    "additionalProperties": False,
}


def parse(text: str) -> yamlfile.Document:
    return yamlfile.parse(text.encode(), "a.yaml")


def refused(text: str | bytes) -> tuple[Problem, ...]:
    with pytest.raises(Refused) as caught:
        yamlfile.parse(text if isinstance(text, bytes) else text.encode(), "a.yaml")
    return caught.value.problems


def places(problems: tuple[Problem, ...] | list[Problem]) -> list[tuple[str, int, int]]:
    return [(problem.code, problem.line, problem.column) for problem in problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("12:30", "12:30"),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("9007199254740993", 9007199254740993),
        ("1.10", 1.1),
        ('"1.10"', "1.10"),
        ("2026-11-21", "2026-11-21"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("-0x1F", "-0x1F"),
        ("-0o17", "-0o17"),
        ("2026-11-21 08:00:00", "2026-11-21 08:00:00"),
        ("+.5e3", 500.0),
        ("7.", 7.0),
        ("<<", "<<"),
        ("!!str 17", "17"),
        ("!!int 17", 17),
        (".inf", float("inf")),
        ("", None),
    ],
)
def test_scalars_mean_what_yaml_1_2_says(text: str, value: Any) -> None:
    document = parse(f"a: {text}\n")
    assert document.value == {"a": value} and type(document.value["a"]) is type(value)


def test_every_value_knows_its_line_and_column() -> None:
    document = parse("name: a\nlist:\n  - 1\n  - {deep: 2}\n")
    assert document.places[("name",)] == (1, 1)
    assert document.places["list", 1] == (4, 5)
    assert document.places["list", 1, "deep"] == (4, 6)


def test_a_problem_without_a_place_of_its_own_stands_at_its_parent() -> None:
    problem = parse("a:\n  b: 1\n").problem(("a", "c", "d"), "code", "message", "hint")
    assert (problem.file, problem.line, problem.column, problem.hint) == ("a.yaml", 1, 1, "hint")


def test_every_duplicate_key_is_told() -> None:
    assert places(refused("a: 1\nb: {c: 1, c: 2}\na: 2\n")) == [("duplicate_key", 2, 11), ("duplicate_key", 3, 1)]


@pytest.mark.parametrize(
    "text",
    ["!!int abc", "!!int ''", "!!int 1_0", "!!float abc", "!!bool maybe", "!!null x", "1" * 5_000, "0x" + "F" * 5_000,
     "1" * 309, "1e999", "!!timestamp 2026-11-21"],
)  # fmt: skip
def test_a_scalar_that_has_no_value_is_refused_at_its_place(text: str) -> None:
    assert places(refused(f"b: 1\na: {text}\n")) == [("bad_yaml", 2, 4)]


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\nb: *x\n",
        "a: !!python/object:os.system ls\n",
        "a: !secret x\n",
        "a: [\n",
        "? [1]\n: 2\n",
        "a: 1\n---\nb: 2\n",
        "a: \t- b\n  c: [}",
    ],
)
def test_what_is_not_plain_yaml_is_refused_with_a_place(text: str) -> None:
    assert all(problem.code == "bad_yaml" and problem.line > 0 for problem in refused(text))


def test_bytes_that_are_not_utf_8_are_refused() -> None:
    assert refused(b"a: \xff\n")[0].code == "bad_yaml"


def test_depth_is_bounded() -> None:
    assert parse("[" * 30 + "]" * 30)
    assert refused("[" * 60 + "]" * 60)[0].message == "nested deeper than 32 levels"
    assert refused("[" * 20_000)[0].code == "bad_yaml"


def test_a_file_too_large_is_not_read_as_yaml(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"#" * (yamlfile.MAX_BYTES + 1))
    with pytest.raises(Refused) as caught:
        yamlfile.read(path, tmp_path)
    assert places(list(caught.value.problems)) == [("too_large", 1, 1)]


def test_all_differences_from_a_schema_are_told_with_their_places() -> None:
    problems = yamlfile.check(parse("list: [1, x]\ncolour: red\n"), SCHEMA)
    assert sorted(places(problems)) == [("bad_value", 1, 11), ("missing_key", 1, 1), ("unknown_key", 2, 1)]


def test_each_of_several_unknown_keys_is_told() -> None:
    problems = yamlfile.check(parse("name: a\ncolour: red\nsize: 3\n"), SCHEMA)
    assert places(problems) == [("unknown_key", 2, 1), ("unknown_key", 3, 1)]


@given(st.text(max_size=40))
def test_any_text_is_a_document_or_refused(text: str) -> None:
    try:
        parse(text.encode("utf-8", "replace").decode())
    except Refused as error:
        assert all(problem.line >= 1 and problem.column >= 1 for problem in error.problems)


def test_a_file_of_50_mb_is_refused_without_being_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    with path.open("wb") as opened:
        opened.truncate(50 << 20)
    tracemalloc.start()
    with pytest.raises(Refused) as caught:
        yamlfile.read(path, tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()
    assert places(list(caught.value.problems)) == [("too_large", 1, 1)]


@pytest.mark.parametrize("text", ["- a\n" * 60_000, "[" + "a," * 100_000 + "]", "#\n" * 60_000, "{" * 50_000])
def test_a_file_of_too_many_parts_is_refused_before_it_costs_time(text: str) -> None:
    before = time.process_time()
    assert [problem.code for problem in refused(text)] == ["too_large"]
    assert time.process_time() - before < 1


def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30))
    before = time.process_time()
    assert {problem.code for problem in refused(bomb)} == {"bad_yaml"}
    assert time.process_time() - before < 1


@pytest.mark.parametrize(
    ("raw", "place"), [(b"a: 1\nb: \xff\n", (2, 4)), (b"a: 1\nb: x\0y\n", (2, 5)), (b"a:\n\tb: 1\n", (2, 1))]
)
def test_what_cannot_stand_in_yaml_is_placed(raw: bytes, place: tuple[int, int]) -> None:
    assert places(refused(raw)) == [("bad_yaml", *place)]


def test_a_link_out_of_the_project_and_what_cannot_be_read_are_refused(tmp_path: Path) -> None:
    # given
    root = tmp_path / "project"
    (root / "folder.yaml").mkdir(parents=True)
    (tmp_path / "outside.yaml").write_text("name: a\n")
    (root / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    (root / "gone.yaml").symlink_to(root / "nothing.yaml")
    # when
    codes = {}
    for name in ("link.yaml", "gone.yaml", "folder.yaml"):
        with pytest.raises(Refused) as caught:
            yamlfile.read(root / name, root)
        codes[name] = caught.value.problems[0].code
    # then
    assert codes == {"link.yaml": "outside", "gone.yaml": "unreadable", "folder.yaml": "unreadable"}
