"""The cause of a dead letter: what many have in common, and what differs."""

import pytest

from journal.cause import cause_of, problem_id, read


@pytest.mark.parametrize(
    ("stage", "detail", "place"),
    [
        ("process", "/lines/0/gtin 'x' is not known (add a row)", "/lines/*/gtin"),
        ("process", "/lines/17/gtin 'y' is not known", "/lines/*/gtin"),
        ("process", "/7/0/a2 wrong", "/*/*/a2"),
        ("process", "HTTP 400 stands in the event", ""),
        ("process", "no pointer /lines/0", ""),
        ("deliver", "HTTP 422: order 4711 is closed", "HTTP 422"),
        ("deliver", "in doubt: may have been applied: HTTP 504", "HTTP 504"),
        ("deliver", "connection refused", ""),
        ("deliver", "/lines/3/qty is no number", "/lines/*/qty"),
        ("process", "/" + "x" * 500, "/" + "x" * 119),
        ("process", "", ""),
    ],
)
def test_the_place_is_the_pointer_or_the_status_and_no_number_of_a_line(stage: str, detail: str, place: str) -> None:
    assert cause_of(stage, "stock", "refused", detail).place == place


def test_it_comes_back_from_its_text_whatever_the_place_holds() -> None:
    cause = cause_of("process", "tills", "lookup_missing", "/a|b|c unknown")
    assert read(cause.text()) == cause


def test_problems_differ_by_step_name_code_and_place() -> None:
    causes = [
        ("process", "tills", "refused", "/a"), ("process", "tills", "refused", "/b"),
        ("process", "web", "refused", "/a"), ("process", "tills", "other", "/a"), ("deliver", "tills", "refused", "/a"),
    ]  # fmt: skip
    assert len({problem_id(cause_of(*one).text()) for one in causes}) == len(causes)
