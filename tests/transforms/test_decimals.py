"""Decimal arithmetic that maps call: exact, on text, refusing what is no number."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.decimals import decabs, decadd, deccmp, decdiv, decmax, decmin, decmul, decneg, decround, decsub, decsum
from transforms.failures import BadArgumentError, NotDecimalError


@pytest.mark.parametrize(
    ("left", "right", "product"),
    [
        ("6.89", "3", "20.67"),
        ("0.1", "0.2", "0.02"),
        ("2.50", 2, "5.00"),
        ("1.005", 100, "100.500"),
        ("-1", "0.00", "-0.00"),
        (0.1, 3, "0.3"),
        (1e22, 1, "10000000000000000000000"),
        ("9" * 60, "9" * 60, str(int("9" * 60) ** 2)),
        ("\ufdd09007199254740993\ufdd1", 1, "9007199254740993"),
    ],
)
def test_a_product_is_exact(left: object, right: object, product: str) -> None:
    assert decmul(left, right) == product


def test_a_sum_is_exact_where_doubles_are_not() -> None:
    assert decadd("0.1", "0.2") == "0.3"
    assert decsum(["0.1"] * 10) == "1.0"


def test_the_sum_of_nothing_is_zero_and_of_one_is_itself() -> None:
    assert (decsum(None), decsum([]), decsum("5.20")) == ("0", "0", "5.20")


def test_a_sign_is_turned() -> None:
    assert (decneg("1.50"), decneg("-2"), decneg("0.00")) == ("-1.50", "2", "0.00")


@pytest.mark.parametrize("value", ["", "abc", "1e5", "NaN", "Infinity", " 1", "1_000", "٣", None, True, {}, "9" * 61])
def test_what_is_no_decimal_number_is_refused(value: object) -> None:
    with pytest.raises(NotDecimalError):
        decadd("1", value)


@pytest.mark.parametrize(
    ("number", "digits", "mode", "rounded"),
    [
        ("2.5", 0, "half_even", "2"),
        ("3.5", 0, "half_even", "4"),
        ("2.5", 0, "half_up", "3"),
        ("-2.5", 0, "half_up", "-3"),
        ("2.51", 0, "half_even", "3"),
        ("2.99", 0, "down", "2"),
        ("-2.99", 0, "down", "-2"),
        ("2.01", 0, "up", "3"),
        ("-2.01", 1, "up", "-2.1"),
        ("2.00", 1, "up", "2.0"),
        ("-0.004", 2, "half_even", "0.00"),
        ("1.005", 2, "half_up", "1.01"),  # where doubles give 1.00
        ("7", 3, "down", "7.000"),
    ],
)
def test_a_number_is_rounded_as_the_mode_says(number: str, digits: int, mode: str, rounded: str) -> None:
    assert decround(number, digits, mode) == rounded
    assert decdiv(number, 1, digits, mode) == rounded


def test_a_quotient_is_rounded_once() -> None:
    assert (decdiv(1, 3, 5), decdiv(2, "3", 0), decdiv("-1", 8, 2), decdiv("10", "0.4", 0)) == (
        "0.33333", "1", "-0.12", "25",
    )  # fmt: skip


@given(st.decimals(-(10**20), 10**20, places=4), st.decimals(-(10**20), 10**20, places=4), st.integers(0, 30))
def test_arithmetic_is_that_of_whole_numbers(left: Decimal, right: Decimal, digits: int) -> None:
    one, other = Fraction(left), Fraction(right)
    assert Fraction(decadd(str(left), str(right))) == one + other
    assert Fraction(decsub(str(left), str(right))) == one - other
    assert Fraction(decmul(str(left), str(right))) == one * other
    assert deccmp(str(left), str(right)) == (one > other) - (one < other)
    if other:
        assert abs(Fraction(decdiv(str(left), str(right), digits)) - one / other) * 2 <= Fraction(1, 10**digits)


def test_the_least_and_the_greatest_are_those_of_numbers_not_of_texts() -> None:
    assert (decmin(["10", "9", 8.5]), decmax(["10", "9"]), decmin("7"), decmax(None)) == ("8.5", "10", "7", None)
    assert decabs("-1.50") == "1.50"


@pytest.mark.parametrize(
    ("digits", "mode"), [(-1, "up"), (61, "up"), (1.5, "up"), (True, "up"), ("2", "up"), (2, "near"), (2, None)]
)
def test_digits_and_mode_are_checked(digits: object, mode: object) -> None:
    with pytest.raises(BadArgumentError):
        decround("1", digits, mode)
