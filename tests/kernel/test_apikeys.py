"""API keys: whose key it is and until when, and that nothing else passes."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.adapters.memory import MemoryKeys
from crossdock.kernel import jsontext
from crossdock.kernel.apikeys import KeyRecord, look_up, make_key, read_record, record_of, roll

NOW, DAY = 1_790_000_000_000, 86_400_000


def book_of(*records: KeyRecord) -> MemoryKeys:
    book = MemoryKeys()
    for record in records:
        asyncio.run(book.put(record))
    return book


def test_a_key_names_its_record() -> None:
    key, record = make_key("stores", 1)
    assert record_of(book_of(), key, NOW) is None
    assert record_of(book_of(record), key, NOW) == record
    assert asyncio.run(look_up(book_of(record), key, NOW)) == record


def test_keys_differ_and_neither_the_key_nor_its_hash_is_in_the_text_of_a_record() -> None:
    (first, one), (second, two) = make_key("stores", 1), make_key("stores", 1)
    assert first != second and one.id != two.id
    assert first.split("_", 2)[2] not in repr(asdict(one))
    assert one.digest not in repr(one)


@pytest.mark.parametrize("change", [str.upper, lambda key: key[:-1], lambda key: key + "x", lambda key: ""])
def test_a_key_that_is_not_exact_is_nobodys(change: Callable[[str], str]) -> None:
    key, record = make_key("stores", 1)
    assert record_of(book_of(record), change(key), NOW) is None


def test_the_secret_of_one_key_does_not_open_another() -> None:
    (first, one), (second, two) = make_key("stores", 1), make_key("acme", 1)
    book = book_of(one, two)
    mixed = f"cdk_{one.id}_{second.split('_', 2)[2]}"
    assert record_of(book, mixed, NOW) is None
    assert (record_of(book, first, NOW), record_of(book, second, NOW)) == (one, two)


@given(st.text(max_size=60))
def test_any_text_is_safe_to_ask_for(text: str) -> None:
    assert record_of(MemoryKeys(), text, NOW) is None


def test_a_key_ends_at_its_time_without_anybody_saying_so() -> None:
    key, record = make_key("stores", 1)
    book = book_of(replace(record, expires=NOW))
    assert record_of(book, key, NOW - 1) is not None
    assert record_of(book, key, NOW) is None
    assert asyncio.run(look_up(book, key, NOW)) is None
    assert book.records() != []


def test_a_successor_has_the_same_rights_and_both_keys_work_until_the_overlap_ends() -> None:
    # given
    key, record = make_key("stores", NOW)
    old = replace(record, sources=("tills",), types=("pos.sale",), status=False, rate=5, note="till 7")
    # when
    successor, new, ending = roll(old, NOW + 5, DAY)
    # then
    assert replace(new, id=old.id, digest=old.digest, created=NOW) == old
    assert ending == replace(old, expires=NOW + 5 + DAY, rolled_to=new.id)
    book = book_of(new, ending)
    assert record_of(book, key, NOW + 4 + DAY) == ending
    assert record_of(book, key, NOW + 5 + DAY) is None
    assert record_of(book, successor, NOW + 5 + DAY) == new


def test_without_an_overlap_the_old_key_ends_at_once() -> None:
    key, record = make_key("stores", NOW)
    _, _, ending = roll(record, NOW + 1, 0)
    assert record_of(book_of(ending), key, NOW + 1) is None


def test_the_successor_of_a_key_that_expires_lives_as_long_and_an_overlap_prolongs_nothing() -> None:
    # given
    _, record = make_key("stores", NOW)
    old = replace(record, expires=NOW + 90 * DAY)
    # when
    _, new, ending = roll(old, NOW + 89 * DAY, 7 * DAY)
    # then
    assert new.expires - new.created == 90 * DAY
    assert ending.expires == old.expires


def test_a_record_is_read_as_it_was_written() -> None:
    _, record = make_key("stores", NOW)
    record = replace(record, sources=("a", "b"), types=("t",), status=False, expires=9, rate=3, note="é", rolled_to="x")
    assert read_record(jsontext.dumps(asdict(record))) == record


def test_records_of_an_earlier_and_a_later_version_are_read() -> None:
    first = {"id": "aa", "partner": "stores", "digest": "d", "created": 1}
    assert read_record(jsontext.dumps(first)) == KeyRecord("aa", "stores", "d", 1)
    assert read_record(jsontext.dumps({**first, "colour": ["red"]})) == KeyRecord("aa", "stores", "d", 1)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"id": "aa", "partner": "stores"}'])
def test_what_is_no_record_is_a_value_error(raw: bytes) -> None:
    with pytest.raises(ValueError):
        read_record(raw)
