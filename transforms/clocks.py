"""Times for maps: instants, what a store's clock shows, business days, and dates in a sender's own form."""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from crossdock.kernel.expression import Function
from transforms.failures import BadArgumentError, LocalTimeError, TimeTextError, ZoneError, shown, text

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_TIME = r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(\.[0-9]+)?"
_INSTANT = re.compile(_TIME + r"([Zz]|[+-][0-9]{2}:[0-9]{2})")
_LOCAL = re.compile(_TIME)
_CLOCK = re.compile("[0-9]{2}:[0-9]{2}(:[0-9]{2})?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_PIECES = {
    "YYYY": "(?P<year>[0-9]{4})",
    "YY": "(?P<year>[0-9]{2})",
    "MMM": f"(?P<name>{'|'.join(_MONTHS)})",
    "MM": "(?P<month>[0-9]{2})",
    "M": "(?P<month>[0-9]{1,2})",
    "DD": "(?P<day>[0-9]{2})",
    "D": "(?P<day>[0-9]{1,2})",
    "HH": "(?P<hour>[0-9]{2})",
    "mm": "(?P<minute>[0-9]{2})",
    "ss": "(?P<second>[0-9]{2})",
}
_TIMES: tuple[set[str], ...] = (set(), {"hour"}, {"hour", "minute"}, {"hour", "minute", "second"})
_PIECE = re.compile("YYYY|YY|MMM|MM|M|DD|D|HH|mm|ss|.", re.DOTALL)


def local_time(instant: Any, zone: Any) -> str:
    """Return what the clocks of a zone show at an instant, with their offset; fractions of a second stay as they are.

    Raises:
        TimeTextError, ZoneError: for what is no instant with an offset, and no zone.
    """
    at, fraction = _instant(instant)
    return _written(at.astimezone(_zone(zone)), fraction)


def business_day(instant: Any, zone: Any, cutoff: Any = "00:00") -> str:
    """Return the date of a store's business day: what happens before the cut-off by its clock is of the day before.

    Raises:
        TimeTextError, ZoneError: for what is no instant with an offset, no zone, and no time of day.
    """
    at = _instant(instant)[0].astimezone(_zone(zone))
    begins = text(cutoff)
    if not _CLOCK.fullmatch(begins):
        raise TimeTextError(f"{shown(cutoff)} is not a time of day such as 04:00")
    earlier = at.time() < _made(time.fromisoformat, begins)
    return (at.date() - timedelta(days=earlier)).isoformat()


def instant(local: Any, zone: Any, which: Any = None) -> str:
    """Return the instant at which the clocks of a zone show a local time, with the offset they have then.

    A time they show twice or skip is refused unless `which` is `earlier` or `later`, one of the two instants that the
    offsets before and after the change make of it.

    Raises:
        TimeTextError, ZoneError, LocalTimeError: for what is no local time, no zone, and no single instant.
    """
    if which not in (None, "earlier", "later"):
        raise BadArgumentError(f"which is earlier or later, not {shown(which)}")
    found = _LOCAL.fullmatch(text(local))
    if not found:
        raise TimeTextError(f"{shown(local)} is not a local time such as 2026-03-29T01:30:00")
    shows = _made(datetime.fromisoformat, f"{found[1]}T{found[2]}")
    where = _zone(zone)
    both = sorted(shows.replace(tzinfo=where, fold=fold).astimezone(UTC) for fold in (0, 1))
    if which is None and both[0] != both[1]:
        exists = both[0].astimezone(where).replace(tzinfo=None) == shows
        raise LocalTimeError(f"the clocks of {zone} {'show' if exists else 'skip'} {found[0]}{' twice' * exists}")
    return _written(both[which == "later"].astimezone(where), found[3])


def parse_date(value: Any, picture: Any) -> str:
    """Return a date or local time that is written as a picture says, as 2026-03-05 or 2026-03-05T13:50:04.

    The picture is made of YYYY YY MM M MMM (Jan) DD D HH mm ss; anything else stands for itself. YY is 1970 to 2069.

    Raises:
        TimeTextError: when the text does not fit, or is no date.
        BadArgumentError: when the picture lacks year, month or day, has one twice, or minutes without hours.
    """
    given = text(value)
    found = _pattern(text(picture)).fullmatch(given)
    if not found:
        raise TimeTextError(f"{shown(value)} is not written as {picture}")
    part = found.groupdict()
    year = int(part["year"])
    if len(part["year"]) == 2:
        year += 1900 if year >= 70 else 2000
    month = _MONTHS.index(part["name"].lower()) + 1 if "name" in part else int(part["month"])
    try:
        if "hour" not in part:
            return date(year, month, int(part["day"])).isoformat()
        hour, minute, second = (int(part.get(name) or 0) for name in ("hour", "minute", "second"))
        return datetime(year, month, int(part["day"]), hour, minute, second).isoformat()
    except ValueError as error:
        raise TimeTextError(f"{shown(value)} is no date: {error}") from None


@lru_cache(maxsize=256)
def _pattern(picture: str) -> re.Pattern[str]:
    pieces = _PIECE.findall(picture[:80])
    try:
        pattern = re.compile("".join(_PIECES.get(piece) or re.escape(piece) for piece in pieces), re.IGNORECASE)
    except re.error:
        raise BadArgumentError(f"the picture {shown(picture)} has one part twice") from None
    names = set(pattern.groupindex)
    if not {"year", "day"} <= names or not names & {"month", "name"}:
        raise BadArgumentError(f"the picture {shown(picture)} needs year, month and day")
    if {"month", "name"} <= names:
        raise BadArgumentError(f"the picture {shown(picture)} has the month twice")
    if names & {"hour", "minute", "second"} not in _TIMES:
        raise BadArgumentError(f"the picture {shown(picture)} has minutes without hours, or seconds without minutes")
    return pattern


def _instant(value: Any) -> tuple[datetime, str | None]:
    found = _INSTANT.fullmatch(text(value))
    if not found:
        raise TimeTextError(f"{shown(value)} is not an instant with an offset")
    return _made(datetime.fromisoformat, f"{found[1]}T{found[2]}{found[4].upper()}"), found[3]


def _made(read: Any, value: str) -> Any:
    try:
        return read(value)
    except ValueError as error:
        raise TimeTextError(f"{value} is no time: {error}") from None


def _written(at: datetime, fraction: str | None) -> str:
    whole = at.replace(tzinfo=None).isoformat()
    return f"{whole}{fraction or ''}{at.isoformat()[len(whole) :]}"


@lru_cache(maxsize=256)
def _zone(name: Any) -> "ZoneInfo":
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 - every role would pay for it at its start

    try:
        return ZoneInfo(text(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of the time zone database is no zone either
        raise ZoneError(f"there is no time zone {shown(name)}") from None


FUNCTIONS: dict[str, Function] = {
    function.__name__: function for function in (local_time, business_day, instant, parse_date)
}
