"""The circuit breaker, with a clock that the test turns."""

from connectors.breaker import Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock) -> Breaker:
    breaker = Breaker(0.5, 30, clock=clock)
    for _ in range(10):
        breaker.record(False)
    return breaker


def test_it_opens_when_the_share_of_failures_is_reached() -> None:
    breaker = Breaker(0.5, 30, clock=Clock())

    for _ in range(10):
        breaker.record(True)
    for _ in range(9):
        breaker.record(False)
    assert (breaker.state, breaker.ready(), breaker.wait()) == ("closed", True, 0.0)
    breaker.record(False)

    assert (breaker.state, breaker.ready(), breaker.wait()) == ("open", False, 1.0)


def test_a_few_failures_do_not_open_it() -> None:
    breaker = Breaker(0.5, 30, minimum=10, clock=Clock())

    for _ in range(9):
        breaker.record(False)

    assert breaker.state == "closed"


def test_a_target_that_died_is_left_alone_however_well_it_was_before() -> None:
    clock = Clock()
    breaker = Breaker(0.5, 30, clock=clock)
    for _ in range(1000):
        breaker.record(True)

    for _ in range(19):
        breaker.record(False)
        clock.now += 0.06
    assert breaker.wait() == 0.0
    breaker.record(False)

    assert breaker.state == "open"


def test_attempts_that_fail_all_at_once_are_no_dead_target() -> None:
    breaker = Breaker(0.5, 30, clock=Clock())
    for _ in range(1000):
        breaker.record(True)

    for _ in range(64):
        breaker.record(False)

    assert breaker.state == "closed"


def test_failures_older_than_the_window_are_forgotten() -> None:
    clock = Clock()
    breaker = Breaker(0.5, 30, clock=clock)
    for _ in range(9):
        breaker.record(False)

    clock.now += 31
    breaker.record(False)

    assert breaker.state == "closed"


def test_failures_within_the_window_add_up() -> None:
    clock = Clock()
    breaker = Breaker(0.5, 30, clock=clock)

    for _ in range(10):
        breaker.record(False)
        clock.now += 2.5

    assert breaker.state != "closed"


def test_half_open_admits_one_probe_at_a_time() -> None:
    clock = Clock()
    breaker = opened(clock)

    clock.now += 1
    assert breaker.state == "half_open"

    assert (breaker.ready(), breaker.ready(), breaker.state) == (True, False, "half_open")
    assert breaker.wait() > 0


def test_a_probe_that_succeeds_closes_it_with_a_clean_slate() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 1
    breaker.ready()

    breaker.record(True)
    breaker.record(False)

    assert (breaker.state, breaker.ready()) == ("closed", True)


def test_each_probe_that_fails_doubles_the_pause_up_to_thirty_seconds() -> None:
    clock = Clock()
    breaker = opened(clock)
    pauses = []

    for _ in range(7):
        pauses.append(breaker.wait())
        clock.now += breaker.wait()
        assert breaker.ready()
        breaker.record(False)

    assert pauses == [1, 2, 4, 8, 16, 30, 30]


def test_the_pause_starts_at_a_second_again_after_it_closed() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 1
    breaker.ready()
    breaker.record(False)
    clock.now += 2
    breaker.ready()
    breaker.record(True)

    for _ in range(10):
        breaker.record(False)

    assert breaker.wait() == 1


def test_stragglers_from_before_it_opened_change_nothing() -> None:
    clock = Clock()
    breaker = opened(clock)

    breaker.record(True)
    breaker.record(False)
    assert (breaker.state, breaker.wait()) == ("open", 1.0)

    clock.now += 1
    breaker.record(True)
    assert (breaker.state, breaker.ready()) == ("half_open", True)


def test_a_probe_that_never_reports_does_not_block_it_for_ever() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 1
    assert breaker.ready()

    clock.now += 31

    assert breaker.ready()
