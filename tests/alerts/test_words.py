"""Figures of alerts as people read them."""

import pytest

from alerts.words import amount


@pytest.mark.parametrize(
    ("number", "unit", "said"),
    [
        (1, "findings", "1 finding"),
        (0, "findings", "0 findings"),
        (1.5, "events", "1.50 events"),
        (12_000, "events", "12,000 events"),
        (90, "seconds", "1 min 30 s"),
    ],
)
def test_a_figure_is_told_with_its_unit(number: float, unit: str, said: str) -> None:
    assert amount(number, unit) == said
