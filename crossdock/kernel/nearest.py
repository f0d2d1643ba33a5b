"""Hints for names that nobody defined: what was probably meant."""

import difflib
from collections.abc import Iterable


def near(word: str, known: Iterable[str], like: float = 0.6) -> list[str]:
    """Return the one or two known names that are most like a word, if any is; `like` is from 0 to 1."""
    return difflib.get_close_matches(word, sorted(set(known)), n=2, cutoff=like)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint for an unknown name: the nearest known ones, or all of a short list."""
    names = sorted(set(known))
    if found := near(word, names):
        return f"did you mean {' or '.join(found)}?"
    return f"known: {', '.join(names[:20])}" if names else "none is defined"
