"""How durations are spread: percentiles within the error that is stated, and sums that add up."""

from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from journal import spread
from journal.spread import ERROR, Spread

DURATIONS = st.lists(st.one_of(st.integers(0, 60), st.integers(0, 10_000), st.integers(0, 10**9)), min_size=1)
SHARES = st.sampled_from([0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 1.0])


def _exact(durations: list[int], share: float) -> int:
    return sorted(durations)[max(1, ceil(share * len(durations))) - 1]


@given(DURATIONS, SHARES)
def test_a_percentile_is_no_further_from_the_exact_one_than_stated(durations: list[int], share: float) -> None:
    exact = _exact(durations, share)
    assert abs(spread.of(durations).percentile(share) - exact) <= ERROR * exact + 1e-9


@given(DURATIONS)
def test_the_mean_is_no_further_from_the_exact_one_than_stated(durations: list[int]) -> None:
    exact = sum(durations) / len(durations)
    assert abs(spread.of(durations).mean - exact) <= ERROR * exact + 1e-6


@given(st.lists(st.integers(0, 24), min_size=1), SHARES)
def test_durations_below_25_ms_are_exact(durations: list[int], share: float) -> None:
    assert spread.of(durations).percentile(share) == _exact(durations, share)


@given(DURATIONS, DURATIONS)
def test_spreads_of_parts_add_up_to_that_of_the_whole(one: list[int], other: list[int]) -> None:
    assert spread.merged([spread.of(one), spread.of(other)]).buckets == spread.of(one + other).buckets


@given(DURATIONS)
def test_a_spread_comes_back_as_it_was_stored(durations: list[int]) -> None:
    whole = spread.of(durations).buckets
    assert spread.read(spread.write(whole)) == whole


def test_a_duration_longer_than_a_life_is_told_as_a_long_one() -> None:
    assert spread.of([1 << 60]).percentile(1) > 1 << 41


def test_of_nothing_there_are_no_figures() -> None:
    assert (Spread().n, Spread().mean, Spread().percentile(0.95), Spread().heat([1])) == (0, 0.0, 0.0, [0, 0])


def test_heat_counts_up_to_each_edge_and_the_rest_after_the_last() -> None:
    assert spread.of([0, 1, 2, 3, 10, 11, 5000]).heat([1, 10, 100]) == [2, 3, 1, 1]
