"""Times of stores: the days on which clocks change, business days, and dates in a sender's own form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.clocks import business_day, instant, local_time, parse_date
from transforms.failures import BadArgumentError, LocalTimeError, TimeTextError, ZoneError

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"


@pytest.mark.parametrize(
    ("at", "zone", "shown"),
    [
        ("2026-03-29T00:59:59Z", BERLIN, "2026-03-29T01:59:59+01:00"),
        ("2026-03-29T01:00:00Z", BERLIN, "2026-03-29T03:00:00+02:00"),
        ("2026-10-25T00:30:00Z", BERLIN, "2026-10-25T02:30:00+02:00"),
        ("2026-10-25T01:30:00Z", BERLIN, "2026-10-25T02:30:00+01:00"),
        ("2026-03-08T07:00:00Z", NEW_YORK, "2026-03-08T03:00:00-04:00"),
        ("2026-11-01T06:00:00Z", NEW_YORK, "2026-11-01T01:00:00-05:00"),
        ("2026-04-04T15:00:00Z", LORD_HOWE, "2026-04-05T01:30:00+10:30"),  # whose clocks change by half an hour
        ("2026-10-03T15:30:00Z", LORD_HOWE, "2026-10-04T02:30:00+11:00"),
        ("2026-07-01T12:00:00.123456789+05:30", "UTC", "2026-07-01T06:30:00.123456789+00:00"),
    ],
)
def test_an_instant_is_what_the_clocks_of_a_zone_show(at: str, zone: str, shown: str) -> None:
    assert local_time(at, zone) == shown


@pytest.mark.parametrize(
    ("at", "zone", "cutoff", "day"),
    [
        ("2026-03-29T01:30:00Z", BERLIN, "04:00", "2026-03-28"),  # 03:30, half an hour after the clocks changed
        ("2026-03-29T02:00:00Z", BERLIN, "04:00", "2026-03-29"),
        ("2026-10-25T01:59:59Z", BERLIN, "02:30", "2026-10-25"),  # 02:59:59, the second time
        ("2026-11-01T05:30:00Z", NEW_YORK, "01:00", "2026-11-01"),
        ("2026-11-01T04:59:59Z", NEW_YORK, "01:00", "2026-10-31"),
        ("2026-04-04T14:59:00Z", LORD_HOWE, "00:00", "2026-04-05"),
        ("2026-01-01T02:00:00Z", "UTC", "03:00:00", "2025-12-31"),
    ],
)
def test_a_business_day_ends_at_the_cut_off_of_the_store(at: str, zone: str, cutoff: str, day: str) -> None:
    assert business_day(at, zone, cutoff) == day


@pytest.mark.parametrize(
    ("shown", "zone", "earlier", "later"),
    [
        ("2026-03-29T02:30:00", BERLIN, "2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00"),
        ("2026-10-25T02:30:00", BERLIN, "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"),
        ("2026-03-08 02:15", NEW_YORK, "2026-03-08T01:15:00-05:00", "2026-03-08T03:15:00-04:00"),
        ("2026-11-01T01:00:00.5", NEW_YORK, "2026-11-01T01:00:00.5-04:00", "2026-11-01T01:00:00.5-05:00"),
        ("2026-04-05T01:45:00", LORD_HOWE, "2026-04-05T01:45:00+11:00", "2026-04-05T01:45:00+10:30"),
        ("2026-10-04T02:15:00", LORD_HOWE, "2026-10-04T01:45:00+10:30", "2026-10-04T02:45:00+11:00"),
    ],
)
def test_a_time_that_is_skipped_or_shown_twice_needs_a_word(shown: str, zone: str, earlier: str, later: str) -> None:
    with pytest.raises(LocalTimeError):
        instant(shown, zone)
    assert (instant(shown, zone, "earlier"), instant(shown, zone, "later")) == (earlier, later)


def test_a_time_that_is_shown_once_needs_none() -> None:
    assert instant("2026-07-01T12:00:00", BERLIN) == "2026-07-01T12:00:00+02:00"
    assert instant("2026-07-01T12:00:00", BERLIN, "later") == "2026-07-01T12:00:00+02:00"


@given(st.datetimes(timezones=st.just(None)), st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE, "Asia/Kathmandu"]))
def test_what_is_made_of_a_local_time_is_shown_as_that_time(local: object, zone: str) -> None:
    if not 1900 < local.year < 2100:  # type: ignore[attr-defined]
        return
    text = local.replace(microsecond=0).isoformat()  # type: ignore[attr-defined]
    try:
        made = instant(text, zone)
    except LocalTimeError:
        return
    assert local_time(made, zone) == made
    assert made.startswith(text)


@pytest.mark.parametrize(
    ("written", "picture", "date"),
    [
        ("20260305", "YYYYMMDD", "2026-03-05"),
        ("05.03.2026", "DD.MM.YYYY", "2026-03-05"),
        ("3/5/26", "M/D/YY", "2026-03-05"),
        ("5-MAR-99", "D-MMM-YY", "1999-03-05"),
        ("2026-03-05 13:50:04", "YYYY-MM-DD HH:mm:ss", "2026-03-05T13:50:04"),
        ("202603051350", "YYYYMMDDHHmm", "2026-03-05T13:50:00"),
    ],
)
def test_a_date_is_read_as_the_picture_says(written: str, picture: str, date: str) -> None:
    assert parse_date(written, picture) == date


@pytest.mark.parametrize("written", ["", "2026-3-5", "20260230", "20261301", " 20260305", "٢٠٢٦٠٣٠٥"])
def test_what_is_not_written_so_is_refused(written: str) -> None:
    with pytest.raises(TimeTextError):
        parse_date(written, "YYYYMMDD")


@pytest.mark.parametrize("picture", ["", "YYYY", "YYYYMM", "YYYYYYYYMMDD", "x" * 500])
def test_a_picture_needs_each_part_once(picture: str) -> None:
    with pytest.raises(BadArgumentError):
        parse_date("2026", picture)


@pytest.mark.parametrize(
    "picture", ["YYYYMMDD mm", "YYYYMMDD ss", "YYYYMMDD mm:ss", "YYYYMMDD HH:ss", "YYYYMMDD MMM", "YYYYDDMMMM"]
)
def test_a_picture_that_would_drop_a_part_or_take_two_months_is_refused(picture: str) -> None:
    with pytest.raises(BadArgumentError, match=r"without|month twice"):
        parse_date("2026", picture)


@pytest.mark.parametrize("zone", ["Europe/Berlim", "../../etc/passwd", "/etc/localtime", "Europe", "", "\0", "UTC+1"])
def test_a_zone_that_does_not_exist_is_refused(zone: str) -> None:
    with pytest.raises(ZoneError):
        local_time("2026-01-01T00:00:00Z", zone)


@pytest.mark.parametrize(
    "at", ["2026-01-01T00:00:00", "2026-01-01", "2026-02-30T00:00:00Z", "2026-01-01T25:00:00Z", "now"]
)
def test_what_is_no_instant_is_refused(at: str) -> None:
    with pytest.raises(TimeTextError):
        local_time(at, "UTC")


@pytest.mark.parametrize("cutoff", ["4", "24:00", "04:60", "04:00Z"])
def test_a_cut_off_is_a_time_of_day(cutoff: str) -> None:
    with pytest.raises(TimeTextError):
        business_day("2026-01-01T00:00:00Z", "UTC", cutoff)
