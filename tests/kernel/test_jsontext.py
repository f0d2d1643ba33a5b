"""JSON that keeps its values or is refused."""

import json
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.kernel import jsontext
from crossdock.kernel.problems import Refused

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=15,
)
SPACE = st.text(" \t\r\n", max_size=3)


def code_of(raw: bytes) -> str:
    with pytest.raises(Refused) as caught:
        jsontext.loads(raw)
    (problem,) = caught.value.problems
    return problem.code


@pytest.mark.parametrize(
    "raw",
    [
        b"9007199254740993",
        b"820982911946154508",
        b"18446744073709551615",
        b"-9223372036854775808",
        b'"19.99"',
        b"19.99",
    ],
)
def test_what_was_read_is_written_the_same(raw: bytes) -> None:
    assert jsontext.dumps(jsontext.loads(raw)) == raw


@pytest.mark.parametrize(
    "raw",
    [
        b"18446744073709551616",
        b"-9223372036854775809",
        b"123456789012345678901234567890",
        b"0.1234567890123456789",
        b"1e-400",
        b"4e-324",
        b"[1.5e-00330]",
    ],
)
def test_a_number_that_would_change_is_refused(raw: bytes) -> None:
    assert code_of(raw) == "number_not_exact"


def test_a_huge_number_is_shown_shortened() -> None:
    with pytest.raises(Refused) as caught:
        jsontext.loads(b"1" * 5000)
    assert len(caught.value.problems[0].message) < 100


@pytest.mark.parametrize("raw", [b"0.30000000000000004", b"1e-300", b"5e-324", b"100000000000000000000.0"])
def test_a_number_that_a_double_holds_is_kept(raw: bytes) -> None:
    assert jsontext.loads(raw) == float(raw)


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"NaN", b"Infinity", b"1e999", b'"\\ud800"', b"\xff", b"\xef\xbb\xbf1", b"1 2"]
)
def test_what_is_not_json_is_refused(raw: bytes) -> None:
    assert code_of(raw) == "invalid_json"


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_depth_is_bounded(opening: bytes, closing: bytes) -> None:
    deepest = opening * jsontext.MAX_DEPTH + b"1" + closing * jsontext.MAX_DEPTH
    assert jsontext.dumps(jsontext.loads(deepest)) == deepest
    assert code_of(opening + deepest + closing) == "too_deep"
    assert code_of(opening * 100_000) in ("invalid_json", "too_deep")


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert len(jsontext.loads(b"[" + b",".join([b"{}"] * 500) + b"]")) == 500


def test_equal_values_give_equal_bytes_when_keys_are_sorted() -> None:
    assert jsontext.sorted_dumps({"b": 1, "a": 2}) == jsontext.sorted_dumps({"a": 2, "b": 1})


@given(st.binary(max_size=40) | TEXTS.map(str.encode))
def test_any_bytes_are_json_or_refused(raw: bytes) -> None:
    for read in (jsontext.loads, partial(jsontext.split_array, most=9)):
        try:
            read(raw)
        except Refused as refused:
            assert refused.problems


@given(st.lists(JSON, max_size=5), st.lists(SPACE, min_size=12, max_size=12), st.booleans())
def test_an_array_is_cut_into_the_bytes_of_its_items(values: list[Any], spaces: list[str], ascii_only: bool) -> None:
    items = [json.dumps(value, ensure_ascii=ascii_only) for value in values]
    inner = ",".join(f"{spaces[i]}{item}{spaces[-i]}" for i, item in enumerate(items))
    raw = f"{spaces[0]}[{inner}{spaces[1]}]{spaces[2]}"
    assert jsontext.split_array(raw.encode(), 1000) == [item.encode() for item in items]


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"[", b"[1", b"[1,", b"[1,]", b"[1 2]", b"[1] 2", b"[,1]", b"[\xff]", b"1"]
)
def test_a_batch_that_is_not_one_array_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused, match="invalid_json"):
        jsontext.split_array(raw, 1000)


def test_a_batch_nested_without_end_is_refused() -> None:
    with pytest.raises(Refused, match=r"too_deep|invalid_json"):
        jsontext.split_array(b"[" * 100_000, 1000)


def escaped(text: str, marks: list[bool]) -> str:
    """Write a text with some characters as `\\uXXXX`, which a parser reads the same."""
    turns = marks or [False]
    return "".join(
        f"\\u{ord(char):04x}" if ord(char) < 0x10000 and turns[place % len(turns)] else json.dumps(char)[1:-1]
        for place, char in enumerate(text)
    )


@given(
    st.lists(st.tuples(st.text('ab":\\ é', max_size=3), st.text('":\\ e-0', max_size=6)), max_size=5),
    st.lists(st.booleans(), max_size=4),
    st.sampled_from([":", ": ", " :", "\n:"]),
)
def test_a_key_given_twice_is_refused_however_it_is_written_and_no_other_is(
    pairs: list[tuple[str, str]], marks: list[bool], colon: str
) -> None:
    raw = "{" + ",".join(f'"{escaped(key, marks)}"{colon}"{escaped(text, marks)}"' for key, text in pairs) + "}"
    if len(dict(pairs)) < len(pairs):
        assert code_of(raw.encode()) == "invalid_json"
    else:
        assert jsontext.loads(raw.encode()) == dict(pairs)
