"""Journal entries: what is packed is unpacked, and messages of earlier and later versions are read."""

from hypothesis import given
from hypothesis import strategies as st

from journal.entry import Entry, pack, unpack

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
NUMBER = st.integers(0, 2**53)
MOMENT, WORD = st.integers(0, 2**53), st.sampled_from(["process", "deliver", "routed"])
ENTRIES = st.builds(
    Entry, MOMENT, WORD, WORD, TEXT, TEXT, TEXT, TEXT, TEXT, NUMBER, NUMBER, TEXT, TEXT, TEXT, TEXT, NUMBER, TEXT,
    NUMBER, TEXT, NUMBER, TEXT, TEXT, TEXT, TEXT, TEXT,
)  # fmt: skip


@given(st.lists(ENTRIES, max_size=6))
def test_what_is_packed_is_unpacked_the_same(entries: list[Entry]) -> None:
    assert unpack(pack(entries)) == entries


def test_what_is_blank_or_the_same_everywhere_takes_no_room() -> None:
    lines = [Entry(5, "process", "routed", id="a"), Entry(6, "process", "routed", id="b")]
    assert pack(lines) == (b'{"count":2,"columns":{"at":[5,6],"stage":"process","outcome":"routed","id":["a","b"]}}')


def test_columns_of_later_versions_are_ignored() -> None:
    later = b'{"count":1,"columns":{"at":5,"stage":"s","outcome":"o","colour":["red"]},"more":1}'
    assert unpack(later) == [Entry(5, "s", "o")]


def test_messages_from_before_there_were_columns_are_read() -> None:
    earlier = b'{"entries":[{"at":5,"stage":"s","outcome":"o","seq":3},{"at":6,"stage":"s","outcome":"o","x":"y"}]}'
    assert unpack(earlier) == [Entry(5, "s", "o", seq=3), Entry(6, "s", "o")]
