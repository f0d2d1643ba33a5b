"""Environment variables in content files."""

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
