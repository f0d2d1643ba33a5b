"""When a source usually sends, how late its events are, and when its silence is news."""

from bisect import bisect_left
from dataclasses import asdict, dataclass, field
from typing import Any

HOUR, DAY = 3_600_000, 86_400_000  # milliseconds
DAYS = 7  # of which the longest gaps are known
KEPT_DAYS = 15  # of lateness: a week and the one before
TWICE = 2  # as long as the longest gap is news
LEAST = 60.0  # seconds that are never news
ENOUGH = 3  # gaps that must be known about an hour
LATE = 300.0  # seconds from an event's own time to its arrival
LAGS = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 86400, 7 * 86400)  # seconds, upper bounds
MOST_ORIGINS = 500  # devices whose latest event is known


@dataclass(frozen=True, slots=True)
class Silence:
    """How long a source has been quiet, in seconds; `last` is the time of its last event in Unix ms, 0 for never.

    `expected` is after how many seconds that is news, 0 while it is not known.
    """

    source: str
    last: int
    quiet: float
    expected: float
    silent: bool


@dataclass(slots=True)
class Arrivals:
    """The events of one day that were looked at: `lags` counts them by how late they came, as `LAGS` has it."""

    looked: int = 0
    untimed: int = 0
    late: int = 0
    unordered: int = 0
    lags: list[int] = field(default_factory=lambda: [0] * (len(LAGS) + 1))


@dataclass(slots=True)
class Rhythm:
    """One source: up to which sequence it was looked at, its events, its gaps and its lateness.

    `gaps` are by hour of the day (UTC) in which they began: for each of the last days the number and the longest, in
    milliseconds. `days` are by days since 1970.
    """

    position: int = 0
    seen: int = 0
    looked: int = 0
    last: int = 0
    gaps: dict[int, dict[int, list[int]]] = field(default_factory=dict)
    days: dict[int, Arrivals] = field(default_factory=dict)
    latest: dict[str, float] = field(default_factory=dict)

    def came(self, number: int, at: int) -> None:
        """Note that some events came by `at` Unix milliseconds."""
        self.seen += number
        if self.last and at > self.last:
            of_hour = self.gaps.setdefault(self.last // HOUR % 24, {})
            known = of_hour.setdefault(self.last // DAY, [0, 0])
            known[0], known[1] = known[0] + number, max(known[1], at - self.last)
            for day in [day for day in of_hour if day <= at // DAY - DAYS]:
                del of_hour[day]
        self.last = max(at, self.last)

    def timed(self, origin: str, time: float | None, at: int) -> None:
        """Note an event that was looked at: its own time in Unix seconds, None for none, and when it came (ms)."""
        day = self.days.setdefault(at // DAY, Arrivals())
        day.looked += 1
        self.looked += 1
        for old in [one for one in self.days if one <= at // DAY - KEPT_DAYS]:
            del self.days[old]
        if time is None:
            day.untimed += 1
            return
        lag = at / 1000 - time
        day.lags[bisect_left(LAGS, lag)] += 1
        day.late += lag > LATE
        newest = self.latest.get(origin)
        day.unordered += newest is not None and time < newest
        if newest is not None or len(self.latest) < MOST_ORIGINS:
            self.latest[origin] = max(time, newest or time)

    def silence(self, source: str, now: int, expect: float) -> Silence:
        """Tell how quiet the source is; `expect` is what its file says, in seconds, 0 for nothing."""
        quiet = max(0, now - self.last) / 1000 if self.last else 0.0
        expected = expect or self._expected()
        return Silence(source, self.last, quiet, expected, bool(self.last and expected and quiet > expected))

    def _expected(self) -> float:
        """Return twice the longest gap that began about this hour of a day; so nights are known as such."""
        hour = self.last // HOUR
        near = [one for hours in (-1, 0, 1) for one in self.gaps.get((hour + hours) % 24, {}).values()]
        if sum(number for number, _ in near) < ENOUGH:
            return 0.0
        return max(LEAST, TWICE * max(longest for _, longest in near) / 1000)

    def as_dict(self) -> dict[str, Any]:
        """Return what `read` takes; which device sent what last is forgotten."""
        made = {name: getattr(self, name) for name in ("position", "seen", "looked", "last")}
        gaps = {str(hour): {str(day): known for day, known in days.items()} for hour, days in self.gaps.items()}
        return made | {"gaps": gaps, "days": {str(day): asdict(one) for day, one in self.days.items()}}


def read(document: dict[str, Any]) -> Rhythm:
    """Read what `as_dict` gave."""
    gaps = {
        int(hour): {int(day): list(known) for day, known in days.items()} for hour, days in document["gaps"].items()
    }
    days = {int(day): Arrivals(**one) for day, one in document["days"].items()}
    return Rhythm(document["position"], document["seen"], document["looked"], document["last"], gaps, days)


def percentile(lags: list[int], share: float) -> float | None:
    """Return the bound in seconds under which so many of the events came; None of none."""
    wanted, passed = share * sum(lags), 0
    for number, bound in zip(lags, (*LAGS, LAGS[-1]), strict=True):
        passed += number
        if number and passed >= wanted:
            return bound
    return None
