"""How long those wait who guess: the clock is moved by hand, and nothing here sleeps."""

import asyncio

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError
from hypothesis import given
from hypothesis import strategies as st

from console import lockout
from console.access import Role
from console.lockout import Lockout
from console.passwords import AT_ONCE, MOST_WAITING, Crowded, Passwords
from console.users import Users
from crossdock.kernel.accesssettings import LockoutLimits
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.settings import Console
from tests.console.accessmade import DIGEST, PASSWORD, TOKEN, Clock, House, house

LIMITS = LockoutLimits(failures=3, address_failures=6, most=60.0)


def made() -> tuple[Lockout, Clock]:
    clock = Clock()
    return Lockout(LIMITS, clock), clock


def test_the_wait_doubles_with_each_failure_up_to_the_longest() -> None:
    guard, clock = made()
    waits = []
    for _ in range(10):
        while wait := guard.begin("anna", "10.0.0.1"):
            waits.append(round(wait))
            clock.seconds += wait
    assert waits == [1, 2, 4, 8, 16, 32, 60]


def test_a_name_waits_whatever_the_address_and_an_address_whatever_the_name() -> None:
    guard, _ = made()
    assert [guard.begin("anna", f"10.0.0.{i}") > 0 for i in range(5)] == [False, False, False, True, True]
    assert [guard.begin(f"n{i}", "10.1.1.1") > 0 for i in range(8)] == [False] * 6 + [True, True]
    assert guard.begin("ben", "10.2.2.2") == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
        ("unix", "other", False),
    ],
)
def test_an_address_is_what_one_subscriber_has(one: str, other: str, same: bool) -> None:
    guard, _ = made()
    for number in range(LIMITS.address_failures):
        guard.begin(f"n{number}", one)
    assert (guard.begin("x", other) > 0) is same


def test_who_knows_the_password_ends_the_count_of_the_name_and_of_the_address_one_try() -> None:
    guard, _ = made()
    for _ in range(100):
        assert guard.begin("anna", "10.0.0.1") == 0
        guard.good("anna", "10.0.0.1")
    for number in range(5):
        assert guard.begin(f"guessed{number}", "10.0.0.1") == 0
    assert guard.begin("anna", "10.0.0.1") == 0
    guard.good("anna", "10.0.0.1")
    assert guard.begin("guessed", "10.0.0.1") == 0
    assert guard.begin("guessed", "10.0.0.1") > 0


def test_a_try_that_could_not_be_made_is_no_failure() -> None:
    guard, _ = made()
    for _ in range(100):
        assert guard.begin("anna", "10.0.0.1") == 0
        guard.undecided("anna", "10.0.0.1")


def test_what_was_long_ago_is_forgotten() -> None:
    guard, clock = made()
    for _ in range(3):
        guard.begin("anna", "10.0.0.1")
    clock.seconds += 2 * LIMITS.most + 1
    assert [guard.begin("anna", "10.0.0.1") for _ in range(3)] == [0, 0, 0]


def test_many_names_take_no_more_memory_and_push_nobody_out_who_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lockout, "MOST", 100)
    guard, _ = made()
    for _ in range(8):
        guard.begin("anna", "10.0.0.1")
    for number in range(1000):
        guard.begin(f"n{number}", f"10.1.{number >> 8}.{number & 255}")
    assert len(guard._counts) <= 100
    assert guard.begin("anna", "10.9.9.9") > 0


@given(st.lists(st.one_of(st.floats(0, 100), st.just(None)), max_size=60))
def test_nobody_gets_more_tries_than_the_waits_allow(steps: list[float | None]) -> None:
    guard, clock = made()
    begun, tries = clock.seconds, 0
    for step in steps:
        if step is not None:
            clock.seconds += step
        elif guard.begin("anna", "10.0.0.1") == 0:
            tries += 1
    passed = clock.seconds - begun
    forgotten = passed // (2 * LIMITS.most) + 1  # as often a count begins anew
    assert tries <= forgotten * (LIMITS.failures + 1) + passed


