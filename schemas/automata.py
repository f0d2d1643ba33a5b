"""Regular expressions as automata: whether a text can fit some of them and not others, and the shortest that does.

Own code, as the kept library for this knows no anchors and sets no bound to its work. It is exact for what the
validator of schemas does, of which Python's parser reads the same; everything else is `Undecided`.
"""

import re
import re._constants as code  # type: ignore[import-not-found]  # the parser behind `re` has no other address
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Collection, Iterable
from functools import cached_property, lru_cache
from typing import Any

Ranges = tuple[tuple[int, int], ...]
Subset = frozenset[int]
MAX_STATES = 5000
LAST = 0x10FFFF
ANY: Ranges = ((0, 0xD7FF), (0xE000, LAST))  # no text of JSON holds half a character
_DOT: Ranges = ((0, 9), (11, 0xD7FF), (0xE000, LAST))
_DIGIT: Ranges = ((48, 57),)
_WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Ranges = (
    (9, 13), (32, 32), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F),
    (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
)  # fmt: skip
_CATEGORIES = {code.CATEGORY_DIGIT: _DIGIT, code.CATEGORY_WORD: _WORD, code.CATEGORY_SPACE: _SPACE}
_NEGATED = {code.CATEGORY_NOT_DIGIT: _DIGIT, code.CATEGORY_NOT_WORD: _WORD, code.CATEGORY_NOT_SPACE: _SPACE}
# What Python reads otherwise than the validator does.
_OTHERWISE = re.compile(r"\\[^dDwWsStnrfvxu\W]|\\[<>]|\\u[dD][89a-fA-F]|\(\?(?!:)|\[\[|&&|--|~~|\|\|")


class Undecided(Exception):
    """The pattern is not understood, or has too many states."""


class Automaton:
    """The texts in which a pattern matches somewhere; state 0 is before the match, 1 after it."""

    def __init__(self, pattern: str) -> None:
        self.edges: list[list[tuple[Ranges, int]]] = [[(ANY, 0)], [(ANY, 1)]]
        self.free: list[list[tuple[str, int]]] = [[], []]  # edges that take no character: always, at ^, at $
        self.free[self._sequence(_parsed(pattern), 0)].append(("", 1))

    @cached_property
    def ranges(self) -> set[Ranges]:
        """The sets of characters that it tells apart."""
        return {ranges for edges in self.edges for ranges, _ in edges}

    @cached_property
    def _live(self) -> Subset:
        """The states from which a match can be reached behind the beginning of the text."""
        back: list[list[int]] = [[] for _ in self.edges]
        for state, free in enumerate(self.free):
            for target in [end for kind, end in free if kind != "^"] + [end for _, end in self.edges[state]]:
                back[target].append(state)
        return _reached([1], lambda state: back[state])

    def begin(self) -> Subset:
        """Return the states before the first character."""
        return self._closed([0], ("", "^"))

    def step(self, states: Subset, taken: Collection[Ranges]) -> Subset:
        """Return the states behind one more character of the given sets."""
        led = [end for state in states for ranges, end in self.edges[state] if ranges in taken]
        return self._closed(led, ("",)) & self._live

    def fits(self, states: Subset, is_empty: bool) -> bool:
        """Tell whether the text may end here."""
        return 1 in self._closed(states, ("", "$", "^") if is_empty else ("", "$"))

    def _closed(self, states: Iterable[int], kinds: Collection[str]) -> Subset:
        found = _reached(states, lambda state: [end for kind, end in self.free[state] if kind in kinds])
        return frozenset((1,)) if 1 in found else found

    def _sequence(self, tree: Iterable[Any], start: int) -> int:
        for operator, value in tree:
            start = self._one(operator, value, start)
        return start

    def _one(self, operator: Any, value: Any, start: int) -> int:
        """Add one part of a pattern behind a state, and return the state behind it."""
        if operator in (code.MAX_REPEAT, code.MIN_REPEAT):
            return self._repeat(value, start)
        if operator is code.SUBPATTERN:
            return self._sequence(value[3], start)
        end = self._new()
        if operator is code.BRANCH:
            for tree in value[1]:
                self.free[self._sequence(tree, start)].append(("", end))
        elif operator is code.AT and value in (code.AT_BEGINNING, code.AT_END):
            self.free[start].append(("^" if value is code.AT_BEGINNING else "$", end))
        else:
            self.edges[start].append((_characters(operator, value), end))
        return end

    def _repeat(self, value: Any, start: int) -> int:
        least, most, tree = value
        for _ in range(least):
            start = self._sequence(tree, start)
        end = self._new()
        if most is code.MAXREPEAT:
            again = self._new()
            self.free[start].append(("", again))
            self.free[again].append(("", end))
            self.free[self._sequence(tree, again)].append(("", again))
            return end
        for _ in range(most - least):
            self.free[start].append(("", end))
            start = self._sequence(tree, start)
        self.free[start].append(("", end))
        return end

    def _new(self) -> int:
        if len(self.edges) >= MAX_STATES:
            raise Undecided
        self.edges.append([])
        self.free.append([])
        return len(self.edges) - 1


@lru_cache(maxsize=256)
def automaton(pattern: str) -> Automaton:
    """Return the automaton of a pattern.

    Raises:
        Undecided: for look-around, references, flags, `\\b`, `\\p`, and more than 5,000 states.
    """
    return Automaton(pattern)


def _parsed(pattern: str) -> Any:
    if _OTHERWISE.search(pattern.replace("\\\\", "")):
        raise Undecided
    try:
        return parser.parse(pattern)
    except (re.error, OverflowError, RecursionError):
        raise Undecided from None


def _reached(states: Iterable[int], onward: Any) -> Subset:
    found = set(states)
    waiting = [*found]
    while waiting:
        new = [end for end in onward(waiting.pop()) if end not in found]
        found.update(new)
        waiting += new
    return frozenset(found)


def _characters(operator: Any, value: Any) -> Ranges:
    if operator is code.LITERAL:
        return ((value, value),)
    if operator is code.RANGE:
        return (value,)
    if operator is code.NOT_LITERAL:
        return _without(((value, value),))
    if operator is code.ANY:
        return _DOT
    if operator is code.CATEGORY:
        return _CATEGORIES[value] if value in _CATEGORIES else _without(_NEGATED[value])
    if operator is code.IN:
        parts = [part for name, child in value if name is not code.NEGATE for part in _characters(name, child)]
        return _without(parts) if value[0][0] is code.NEGATE else tuple(sorted(parts))
    raise Undecided


def _without(ranges: Iterable[tuple[int, int]]) -> Ranges:
    left, start = [], 0
    for low, high in [*sorted(ranges), (0xD800, 0xDFFF), (LAST + 1, LAST + 1)]:
        if start < low:
            left.append((start, low - 1))
        start = max(start, high + 1)
    return tuple(left)
