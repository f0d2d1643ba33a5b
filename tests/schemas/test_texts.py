"""Regular expressions compared: what is found fits, what is proven has no counterexample, what is not known is said."""

import time
from itertools import product

import jsonschema_rs
import pytest
from hypothesis import given, settings

from schemas.automata import Undecided
from schemas.texts import fitting, matches_all, none_fits, some
from tests.schemas.anyschemas import PATTERNS

SHORT = ["".join(text) for length in range(4) for text in product("ab0\n", repeat=length)]


def matches(pattern: str, text: str) -> bool:
    return jsonschema_rs.Draft202012Validator({"pattern": pattern}).is_valid(text)


def shortest(wanted: str, unwanted: str, least: int = 0, most: int | None = None) -> str | None:
    return next(fitting([wanted], [unwanted], least, most), None)


@settings(max_examples=100, deadline=None)
@given(PATTERNS, PATTERNS)
def test_a_text_is_the_shortest_that_fits_one_pattern_only_and_none_means_that_there_is_none(
    one: str, other: str
) -> None:
    found = shortest(one, other)
    short = [text for text in SHORT if matches(one, text) and not matches(other, text)]
    if found is None:
        assert short == []
    else:
        assert matches(one, found)
        assert not matches(other, found)
        assert not short or len(found) <= len(short[0])


@settings(max_examples=60, deadline=None)
@given(PATTERNS)
def test_texts_made_for_a_pattern_match_it_and_differ(pattern: str) -> None:
    texts = some(frozenset((pattern,)))
    assert all(matches(pattern, text) for text in texts)
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(
    ("wanted", "unwanted", "found"),
    [
        ("^[0-9]{4}$", "^[0-9]{4,6}$", None),
        ("^[0-9]{4,6}$", "^[0-9]{4}$", 5),
        ("[a-z]{40}", "[a-z]{41}", 40),
        (r"^\d+$", "^[0-9]*$", None),
        (r"[\s\S]", ".", 1),
        ("(^a|b$)", "^a", 1),
        ("(^)*a$", "a$", None),
        ("^(?:[a-z0-9]+[.])*[a-z]{2,}$", "^[a-z0-9.]+$", None),
    ],
)
def test_one_pattern_includes_another_or_a_shortest_text_shows_that_it_does_not(
    wanted: str, unwanted: str, found: int | None
) -> None:
    text = shortest(wanted, unwanted)
    assert (None if text is None else len(text)) == found


def test_lengths_are_kept() -> None:
    assert shortest("^[0-9]{4,6}$", "^[0-9]{4}$", most=4) is None
    assert len(shortest("^a*$", "^a{3}$", least=3) or "") == 4
    assert none_fits(frozenset(("^a{2}$",)), frozenset(), least=3)


def test_a_pattern_that_is_not_anchored_may_match_all() -> None:
    assert matches_all("[a-z]*")
    assert not matches_all("^[a-z]*$")


@pytest.mark.parametrize(
    "pattern", [r"\bx", "(?=x)", "(?i)x", r"\p{L}", r"(x)\1", "x++", r"\<x", "x{6000}", "(", r"\cA"]
)
def test_what_is_not_understood_or_too_large_is_undecided_and_no_text_is_made_of_it(pattern: str) -> None:
    with pytest.raises(Undecided):
        shortest(pattern, "^y")
    assert some(frozenset((pattern,))) == ()


@pytest.mark.parametrize("pattern", ["^(a|b)*a(a|b){20}$", "(.*a){30}b{300}", "(((a?){30}){30})$b{900}"])
def test_patterns_with_too_many_states_end_soon(pattern: str) -> None:
    before = time.process_time()
    none_fits(frozenset((pattern, "b$")), frozenset(("^c",)))
    assert time.process_time() - before < 2
