"""The hours in which a target is closed: days, nights, and the two nights a year that are longer or shorter."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from routes.window import Look, Window, hours

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"


def window(*texts: str, zone: str = BERLIN) -> Window:
    return Window(tuple(map(hours, texts)), ZoneInfo(zone))


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def look(closed: Window, text: str) -> Look:
    return closed.look(at(text))


@pytest.mark.parametrize(
    ("moment", "closed", "until"),
    [
        ("2026-03-02T21:59:59+01:00", False, "2026-03-02T22:00+01:00"),
        ("2026-03-02T22:00:00+01:00", True, "2026-03-03T02:00+01:00"),
        ("2026-03-03T01:59:59+01:00", True, "2026-03-03T02:00+01:00"),
        ("2026-03-03T02:00:00+01:00", False, "2026-03-03T22:00+01:00"),
        ("2026-03-07T01:00:00+01:00", True, "2026-03-07T02:00+01:00"),  # the night that begins on Friday
        ("2026-03-07T22:30:00+01:00", False, "2026-03-09T22:00+01:00"),  # Saturday
    ],
)
def test_a_night_is_closed_over_midnight_on_the_days_on_which_it_begins(moment: str, closed: bool, until: str) -> None:
    night = window("Mon-Fri 22:00-02:00")
    seen = look(night, moment)
    assert (seen.closed, night.local(seen.until)) == (closed, until)


def test_hours_that_touch_are_one_closure() -> None:
    weekend = window("Fri 18:00-24:00", "Sat,Sun 00:00-24:00", "Mon 00:00-06:00")
    seen = look(weekend, "2026-03-06T20:00:00+01:00")
    assert (seen.closed, weekend.local(seen.until)) == (True, "2026-03-09T06:00+01:00")


def test_when_it_is_open_it_says_when_it_opened() -> None:
    assert look(window("01:00-02:30:15"), "2026-03-02T09:00:00+01:00").opened == at("2026-03-02T02:30:15+01:00")


def test_days_may_go_over_the_end_of_the_week() -> None:
    assert hours("Sat-Mon 01:00-02:00").days == {5, 6, 0}


@pytest.mark.parametrize(
    ("zone", "text", "moment", "begins", "ends"),
    [
        # clocks go from 2:00 to 3:00: the night is an hour shorter
        (BERLIN, "22:00-06:00", "2026-03-29T00:00:00Z", "2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z"),
        # from 3:00 back to 2:00: an hour longer
        (BERLIN, "22:00-06:00", "2026-10-25T00:00:00Z", "2026-10-24T20:00:00Z", "2026-10-25T05:00:00Z"),
        # an end that the clock shows twice: the second one
        (NEW_YORK, "00:00-01:30", "2026-11-01T05:45:00Z", "2026-11-01T04:00:00Z", "2026-11-01T06:30:00Z"),
        # a start that the clock shows twice: the first one
        (NEW_YORK, "01:30-04:00", "2026-11-01T05:45:00Z", "2026-11-01T05:30:00Z", "2026-11-01T09:00:00Z"),
        # an end that the clock skips: as long as the clock had not been changed
        (NEW_YORK, "01:00-02:30", "2026-03-08T06:30:00Z", "2026-03-08T06:00:00Z", "2026-03-08T07:30:00Z"),
        # a start that the clock skips
        (NEW_YORK, "02:30-04:00", "2026-03-08T07:00:00Z", "2026-03-08T06:30:00Z", "2026-03-08T08:00:00Z"),
        # half an hour back, from 2:00 to 1:30
        (LORD_HOWE, "01:00-01:45", "2026-04-04T15:00:00Z", "2026-04-04T14:00:00Z", "2026-04-04T15:15:00Z"),
    ],
)
def test_it_is_never_closed_for_less_than_written_when_clocks_change(
    zone: str, text: str, moment: str, begins: str, ends: str
) -> None:
    seen = look(window(text, zone=zone), moment)
    assert (seen.closed, seen.since, seen.until) == (True, at(begins), at(ends))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("22:00", "is not of the form"),
        ("10pm-2am", "is not of the form"),
        ("24:30-25:00", "24:30 is no time of the day"),
        ("22:60-23:00", "22:60 is no time of the day"),
        ("Mo-Fr 22:00-23:00", "'Mo' is not a day"),
        ("22:00-22:00", "begins when it ends"),
        ("24:00-02:00", "begins at 24:00"),
    ],
)
def test_hours_that_cannot_be_meant_are_refused(text: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        hours(text)


@pytest.mark.parametrize(
    ("texts", "never"),
    [
        (("00:00-24:00",), True),
        (("Mon-Fri 06:00-06:00:01", "00:00-24:00"), True),
        (("06:00-22:00", "22:00-06:00"), True),
        (("06:00-22:00", "Mon-Sat 22:00-06:00"), False),
        (("00:00-23:59",), False),
    ],
)
def test_a_window_that_never_opens_is_known(texts: tuple[str, ...], never: bool) -> None:
    assert window(*texts).never_opens() is never
