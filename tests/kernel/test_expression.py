"""Expressions: exact integers through a language of doubles, and limits that hold."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.kernel import expression
from crossdock.kernel.event import Event
from crossdock.kernel.expression import Expression, View, guard, plain, release, view
from crossdock.kernel.problems import Refused

BIG = 2**53 + 1
INTEGERS = st.integers(-(2**63), 2**64 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | INTEGERS | st.text(st.characters(exclude_characters="\ufdd0\ufdd1"), max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def value(text: str, data: Any = None, **attributes: Any) -> Any:
    return Expression(text).evaluate(view(Event("1", "/s", "t", data, exact=True, **attributes)))


def seen(data: Any) -> View:
    return view(Event("1", "/s", "t", data))


def refused(text: str, data: Any = None) -> str:
    with pytest.raises(Refused) as caught:
        value(text, data)
    return caught.value.problems[0].code


@given(JSON)
def test_a_guarded_value_is_released_as_it_was(data: Any) -> None:
    assert release(guard(data)) == data


@given(INTEGERS)
def test_an_integer_passes_a_mapping_unchanged(number: int) -> None:
    assert value('{"n": n, "list": [n, n]}', {"n": number}) == {"n": number, "list": [number, number]}


def test_a_big_integer_inside_text_becomes_its_digits() -> None:
    assert value('"R-" & n & "/" & m', {"n": BIG, "m": 7}) == f"R-{BIG}/7"
    assert plain(guard(BIG)) == str(BIG)
    assert plain("text") == "text"


def test_big_integers_can_be_compared_for_equality() -> None:
    assert value("a = b", {"a": BIG, "b": BIG}) is True
    assert value("a = b", {"a": BIG, "b": BIG + 1}) is False


def test_data_without_big_integers_is_not_copied() -> None:
    data = {"n": 1}
    assert view(Event("1", "/s", "t", data)).data is data


def test_an_expression_sees_the_envelope() -> None:
    seen = value("[$event.id, $event.type, $event.partner]", {}, extensions={"partner": "stores"})
    assert seen == ["1", "t", "stores"]


def test_nothing_is_none() -> None:
    assert value("missing.deeper", {"a": 1}) is None


@pytest.mark.parametrize("text", ["", "(", "a +", '"open', "$sum("])
def test_text_that_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(Refused) as caught:
        Expression(text)
    assert caught.value.problems[0].code == "bad_expression"


@pytest.mark.parametrize(
    ("text", "hint"),
    [("$cuont(a)", "did you mean $count()?"), ("a[$decmull(b, 1) = 1]", "JSONata: https://docs.jsonata.org")],
)
def test_a_function_nobody_knows_is_refused_before_anything_runs(text: str, hint: str) -> None:
    with pytest.raises(Refused) as caught:
        Expression(text)
    assert [(problem.code, problem.hint) for problem in caught.value.problems] == [("unknown_function", hint)]


@pytest.mark.parametrize(
    "text",
    ["($f := function($x) { $x }; $f(1))", "$map([1], function($v, $i) { $v })", "'$nothing(1)'", "/* $no( */ 1"],
)
def test_bound_names_and_texts_are_no_unknown_functions(text: str) -> None:
    Expression(text)


@pytest.mark.parametrize("text", ["$sum('a')", "'a' + 1", "$toMillis('noon')", "$error('x')"])
def test_a_failure_says_which_expression_failed(text: str) -> None:
    with pytest.raises(Refused) as caught:
        value(text)
    (problem,) = caught.value.problems
    assert (problem.code, problem.rule) == ("expression_failed", text)


@pytest.mark.parametrize(
    "text",
    ["($f := function($n) { $f($n + 1) }; $f(1))", "($f := function($n) { 1 + $f($n) }; $f(1))", "[1..100000000]"],
)
def test_an_endless_or_exploding_expression_ends_soon(text: str) -> None:
    began = time.monotonic()
    assert refused(text) == "expression_failed"
    assert time.monotonic() - began < expression.TIMEOUT_MS / 1000 + 1


def test_a_function_of_ours_is_called_and_its_failure_is_told() -> None:
    called = Expression("$double(n)", {"double": lambda number: number * 2})
    assert called.evaluate(seen({"n": 4})) == 8
    with pytest.raises(Refused, match="expression_failed"):
        called.evaluate(seen({"n": None}))


def test_one_expression_serves_many_events_without_memory_of_the_last() -> None:
    compiled = Expression("($seen := $exists($before); $before := 1; $event := 2; $seen)")
    shared = seen({})
    assert [compiled.evaluate(shared) for _ in range(2)] == [False, False]
    assert Expression("$event.id").evaluate(shared) == "1"


@pytest.mark.parametrize(
    "text", ["$event.id", '$eval("$event.id")', '$eval("$" & "ev" & "ent.id")', "( $e := $event; $e.id )"]
)
def test_the_envelope_is_there_however_it_is_named(text: str) -> None:
    assert Expression(text).evaluate(seen({})) == "1"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('$encodeUrlComponent("W-1_a.b~c/ä é&")', "W-1_a.b~c%2F%C3%A4%20%C3%A9%26"),
        ('$encodeUrl("https://a/b c?d=é&e=1#f")', "https://a/b%20c?d=%C3%A9&e=1#f"),
        ('$encodeUrlComponent(nothing)', None),
    ],
)  # fmt: skip
def test_what_goes_into_an_address_is_encoded_as_ecmascript_says(text: str, value: str | None) -> None:
    assert Expression(text).evaluate(view(Event("1", "/s", "t", {"n": 9007199254740993}))) == value
