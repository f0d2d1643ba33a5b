"""When the target of a route is closed: weekly hours in a time zone; the deliver lanes ask, `spec` reads."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from crossdock.kernel.content import did_you_mean

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = 24 * 3600
_WEEK = 7 * _DAY
_AROUND = 9  # days looked at before and after a moment: a week, and an overnight end on either side
_HOURS = re.compile(r"(?:([A-Za-z,-]+) +)?([0-9:]+)-([0-9:]+)\Z")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?\Z")


class Hours(NamedTuple):
    """Closing hours on some days of the week (0 is Monday); seconds of that day, `end` may lie in the next one."""

    days: frozenset[int]
    start: int
    end: int


class Look(NamedTuple):
    """How a window stands from `since` to `until`, and when it last `opened` before that; Unix seconds."""

    since: float
    until: float
    closed: bool
    opened: float


ALWAYS_OPEN = Look(float("-inf"), float("inf"), False, 0.0)


@dataclass(frozen=True, slots=True)
class Window:
    """The hours in which nothing is sent; afterwards what waited goes at `drain` attempts a second, 0 for no limit."""

    hours: tuple[Hours, ...]
    zone: ZoneInfo
    drain: int = 0

    def look(self, at: float) -> Look:
        """Return how the window stands at a moment in Unix seconds."""
        spans = self._spans(datetime.fromtimestamp(at, self.zone).date())
        opened = max((end for _, end in spans if end <= at), default=0.0)
        for start, end in spans:
            if start <= at < end:
                return Look(start, end, True, opened)
        return Look(opened, min(start for start, _ in spans if start > at), False, opened)

    def never_opens(self) -> bool:
        """Tell whether the hours leave no second of the week."""
        starts = [(day * _DAY, hours) for hours in self.hours for day in hours.days]
        reached = 0
        for start, end in sorted((at + h.start + week, at + h.end + week) for at, h in starts for week in (-_WEEK, 0)):
            if start > reached:
                return False
            reached = max(reached, end)
        return reached >= _WEEK

    def local(self, at: float) -> str:
        """Return a moment as the clock of the zone shows it, with its offset."""
        return datetime.fromtimestamp(at, self.zone).isoformat(timespec="minutes")

    def _spans(self, around: date) -> list[tuple[float, float]]:
        """Return closed spans around a day, those that touch made one."""
        days = [around + timedelta(days=number) for number in range(-_AROUND, _AROUND + 1)]
        spans: list[tuple[float, float]] = []
        for start, end in sorted(self._span(day, h) for day in days for h in self.hours if day.weekday() in h.days):
            if spans and start <= spans[-1][1]:
                spans[-1] = spans[-1][0], max(spans[-1][1], end)
            else:
                spans.append((start, end))
        return spans

    def _span(self, day: date, hours: Hours) -> tuple[float, float]:
        """Return a day's closed span; a time that the clock shows twice or skips is taken so that it is the longer."""
        return min(self._instants(day, hours.start)), max(self._instants(day, hours.end))

    def _instants(self, day: date, seconds: int) -> tuple[float, float]:
        shown = datetime.combine(day, datetime.min.time()) + timedelta(seconds=seconds)
        first, second = (shown.replace(tzinfo=self.zone, fold=fold).timestamp() for fold in (0, 1))
        return first, second


def hours(text: str) -> Hours:
    """Read closing hours, such as `22:00-02:00`, `Mon-Fri 22:00-02:00` or `Sat,Sun 00:00-24:00`.

    Raises:
        ValueError: with what is wrong, in words.
    """
    found = _HOURS.match(text)
    if found is None:
        raise ValueError(f"{text!r} is not of the form Mon-Fri 22:00-02:00")
    start, end = _time(found[2]), _time(found[3])
    if start == end:
        raise ValueError(f"{text!r} begins when it ends")
    if start == _DAY:
        raise ValueError(f"{text!r} begins at 24:00")
    return Hours(_days(found[1]), start, end if end > start else end + _DAY)


def _time(text: str) -> int:
    if text == "24:00":
        return _DAY
    found = _TIME.match(text)
    if found is None:
        raise ValueError(f"{text} is no time of the day")
    return int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3] or 0)


def _days(text: str | None) -> frozenset[int]:
    if text is None:
        return frozenset(range(7))
    days: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        begin, end = _day(first), _day(last or first)
        days.update((begin + step) % 7 for step in range((end - begin) % 7 + 1))
    return frozenset(days)


def _day(name: str) -> int:
    if name not in DAYS:
        raise ValueError(f"{name!r} is not a day; days are {', '.join(DAYS)}")
    return DAYS.index(name)


def zone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name.

    Raises:
        ValueError: there is none; names those that are meant.
    """
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # of a path, a folder, a name that is not there
        raise ValueError(did_you_mean(name, available_timezones() - {"localtime"})) from None
