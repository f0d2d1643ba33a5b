"""Environment variables in content files."""

from pathlib import Path

import pytest

from crossdock.kernel.environment import FromEnvironment, expand
from crossdock.kernel.problems import Refused
from crossdock.kernel.yamlfile import Document, parse


def document(text: str) -> Document:
    return parse(text.encode(), "connectors/x.yaml")


def test_variables_are_replaced_in_nested_values_and_nothing_else_changes() -> None:
    given = document('url: ${HOST}/${PATH_}\nlist: ["${HOST}", 3, true, null]\nplain: $HOST {x}')

    expanded = expand(given, {"HOST": "h", "PATH_": "p"})

    assert expanded.value == {"url": "h/p", "list": ["h", 3, True, None], "plain": "$HOST {x}"}
    assert expanded.places == given.places
    assert given.value["url"] == "${HOST}/${PATH_}"


def test_every_missing_variable_is_a_problem_with_its_place() -> None:
    with pytest.raises(Refused) as refused:
        expand(document("a: ${ONE}\nb:\n  - ${TWO}${three-4}\nc: ${SET}"), {"SET": ""})

    assert [(p.code, p.file, p.line) for p in refused.value.problems] == [
        ("missing_variable", "connectors/x.yaml", 1),
        ("missing_variable", "connectors/x.yaml", 3),
        ("missing_variable", "connectors/x.yaml", 3),
    ]
    assert "'TWO'" in refused.value.problems[1].message
    assert "'three-4'" in refused.value.problems[2].message


def test_a_value_is_not_expanded_again() -> None:
    expanded = expand(document("a: ${A}"), {"A": "${B}", "B": "b"})

    assert expanded.value == {"a": "${B}"}


def test_an_expanded_value_is_shown_by_the_name_of_its_variable() -> None:
    value = expand(document("a: x${TOKEN}"), {"TOKEN": "s3cret"}).value["a"]

    assert isinstance(value, FromEnvironment)
    assert value == "xs3cret"
    assert repr([value]) == "['x${TOKEN}']"


def test_a_secret_may_come_from_a_file_whose_path_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "erp").write_text("s3cret\n")

    value = expand(document(f"a: Bearer ${{file:{tmp_path}/erp}}"), {}).value["a"]

    assert value == "Bearer s3cret"
    assert repr([value]) == "['Bearer ${file}']"


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_secret_file_that_cannot_be_read_is_a_problem_without_its_path(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "erp").write_bytes(content)

    with pytest.raises(Refused) as refused:
        expand(document(f"a: ${{file:{tmp_path}/erp}}"), {})

    (problem,) = refused.value.problems
    assert (problem.code, problem.line) == ("missing_variable", 1)
    assert str(tmp_path) not in str(problem)
