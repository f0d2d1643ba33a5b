"""Problems: the three forms in which they are shown."""

import pytest

from crossdock.kernel.problems import Problem, Refused, refuse


@pytest.mark.parametrize(
    ("problem", "shown"),
    [
        (Problem("c", "m"), "c  m"),
        (Problem("c", "m", "h").at("a.yaml", 3, 5), "a.yaml:3:5  c  m  h"),
        (Problem("c", "m", pointer="/lines/0"), "/lines/0  c  m"),
        (Problem("c", "m", pointer="/a", file="b.yaml", line=1, column=2), "b.yaml:1:2  c  m"),
    ],
)
def test_a_problem_is_shown_on_one_line_with_its_place_first(problem: Problem, shown: str) -> None:
    assert str(problem) == shown


def test_check_shows_these_fields_in_this_order() -> None:
    shape = ["code", "message", "hint", "file", "line", "column", "pointer", "rule"]
    assert list(Problem("c", "m").as_dict()) == shape


def test_an_error_of_an_answer_names_the_rule_or_else_the_code() -> None:
    assert Problem("c", "m", "h", pointer="/a").as_error() == {"pointer": "/a", "rule": "c", "message": "m"}
    assert Problem("c", "m", rule="required").as_error()["rule"] == "required"


def test_placing_a_problem_leaves_the_first_one_as_it_was() -> None:
    problem = Problem("c", "m")
    assert problem.at("a.yaml").file == "a.yaml" and problem.file == ""


def test_a_refusal_carries_every_problem() -> None:
    error = Refused(Problem(code, "m") for code in ("a", "b"))
    assert [problem.code for problem in error.problems] == ["a", "b"]
    assert str(error) == "a  m; b  m"
    assert refuse("c", "m", "h", pointer="/p", rule="r").problems == (Problem("c", "m", "h", pointer="/p", rule="r"),)
