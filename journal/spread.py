"""How durations are spread: counts in buckets of 2 %, which add up exactly whatever they are counted over."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from math import ceil

from crossdock.kernel import jsontext

ERROR = 0.02  # by which a percentile is wrong at most, in either direction
_LONGEST = 1 << 42  # milliseconds: 139 years


def _tops() -> list[int]:
    """Return the greatest value of each bucket: one below 25 ms holds that duration alone."""
    tops, low = [0], 1
    while low <= _LONGEST:
        tops.append(low * 102 // 98)
        low = tops[-1] + 1
    return tops


_TOPS = _tops()


_bucket = partial(bisect_left, _TOPS)


def buckets_of(durations: Iterable[int]) -> list[int]:
    """Return the numbers of the buckets that durations (milliseconds) are in."""
    return list(map(_bucket, durations))


def middle(number: int) -> float:
    """Return the duration (milliseconds) that all of a bucket are told as: none is further from it than `ERROR`."""
    if number == 0:
        return 0.0
    low, high = _TOPS[number - 1] + 1, _TOPS[min(number, len(_TOPS) - 1)]
    return 2 * low * high / (low + high)


@dataclass(frozen=True, slots=True)
class Spread:
    """How many took how long, by bucket; what is only counted takes no time at all."""

    buckets: Mapping[int, int] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """How many there are."""
        return sum(self.buckets.values())

    @property
    def mean(self) -> float:
        """The mean in milliseconds, as exact as the buckets are; 0 for nothing."""
        n = self.n
        return sum(middle(number) * count for number, count in self.buckets.items()) / n if n else 0.0

    def percentile(self, share: float) -> float:
        """Return the duration (milliseconds) that this share took at most, the nearest rank; 0 for nothing."""
        rank = max(1, ceil(share * self.n))
        for number, count in sorted(self.buckets.items()):
            rank -= count
            if rank <= 0:
                return middle(number)
        return 0.0

    def heat(self, edges: Sequence[int]) -> list[int]:
        """Return how many took at most each of some durations and more than the one before; the last is of the rest."""
        found = [0] * (len(edges) + 1)
        for number, count in self.buckets.items():
            found[bisect_left(edges, middle(number))] += count
        return found


def write(buckets: Mapping[int, int]) -> str:
    """Return counts by bucket as they are stored."""
    return jsontext.dumps(list(chain.from_iterable(buckets.items()))).decode()


def read(text: str) -> dict[int, int]:
    """Return what `write` was given."""
    flat: list[int] = jsontext.own_loads(text.encode())
    return dict(zip(flat[::2], flat[1::2], strict=True))


def of(durations: Iterable[int]) -> Spread:
    """Return how durations (milliseconds) are spread."""
    return Spread(Counter(map(_bucket, durations)))


def add(buckets: dict[int, int], more: Mapping[int, int]) -> None:
    """Add counts by bucket to others."""
    for number, count in more.items():
        buckets[number] = buckets.get(number, 0) + count


def merged(spreads: Iterable[Spread]) -> Spread:
    """Return all together."""
    buckets: dict[int, int] = {}
    for one in spreads:
        add(buckets, one.buckets)
    return Spread(buckets)
