"""Decimal arithmetic that maps call: exact, on text, refusing what is no number."""

import pytest

from transforms.functions import NotDecimalError, decadd, decmul, decneg, decsum


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
