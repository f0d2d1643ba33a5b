"""Numbers by sequence: what was set is read, packed or not, and what is open or unsaid is found."""

from hypothesis import given
from hypothesis import strategies as st

from journal import marks
from journal.marks import SIZE, Days, Marks

SEQS = st.integers(0, 80 * SIZE)


@given(st.dictionaries(SEQS, st.integers(0, 15)), SEQS)
def test_what_was_set_is_read_again_and_found_by_what_it_says(wanted: dict[int, int], first: int) -> None:
    found = Marks()
    for seq, value in wanted.items():
        found[seq] = 3
        found[seq] = value
    said = sorted((seq, value) for seq, value in wanted.items() if value and seq >= first)
    assert list(found.said(first, 80 * SIZE)) == said
    assert list(found.open(first, 80 * SIZE)) == [(seq, value) for seq, value in said if value in (1, 2, 3, 4, 6)]
    known = {seq for seq, _ in said}
    assert list(found.unsaid(first, first + 50)) == [seq for seq in range(first, first + 51) if seq not in known]


def test_a_million_numbers_that_are_alike_take_little_room() -> None:
    found = Marks()
    for seq in range(1_000_000):
        found[seq] = 7
    assert len(found._hot) <= marks.HOT and sum(map(len, found._cold.values())) < 50_000
    assert found[3] == found[999_999] == 7 and found[1_000_001] == 0


def test_what_is_past_its_retention_is_forgotten_by_whole_chunks() -> None:
    found = Marks("I")
    for seq in (1, SIZE, 2 * SIZE):
        found[seq] = 1 << 20
    found.forget(2 * SIZE)
    assert list(found.said(0, 3 * SIZE)) == [(2 * SIZE, 1 << 20)]


def test_a_sequence_keeps_the_day_that_it_was_once_said_to_be_of() -> None:
    days = Days()
    assert [days.of(seq, day) for seq, day in ((1, 5), (4, 5), (3, 6), (5, 6), (2, 7), (4, 9))] == [5, 5, 5, 6, 5, 5]
    assert days.at(9) == 6 and Days().at(1) == 0
