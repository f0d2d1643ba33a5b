"""Journal entries: what is packed is unpacked, and messages of later versions are read."""

from hypothesis import given
from hypothesis import strategies as st

from journal.entry import Entry, pack, unpack

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBER = st.integers(0, 2**53)
MOMENT, WORD = st.integers(1, 2**53), st.sampled_from(["process", "deliver", "routed"])
ENTRIES = st.builds(
    Entry, MOMENT, WORD, WORD, TEXT, TEXT, TEXT, TEXT, TEXT, NUMBER, NUMBER, TEXT, TEXT, TEXT, TEXT, NUMBER, TEXT,
    NUMBER, TEXT,
)  # fmt: skip


@given(st.lists(ENTRIES, max_size=6))
def test_what_is_packed_is_unpacked_the_same(entries: list[Entry]) -> None:
    assert unpack(pack(entries)) == entries


def test_empty_fields_take_no_room() -> None:
    assert pack([Entry(5, "process", "routed")]) == b'{"entries":[{"at":5,"stage":"process","outcome":"routed"}]}'


def test_fields_of_later_versions_are_ignored() -> None:
    assert unpack(b'{"entries":[{"at":5,"stage":"s","outcome":"o","colour":"red"}],"more":1}') == [Entry(5, "s", "o")]
