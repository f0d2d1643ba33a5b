"""Finds texts that fit some regular expressions and not others, or proves that there is none."""

from collections import Counter, deque
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import islice

from schemas.automata import ANY, LAST, Automaton, Ranges, Subset, Undecided, automaton

MOST = 12  # texts of one pattern
SHOWN = 4  # characters of one kind
MAX_STATES = 5000
MAX_WORK = 50_000  # states of automata that are looked at
_PLAIN = [*map(ord, "x0a1b2c3y4z5A6B7C8D9 -_.,:/@"), 0xE9]


@lru_cache(maxsize=512)
def some(
    wanted: frozenset[str], unwanted: frozenset[str] = frozenset(), least: int = 0, most: int | None = None
) -> tuple[str, ...]:
    """Return a few texts as `fitting` finds them; none where that is undecided."""
    found: list[str] = []
    with suppress(Undecided):
        found.extend(islice(fitting(wanted, unwanted, least, most, visits=6), MOST))
    return tuple(found)


def matching(pattern: str) -> tuple[str, ...]:
    """Return a few texts that match, the shortest first; none for a pattern that is not understood."""
    return some(frozenset((pattern,)))


@lru_cache(maxsize=512)
def none_fits(wanted: frozenset[str], unwanted: frozenset[str], least: int = 0, most: int | None = None) -> bool:
    """Tell whether it is proven that no text matches each wanted pattern and no unwanted one; see `fitting`."""
    try:
        return next(fitting(wanted, unwanted, least, most), None) is None
    except Undecided:
        return False


def matches_all(pattern: str) -> bool:
    """Tell whether it is proven that every text matches, as with `[a-z]*`, which is not anchored."""
    return none_fits(frozenset(), frozenset((pattern,)))


def fitting(
    wanted: Collection[str], unwanted: Collection[str], least: int = 0, most: int | None = None, visits: int = 1
) -> Iterator[str]:
    """Return texts that match each wanted pattern and no unwanted one, the shortest first; none is a proof.

    `least` and `most` are their lengths in characters; `visits` is how many texts are made of one kind.

    Raises:
        Undecided: when a pattern is not understood, or 5,000 states or the time do not suffice.
    """
    search = _Search([*map(automaton, sorted(wanted))], [*map(automaton, sorted(unwanted))], least, visits)
    waiting = deque([("", search.begin())])
    seen: Counter[tuple[Sequence[Subset], int]] = Counter()
    while waiting:
        text, states = waiting.popleft()
        if len(text) >= least and search.fits(states, not text):
            yield text
        if len(text) == most:
            continue
        for character, after in search.onward(states, len(text)):
            key = after, min(len(text) + 1, least)
            seen[key] += 1
            if len(seen) > MAX_STATES:
                raise Undecided
            if seen[key] <= visits and not search.is_dead(after):
                waiting.append((text + character, after))


class _Search:
    """All the patterns, read at the same time."""

    def __init__(self, wanted: list[Automaton], unwanted: list[Automaton], least: int, visits: int) -> None:
        self.wanted = len(wanted)
        self.all = [*wanted, *unwanted]
        self.kinds = _kinds({ANY}.union(*(one.ranges for one in self.all)))
        self.left = MAX_WORK
        self.each = min(visits, SHOWN)  # characters of a kind that are used
        if least > MAX_STATES:
            raise Undecided

    def begin(self) -> Sequence[Subset]:
        return tuple(one.begin() for one in self.all)

    def onward(self, states: Sequence[Subset], length: int) -> Iterator[tuple[str, Sequence[Subset]]]:
        """Return what may follow: one character of each kind, and the states behind it."""
        for taken, shown in self.kinds:
            self.left -= 1 + sum(map(len, states))
            if self.left < 0:
                raise Undecided
            after = tuple(one.step(before, taken) for one, before in zip(self.all, states, strict=True))
            first = length % len(shown)
            yield from ((character, after) for character in (shown[first:] + shown[:first])[: self.each])

    def fits(self, states: Sequence[Subset], is_empty: bool) -> bool:
        return all(
            one.fits(now, is_empty) == (place < self.wanted)
            for place, (one, now) in enumerate(zip(self.all, states, strict=True))
        )

    def is_dead(self, states: Sequence[Subset]) -> bool:
        """Tell whether a wanted pattern can match no more, or an unwanted one has matched for good."""
        return not all(states[: self.wanted]) or frozenset((1,)) in states[self.wanted :]


def _kinds(sets: Collection[Ranges]) -> list[tuple[frozenset[Ranges], str]]:
    """Return the kinds of characters that no pattern tells apart: the sets they are in, and up to four of them."""
    ordered = sorted(sets)
    starts = sorted({place for ranges in ordered for low, high in ranges for place in (low, high + 1)} - {LAST + 1})
    points = [point for point in _PLAIN if point not in starts] + starts
    shown: dict[frozenset[Ranges], str] = {}
    for point in [point for point in _PLAIN if point in starts] + points:
        taken = frozenset(ranges for ranges in ordered if any(low <= point <= high for low, high in ranges))
        if taken and len(shown.setdefault(taken, "")) < SHOWN and chr(point) not in shown[taken]:
            shown[taken] += chr(point)
    return [*shown.items()]
