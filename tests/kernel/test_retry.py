"""How long a failed delivery waits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.kernel.retry import Retry, delay


@pytest.mark.parametrize(
    ("attempt", "random", "expected"),
    [
        (1, 0.0, 1.0),  # half of 2
        (1, 1.0, 2.0),
        (2, 1.0, 4.0),  # 2 * 2
        (5, 0.5, 24.0),  # 2 * 16 * 0.75
        (10, 1.0, 600.0),  # 2 * 512 is over the cap
        (10, 0.0, 300.0),  # jitter applies below the cap too
        (5000, 1.0, 600.0),  # no overflow
    ],
)
def test_pauses_double_up_to_the_cap_and_are_jittered(attempt: int, random: float, expected: float) -> None:
    assert delay(Retry(), attempt, random) == expected


def test_the_default_retries_for_a_day_from_two_seconds_to_ten_minutes() -> None:
    assert Retry() == Retry(age=86400, first=2, most=600)


@given(attempt=st.integers(1, 10**9), random=st.floats(0, 1))
def test_a_pause_is_never_longer_than_the_cap_nor_shorter_than_half_the_first(attempt: int, random: float) -> None:
    retry = Retry(age=60, first=0.5, most=7)

    assert 0.25 <= delay(retry, attempt, random) <= 7