def test_who_waits_is_told_how_long_and_whether_there_is_such_a_user_is_not() -> None:
    async def scenario() -> None:
        place = await house(Console(lockout=LIMITS))
        for name in ("operator", "nobody"):
            assert await failures(place, name, 4) == [401, 401, 401, 429]
        answer = await place.browser().sign_in("operator")
        assert (answer.status, answer.headers["retry-after"]) == (429, "1")
        place.clock.seconds += 1
        assert (await place.browser().sign_in("operator")).status == 200

    asyncio.run(scenario())


async def failures(place: House, name: str, number: int) -> list[int]:
    return [(await place.browser().sign_in(name, "wrong")).status for _ in range(number)]


def test_many_tries_at_once_are_no_more_than_one_after_the_other() -> None:
    async def scenario() -> None:
        place = await house(Console(lockout=LIMITS))
        answers = await asyncio.gather(*(place.browser().sign_in("operator", f"guess {i}") for i in range(20)))
        assert sorted(answer.status for answer in answers) == [401] * 3 + [429] * 17

    asyncio.run(scenario())


def test_a_flood_of_passwords_takes_few_threads_and_the_rest_is_refused() -> None:
    async def scenario() -> None:
        passwords = Passwords()
        most = AT_ONCE + MOST_WAITING
        found = await asyncio.gather(*(passwords.fits(DIGEST, f"{i}") for i in range(most + 5)), return_exceptions=True)
        assert [isinstance(one, Crowded) for one in found] == [False] * most + [True] * 5
        assert len(passwords._threads._threads) <= AT_ONCE
        digest = await passwords.digest("right")
        found = [await passwords.fits(*pair) for pair in ((digest, "right"), (digest, "wrong"), ("", ""), ("x", "x"))]
        assert found == [True, False, False, False]

    asyncio.run(scenario())


def test_a_crowd_locks_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        place = await house(Console(lockout=LIMITS))

        async def crowded(*_: str) -> bool:
            raise Crowded

        with monkeypatch.context() as changed:
            changed.setattr(Passwords, "fits", crowded)
            assert await failures(place, "operator", 20) == [503] * 20
        assert (await place.browser().sign_in("operator")).status == 200

    asyncio.run(scenario())


def test_a_store_that_is_away_locks_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        place = await house(Console(lockout=LIMITS))

        async def away(*_: str) -> None:
            raise Unavailable("nats: away")

        with monkeypatch.context() as changed:
            changed.setattr(Users, "find", away)
            for _ in range(20):
                with pytest.raises(Unavailable):
                    await place.browser().sign_in("operator")
        assert (await place.browser().sign_in("operator")).status == 200

    asyncio.run(scenario())


def test_no_name_that_somebody_types_locks_who_signs_in_with_a_token() -> None:
    async def scenario() -> None:
        place = await house(Console(lockout=LIMITS))
        assert await failures(place, "token of 127.0.0.1", 4) == [401, 401, 401, 429]
        assert (await place.browser().send("POST", "/ops/v1/session", {"token": TOKEN})).status == 200

    asyncio.run(scenario())


def test_nobody_is_called_as_who_acts_with_the_token_of_the_installation() -> None:
    async def scenario() -> None:
        place = await house()
        wanted = {"name": "token", "role": "admin", "password": PASSWORD}
        assert (await place.bearer("POST", "/ops/v1/users", wanted)).status == 422
        assert await place.access.users.find("token") is None

    asyncio.run(scenario())


def test_a_name_that_nobody_has_costs_the_work_of_one_that_somebody_has(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        # given
        made, looked_at = await house(), list[str]()
        digest = await made.access.passwords.digest(PASSWORD)
        for name in ("known", "gone"):
            await made.access.users.add(name, Role.VIEWER, digest, 1)
        await made.bearer("PATCH", "/ops/v1/users/gone", {"disabled": True})

        def verify(_: PasswordHasher, hashed: str, __: str) -> bool:
            looked_at.append(hashed)
            raise VerifyMismatchError

        monkeypatch.setattr(PasswordHasher, "verify", verify)
        # when
        statuses = [(await made.browser().sign_in(name)).status for name in ("known", "gone", "nobody")]
        # then
        assert statuses == [401, 401, 401]
        assert [extract_parameters(one) for one in looked_at] == [extract_parameters(digest)] * 3

    asyncio.run(scenario())
