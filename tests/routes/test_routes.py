"""Routes: which events they take, in which order, and why not."""

from pathlib import Path
from typing import Any

import pytest

from crossdock.kernel.event import Event
from crossdock.kernel.expression import view
from crossdock.kernel.problems import Problem, Refused
from crossdock.kernel.retry import Retry
from routes.match import Verdict, explain, matches, order_key, wants
from routes.spec import Route, load


def write(root: Path, *lines: str) -> Path:
    (root / "routes").mkdir(exist_ok=True)
    head = ["routes:", "  - route: stock", "    from: [inventory.sold]", "    to: erp"]
    (root / "routes" / "stock.yaml").write_text("\n".join([*head, *(f"    {line}" for line in lines)]) + "\n")
    return root


def route(root: Path, *lines: str) -> Route:
    (one,) = load(write(root, *lines))
    return one


def sold(**data: Any) -> Event:
    return Event(id="e-1", source="/s", type="inventory.sold", data=data)


def why(root: Path, when: str, **data: Any) -> str:
    (verdict,) = explain([route(root, f"when: {when}")], sold(**data))
    assert not verdict.matched
    return verdict.why


def refused(root: Path, *lines: str) -> Problem:
    with pytest.raises(Refused) as caught:
        load(write(root, *lines))
    (problem,) = caught.value.problems
    return problem


def test_a_route_has_careful_defaults(tmp_path: Path) -> None:
    one = route(tmp_path)
    assert (one.name, one.types, one.connector) == ("stock", ("inventory.sold",), "erp")
    assert (one.when, one.order_by, one.in_flight, one.retry) == (None, None, 64, Retry(86400, 2, 600))


def test_retries_are_read_in_seconds(tmp_path: Path) -> None:
    assert route(tmp_path, "retry: {for: 1h, first: 500ms, most: 1m}").retry == Retry(3600, 0.5, 60)


def test_a_route_wants_the_types_it_names(tmp_path: Path) -> None:
    assert [wants(route(tmp_path), type_) for type_ in ("inventory.sold", "inventory")] == [True, False]


@pytest.mark.parametrize(("lines", "taken"), [([1, 2], True), ([1], False), ([], False)])
def test_a_condition_decides(tmp_path: Path, lines: list[int], taken: bool) -> None:
    assert matches(route(tmp_path, "when: $count(lines) > 1"), view(sold(lines=lines))) is taken


@pytest.mark.parametrize("when", ["lines", "nope", "1 + 1", '"\\"true\\""', "$count(lines)"])
def test_only_true_and_false_are_answers(tmp_path: Path, when: str) -> None:
    with pytest.raises(Refused) as caught:
        matches(route(tmp_path, f"when: {when}"), view(sold(lines=[1, 2])))
    assert caught.value.problems[0].code == "when_not_boolean"


def test_the_order_key_is_text_and_integers_are_their_digits(tmp_path: Path) -> None:
    one = route(tmp_path, "order_by: location")
    assert [order_key(one, view(sold(location=value))) for value in ("STORE-1", 17)] == ["STORE-1", "17"]


def test_a_route_without_order_has_no_key(tmp_path: Path) -> None:
    assert order_key(route(tmp_path), view(sold())) == ""


@pytest.mark.parametrize("value", [None, "", 1.5, True, ["a"], "a\nb", "x" * 1025])
def test_what_is_no_order_key_is_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(Refused) as caught:
        order_key(route(tmp_path, "order_by: location"), view(sold(location=value)))
    assert caught.value.problems[0].code == "bad_order_key"


def test_a_match_is_explained(tmp_path: Path) -> None:
    assert explain([route(tmp_path)], sold()) == [Verdict("stock", True, "takes every inventory.sold", "all")]
    assert explain([route(tmp_path, "when: a = 1")], sold(a=1)) == [
        Verdict("stock", True, "a = 1 holds", "when", "a = 1")
    ]


def test_another_type_is_explained(tmp_path: Path) -> None:
    other = Event(id="1", source="/s", type="shipment.tracked")
    assert explain([route(tmp_path)], other)[0].why == "takes inventory.sold, not shipment.tracked"


def test_of_several_conditions_the_failing_one_is_named_with_its_value(tmp_path: Path) -> None:
    when = 'currency = "EUR" and $count(lines) > 1 and store != "9"'
    assert why(tmp_path, when, currency="EUR", lines=[1], store="1") == (
        "$count(lines) > 1 does not hold: $count(lines) is 1"
    )


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ('state = "open"', 'state = "open" does not hold: state is "shut"'),
        ("gone = 1", "gone = 1 does not hold: gone is missing"),
        ('state in ["a and b", "c"]', 'state in ["a and b", "c"] does not hold: state is "shut"'),
        ("(a = 2 and b = 2)", "(a = 2 and b = 2) does not hold"),
        ("a = 2 or b = 2 and c = 1", "a = 2 or b = 2 and c = 1 does not hold"),
        ("$exists(gone)", "$exists(gone) does not hold"),
        ("gone", "`when` of the route stock gives nothing"),
    ],
)
def test_a_condition_is_explained_in_words(tmp_path: Path, when: str, reason: str) -> None:
    assert why(tmp_path, f"'{when}'", state="shut", a=1, b=1) == reason


@pytest.mark.parametrize(
    ("line", "code", "column"),
    [
        ("when: '$count('", "bad_expression", 18),
        ("retry: {first: 10m, most: 1m}", "bad_value", 5),
        ("retry: {for: soon}", "bad_value", 13),
        ("in_flight: 0", "bad_value", 5),
        ("wen: true", "unknown_key", 5),
    ],
)
def test_a_mistake_is_placed(tmp_path: Path, line: str, code: str, column: int) -> None:
    problem = refused(tmp_path, line)
    assert (problem.code, problem.file, problem.line, problem.column) == (code, "routes/stock.yaml", 5, column)
