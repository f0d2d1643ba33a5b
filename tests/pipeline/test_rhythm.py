"""When a source is silent, how late its events come, and what gateways refused."""

from crossdock.pipeline.rhythm import DAY, HOUR, Rhythm, percentile, read

MORNING = 20_000 * DAY + 9 * HOUR
MINUTE = 60_000


def week(every: int, hours: tuple[int, int] = (8, 20)) -> Rhythm:
    """Return a source that sent every so many milliseconds in its opening hours, for a week up to this morning."""
    known = Rhythm()
    for day in range(7):
        first = 20_000 * DAY + (day - 7) * DAY
        for at in range(first + hours[0] * HOUR, first + hours[1] * HOUR, every):
            known.came(1, at)
    for at in range(20_000 * DAY + hours[0] * HOUR, MORNING + 1, every):
        known.came(1, at)
    return known


def test_a_source_is_silent_after_twice_its_longest_gap_about_this_hour() -> None:
    known = week(5 * MINUTE)
    assert known.silence("tills", MORNING + 10 * MINUTE, 0).silent is False
    found = known.silence("tills", MORNING + 11 * MINUTE, 0)
    assert (found.silent, found.quiet, found.expected, found.last) == (True, 660.0, 600.0, MORNING)


def test_a_night_that_comes_every_night_is_no_silence() -> None:
    known = week(5 * MINUTE)
    evening = MORNING
    for at in range(MORNING, 20_000 * DAY + 20 * HOUR, 5 * MINUTE):
        known.came(1, evening := at)
    assert known.silence("tills", evening + 12 * HOUR, 0).silent is False
    assert known.silence("tills", evening + 25 * HOUR, 0).silent is True


def test_a_gap_is_forgotten_after_a_week() -> None:
    known = week(5 * MINUTE)
    known.came(1, MORNING + 3 * HOUR)
    assert known.gaps[9][20_000][1] == 3 * HOUR
    for day in range(1, 8):
        known.came(1, MORNING + day * DAY)
        known.came(1, MORNING + day * DAY + MINUTE)
    assert all(longest < 3 * HOUR or day > 20_000 for day, (_, longest) in known.gaps[9].items())


def test_what_the_file_says_comes_before_what_was_learnt_and_a_new_source_is_not_judged() -> None:
    known = week(5 * MINUTE)
    assert known.silence("tills", MORNING + 3 * MINUTE, 120.0).silent is True
    assert Rhythm().silence("new", MORNING, 0).expected == 0
    assert Rhythm().silence("new", MORNING, 60).silent is False  # of whom nothing ever came


def test_lateness_and_order_are_counted_by_device() -> None:
    known = Rhythm()
    for origin, lag in (("a", 0.2), ("a", 600), ("b", 700), ("b", 0.3), ("a", 0.1)):
        known.timed(origin, MORNING / 1000 - lag, MORNING)
    known.timed("a", None, MORNING)
    (day,) = known.days.values()
    assert (day.looked, day.untimed, day.late, day.unordered) == (6, 1, 2, 1)
    assert (percentile(day.lags, 0.5), percentile(day.lags, 0.95), percentile([0] * 16, 0.5)) == (0.5, 900, None)


def test_a_rhythm_goes_on_where_it_was_stored() -> None:
    known = week(5 * MINUTE)
    known.timed("a", MORNING / 1000 - 1, MORNING)
    assert read(known.as_dict()).as_dict() == known.as_dict()
