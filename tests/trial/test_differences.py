"""The differences of two JSON values, and the places of problems in a document."""

from typing import Any

import pytest

from crossdock.kernel.marked import AROUND, marked
from crossdock.kernel.problems import Problem
from crossdock.trial.differences import compare


@pytest.mark.parametrize(
    ("expected", "got", "words"),
    [
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 1}, {"a": True}, ["data /a: expected 1, got true"]),
        ({"a": None}, {}, ["data /a: expected null, it is missing"]),
        ({}, {"a": None}, ["data /a: null is not expected"]),
        ({}, {"a/b": 1}, ["data /a~1b: 1 is not expected"]),
        ([1, 2], [1], ["data /1: expected 2, it is missing"]),
        ([], [1, 2], ["data /0: 1 is not expected", "data /1: 2 is not expected"]),
        ([{"a": [1]}], [{"a": {}}], ["data /0/a: expected [1], got {}"]),
        ({"id": 2**63}, {"id": 2**63 + 1}, [f"data /id: expected {2**63}, got {2**63 + 1}"]),
    ],
)
def test_differences_are_told_by_pointer(expected: Any, got: Any, words: list[str]) -> None:
    assert list(map(str, compare("data", expected, got))) == words


def test_a_difference_tells_what_became_of_a_value() -> None:
    found = compare("body", {"a": 1, "b": 2}, {"a": 3, "c": 4})
    assert [one.change() for one in found] == ["body /a: 1 became 3", "body /b: 2 is gone", "body /c: 4 is new"]


def lines(value: Any, *pointers: str) -> list[str]:
    made = marked(value, [Problem("code", "wrong", pointer=pointer) for pointer in pointers])
    return [f"{'> ' if wrong else '  '}{text}" for wrong, text in made]


def test_the_place_of_a_problem_is_marked() -> None:
    assert lines({"a": [{"b/c": 1}, 2], "d": {}}, "/a/0/b~1c", "/d") == [
        "  {",
        '    "a": [',
        "      {",
        '>       "b/c": 1   <-- code: wrong',
        "      },",
        "      2",
        "    ],",
        '>   "d": {}   <-- code: wrong',
        "  }",
    ]


def test_what_is_missing_marks_where_it_should_be() -> None:
    assert lines({"a": {"b": 1}}, "/a/c")[1] == '>   "a": {   <-- code: wrong'


def test_a_problem_without_a_place_marks_nothing() -> None:
    assert lines({"a": 1}, "") == ["  {", '    "a": 1', "  }"]


def test_what_is_far_from_every_mark_is_left_out() -> None:
    shown = lines(list(range(1000)), "/500")
    assert len(shown) == 2 * AROUND + 1 + 2
    assert (shown[0], shown[AROUND + 1], shown[-1]) == ("  ...", ">   500,   <-- code: wrong", "  ...")
