"""API keys: whose key it is, and that nothing else passes."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.adapters.memory import MemoryKeys
from crossdock.kernel.apikeys import KeyRecord, make_key, partner_of


def book_of(*records: KeyRecord) -> MemoryKeys:
    book = MemoryKeys()
    for record in records:
        asyncio.run(book.put(record))
    return book


def test_a_key_names_its_partner() -> None:
    key, record = make_key("stores", 1)
    assert partner_of(book_of(), key) is None
    assert partner_of(book_of(record), key) == "stores"


def test_keys_differ_and_their_record_does_not_hold_them() -> None:
    (first, one), (second, two) = make_key("stores", 1), make_key("stores", 1)
    assert first != second and one.id != two.id
    secret = first.split("_", 2)[2]
    assert secret not in repr(one)


@pytest.mark.parametrize("change", [str.upper, lambda key: key[:-1], lambda key: key + "x", lambda key: ""])
def test_a_key_that_is_not_exact_is_nobodys(change: Callable[[str], str]) -> None:
    key, record = make_key("stores", 1)
    assert partner_of(book_of(record), change(key)) is None


def test_the_secret_of_one_key_does_not_open_another() -> None:
    (first, one), (second, two) = make_key("stores", 1), make_key("acme", 1)
    book = book_of(one, two)
    mixed = f"cdk_{one.id}_{second.split('_', 2)[2]}"
    assert partner_of(book, mixed) is None
    assert (partner_of(book, first), partner_of(book, second)) == ("stores", "acme")


@given(st.text(max_size=60))
def test_any_text_is_safe_to_ask_for(text: str) -> None:
    assert partner_of(MemoryKeys(), text) is None
