"""Units and packs: exact both ways, over what an item says, and refused where nothing connects two units."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.failures import UnitError
from transforms.measures import _NAMES, _SIZES, units

PACKS = {"sku": "PASTA", "each_per_case": "20", "case_per_pallet": 40, "g_per_each": "500", "each_per_inner": ""}


@pytest.mark.parametrize(
    ("quantity", "start", "goal", "result"),
    [
        ("1", "LBR", "KGM", "0.45359237"),  # the international pound
        ("1", "INH", "CMT", "2.54"),
        ("1", "GLL", "l", "3.785411784"),  # 231 cubic inches
        ("16", "ONZ", "lb", "1"),
        ("12", "in", "ft", "1"),
        ("8", "pt", "gal", "1"),
        ("20", "imperial_fl_oz", "imperial_pt", "1"),
        ("2.5", "TNE", "KGM", "2500"),
        ("3", "DZN", "EA", "36"),
        ("0", "kg", "g", "0"),
        ("-2", "m", "cm", "-200"),
        (7, "EA", "C62", "7"),
    ],
)
def test_units_of_one_measure_convert_exactly(quantity: object, start: str, goal: str, result: str) -> None:
    assert units(quantity, start, goal) == result


@pytest.mark.parametrize(
    ("quantity", "start", "goal", "result"),
    [
        ("3", "case", "each", "60"),
        ("30", "EA", "XCS", "1.5"),
        ("1", "pallet", "EA", "800"),
        ("2", "CS", "KGM", "20"),
        ("1", "pallet", "lb", None),
    ],
)
def test_packs_convert_by_what_the_item_says(quantity: str, start: str, goal: str, result: str | None) -> None:
    if result is None:
        with pytest.raises(UnitError, match="say how many digits to round to"):
            units(quantity, start, goal, PACKS)
    else:
        assert units(quantity, start, goal, PACKS) == result


def test_a_result_without_an_end_is_rounded_when_asked() -> None:
    assert units("1", "kg", "lb", None, 4) == "2.2046"


@pytest.mark.parametrize(
    ("start", "goal", "item"),
    [
        ("stone", "kg", None),
        ("kg", "l", None),
        ("case", "each", {"each_per_case": ""}),
        ("case", "each", {"each_per_case": "0"}),
        ("case", "each", {"each_per_case": "-2"}),
        ("inner", "each", PACKS),
        (None, "each", None),
    ],
)
def test_what_nothing_connects_is_refused(start: object, goal: str, item: object) -> None:
    with pytest.raises(UnitError):
        units("1", start, goal, item)


@given(st.decimals(-1000, 1000, places=3), st.sampled_from(sorted(_NAMES)), st.sampled_from(sorted(_NAMES)))
def test_a_way_and_back_changes_nothing(quantity: object, start: str, goal: str) -> None:
    if _SIZES[_NAMES[start]][1] != _SIZES[_NAMES[goal]][1]:
        return
    there = units(str(quantity), start, goal, None, 30)
    assert abs(Fraction(units(there, goal, start, None, 30)) - Fraction(str(quantity))) < Fraction(1, 10**20)
