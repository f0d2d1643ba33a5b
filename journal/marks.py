"""A small number for each sequence of a stream: what the ledger knows of it, in bytes instead of objects."""

import zlib
from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

_BITS = 12
SIZE = 1 << _BITS  # sequences of a chunk
_REST = SIZE - 1
HOT = 32  # chunks that are not packed
STATE = 0xF  # the bits of a number that say the state; those above name who it is of
# Whether a state is one of what has no outcome: of what is on its way (1 to 4), or was replayed (6).
_OPEN = [1 <= state < 5 or state == 6 for state in range(STATE + 1)]


class Marks:
    """Numbers by sequence, 0 where nothing was said; what was not used lately is packed to a few bytes a chunk."""

    def __init__(self, kind: str = "B") -> None:
        self._kind = kind
        self._blank = array(kind, bytes(array(kind).itemsize * SIZE))
        self._hot: dict[int, array[int]] = {}
        self._cold: dict[int, bytes] = {}
        self._known: defaultdict[int, int] = defaultdict(int)
        self._open: defaultdict[int, int] = defaultdict(int)

    def __getitem__(self, seq: int) -> int:
        chunk = self._hot.get(seq >> _BITS)
        if chunk is None:
            if seq >> _BITS not in self._cold:
                return 0
            chunk = self._chunk(seq >> _BITS)
        return chunk[seq & _REST]

    def __setitem__(self, seq: int, value: int) -> None:
        at = seq >> _BITS
        chunk = self._hot.get(at)
        if chunk is None:
            chunk = self._chunk(at)
        old, chunk[seq & _REST] = chunk[seq & _REST], value
        if not old:
            self._known[at] += value > 0
        elif not value:
            self._known[at] -= 1
        if _OPEN[old & STATE] is not _OPEN[value & STATE]:
            self._open[at] += 1 if _OPEN[value & STATE] else -1

    def unsaid(self, first: int, last: int) -> Iterator[int]:
        """Yield the sequences from one to another of which nothing was said."""
        for at in range(first // SIZE, last // SIZE + 1):
            if self._known.get(at, 0) < SIZE:
                yield from (seq for seq in _span(at, first, last) if not self[seq])

    def open(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Yield sequences from one to another that have no outcome, each with its number."""
        for at in sorted(at for at, count in self._open.items() if count and first // SIZE <= at <= last // SIZE):
            yield from ((seq, value) for seq in _span(at, first, last) if _OPEN[(value := self[seq]) & STATE])

    def said(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Yield sequences from one to another with their numbers."""
        for at in sorted(at for at, count in self._known.items() if count and first // SIZE <= at <= last // SIZE):
            yield from ((seq, value) for seq in _span(at, first, last) if (value := self[seq]))

    def forget(self, before: int) -> None:
        """Let go of what is before a sequence, by whole chunks."""
        for at in [at for at in self._known if (at + 1) * SIZE <= before]:
            for part in (self._hot, self._cold, self._known, self._open):
                part.pop(at, None)

    def _chunk(self, at: int) -> "array[int]":
        if len(self._hot) >= HOT:
            for old in list(self._hot)[: HOT // 2]:
                self._cold[old] = zlib.compress(self._hot.pop(old).tobytes(), 1)
        packed = self._cold.pop(at, None)
        chunk = self._hot[at] = array(self._kind, zlib.decompress(packed)) if packed else self._blank[:]
        return chunk


class Days:
    """The day of each sequence of a stream: they follow each other, so the beginnings of days are all it keeps."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._days: list[int] = []
        self._last = 0

    def of(self, seq: int, day: int) -> int:
        """Return the day of a sequence that was heard of on a day; what it was once said to be it stays."""
        if seq > self._last:
            self._last = seq
            if not self._days or day > self._days[-1]:
                self._firsts.append(seq if self._days else 0)
                self._days.append(day)
        elif not self._days:
            self._firsts.append(0)
            self._days.append(day)
        days = self._days
        return days[-1] if seq >= self._firsts[-1] else self.at(seq)

    def at(self, seq: int) -> int:
        """Return the day of a sequence as far as it is known; 0 where nothing is."""
        if not self._days:
            return 0
        return self._days[-1] if seq >= self._firsts[-1] else self._days[bisect_right(self._firsts, seq) - 1]


class Lost(NamedTuple):
    """What was recorded as stored and is not there; `of` is the source or the route, `at` Unix milliseconds."""

    of: str
    id: str
    at: int
    why: str


@dataclass(slots=True)
class Stored:
    """Which messages a stream has: from `first` to `last` all but those of `holes`, by first and last, in order."""

    first: int = 0
    last: int = 0
    holes: list[tuple[int, int]] = field(default_factory=list)

    def has(self, seq: int) -> bool:
        """Tell whether a message is there."""
        return self.first <= seq <= self.last and not self.misses(seq)

    def misses(self, seq: int) -> bool:
        """Tell whether a message was taken out of the middle."""
        at = bisect_right(self.holes, (seq, 1 << 63)) - 1
        return at >= 0 and self.holes[at][0] <= seq <= self.holes[at][1]


def _span(at: int, first: int, last: int) -> range:
    return range(max(first, at * SIZE), min(last, at * SIZE + SIZE - 1) + 1)
