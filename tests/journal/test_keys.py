"""The keys an entry carries: what is written is read, each once and not too many, and what an event is found by."""

from journal import keys
from journal.entry import Entry


def test_keys_come_back_as_they_were_written_each_once() -> None:
    found = [("po", '45\n€"1'), ("gtin", "0076"), ("po", '45\n€"1')]
    assert keys.read(keys.write(found)) == found[:2]
    assert (keys.write([]), keys.read("")) == ("", [])


def test_an_event_has_at_most_so_many_keys() -> None:
    assert len(keys.read(keys.write(("gtin", str(number)) for number in range(1000)))) == keys.MOST


def test_an_event_is_found_by_its_entries_before_delivery_and_long_values_by_their_beginning() -> None:
    long = "x" * 500
    lines = [
        Entry(1, "gateway", "accepted", "stores", id="s-1", raw=7),
        Entry(2, "process", "routed", "stores", id="s-1", raw=7, key=long, keys=keys.write([("po", "45")])),
        Entry(3, "deliver", "delivered", "stores", id="s-1", raw=7, key="another"),
    ]
    assert keys.key_rows(lines) == {
        ("s-1", 7, "id", "stores"), ("x" * keys.LONGEST, 7, "key", "stores"), ("45", 7, "po", "stores"),
    }  # fmt: skip
