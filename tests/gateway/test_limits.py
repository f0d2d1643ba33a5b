"""Limits in one process and in several: how much comes in, what is told of it, and what a lost store changes."""

import asyncio

import pytest

from crossdock.kernel import jsontext
from gateway.limits import EVERY, too_much
from gateway.meters import Policy, Quota
from tests.clockwork import run
from tests.gateway.limitscene import NOON, RATE, Store, made, taken


def test_a_burst_comes_in_at_once_and_then_as_many_as_the_rate_says() -> None:
    async def scenario() -> None:
        limits = made(Store())
        assert taken(limits, 1000) == 100
        for second in range(1, 20):
            await asyncio.sleep(1)
            assert taken(limits, 1000) == 10, second
        await limits.close()

    run(scenario())


def test_who_obeys_retry_after_comes_in_and_who_comes_a_second_early_does_not() -> None:
    async def scenario() -> None:
        limits = made(Store())
        assert limits.take("k", RATE, 250).ok
        verdict = limits.take("k", RATE)
        assert (verdict.ok, verdict.violated, verdict.retry_after) == (False, ("rate",), 16)  # 151 tokens at 10/s
        await asyncio.sleep(verdict.retry_after - 1)
        assert limits.take("k", RATE).retry_after == 1
        await asyncio.sleep(1)
        assert limits.take("k", RATE).ok
        await limits.close()

    run(scenario())


def test_a_large_batch_is_taken_whole_and_paid_for_afterwards() -> None:
    async def scenario() -> None:
        limits = made(Store())
        assert taken(limits, 99) == 99
        assert limits.take("source:tills", RATE, 1000).ok  # one token was left
        refused = limits.take("source:tills", RATE, 1)
        assert refused.retry_after == 100
        await asyncio.sleep(99)
        assert not limits.take("source:tills", RATE, 1).ok
        await asyncio.sleep(1)
        assert limits.take("source:tills", RATE, 1).ok
        await limits.close()

    run(scenario())


def test_callers_do_not_take_from_each_other() -> None:
    async def scenario() -> None:
        limits = made(Store())
        taken(limits, 1000)
        assert limits.take("source:handhelds", RATE).ok
        await limits.close()

    run(scenario())


def test_all_policies_are_taken_from_or_none() -> None:
    async def scenario() -> None:
        limits = made(Store())
        both = (Policy("rate", 10, 100), Quota("quota", 3))
        assert taken(limits, 50, both) == 3
        verdict = limits.take("source:tills", both)
        assert verdict.violated == ("quota",)
        assert taken(limits, 1000) == 97  # what the quota refused took nothing from the rate
        await limits.close()

    run(scenario())


def test_a_quota_begins_anew_at_midnight_utc() -> None:
    async def scenario() -> None:
        limits, rules = made(Store()), (Quota("quota", 5),)
        assert taken(limits, 9, rules) == 5
        assert limits.take("source:tills", rules).retry_after == 43200
        await asyncio.sleep(43199)
        assert limits.take("source:tills", rules).retry_after == 1
        await asyncio.sleep(1)
        assert taken(limits, 9, rules) == 5
        await asyncio.sleep(86400)
        assert taken(limits, 9, rules) == 5
        await limits.close()

    run(scenario())


def test_midnight_refills_no_rate() -> None:
    async def scenario() -> None:
        limits, rules = made(Store(), begins=NOON + 43199), (Policy("rate", 0.001, 10), Quota("quota", 1000))
        assert taken(limits, 50, rules) == 10
        await asyncio.sleep(2)
        assert taken(limits, 50, rules) == 0
        await limits.close()

    run(scenario())


def test_the_fields_say_the_policies_and_what_is_left() -> None:
    async def scenario() -> None:
        limits = made(Store())
        rules = (Policy("rate", 10, 100), Quota("quota", 5000))
        verdict = limits.take("k", rules, 50)
        assert verdict.headers == (
            (b"ratelimit-policy", b'"rate";q=100;w=10, "quota";q=5000;w=86400'),
            (b"ratelimit", b'"rate";r=50;t=1, "quota";r=4950;t=43200'),
        )
        await limits.close()

    run(scenario())


def test_a_refusal_says_only_what_is_broken_and_its_time_is_that_of_retry_after() -> None:
    async def scenario() -> None:
        limits = made(Store())
        rules = (Policy("rate", 0.5, 1), Quota("quota", 5000))
        limits.take("k", rules, 3)
        verdict = limits.take("k", rules)
        assert verdict.headers == (
            (b"ratelimit-policy", b'"rate";q=1;w=2, "quota";q=5000;w=86400'),
            (b"ratelimit", b'"rate";r=0;t=6'),
        )
        assert verdict.retry_after == 6
        await limits.close()

    run(scenario())


def test_the_answer_to_too_much_has_the_registered_type() -> None:
    answer = too_much(("rate", "quota"), 7)
    assert (answer.status, answer.media) == (429, b"application/problem+json")
    assert answer.headers == ((b"retry-after", b"7"),)
    document = jsontext.loads(answer.body)
    assert document == {
        "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
        "title": "Over a limit",
        "status": 429,
        "detail": "over the limit: rate, quota - send it again in 7 s",
        "errors": [{"pointer": "", "rule": "quota_exceeded", "message": "over the limit: rate, quota"}],
        "violated-policies": ["rate", "quota"],
    }


def test_nothing_runs_and_nothing_is_told_while_nothing_is_spent() -> None:
    async def scenario() -> None:
        store = Store()
        limits = made(store)
        taken(limits, 3)
        await asyncio.sleep(0)
        await asyncio.sleep(3 * EVERY)
        assert [[spend.tokens for spend in spends] for spends in store.told] == [[3]]
        assert asyncio.all_tasks() == {asyncio.current_task()}
        await limits.close()
        assert len(store.told) == 1

    run(scenario())


def test_what_many_buckets_spent_is_told_in_one_call_every_so_often() -> None:
    async def scenario() -> None:
        store = Store()
        limits = made(store)
        for _ in range(20):  # a second in all
            for number in range(40):
                limits.take(f"source:{number}", RATE)
            await asyncio.sleep(EVERY)
        await limits.close()
        assert len(store.told) <= 21
        assert all(len(spends) == 40 for spends in store.told)

    run(scenario())


def test_full_buckets_are_forgotten_and_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.limits._SWEEP", 8)

    async def scenario() -> None:
        limits = made(Store())
        slow = (Policy("rate", 0.001, 2),)
        limits.take("slow", slow, 2)
        for number in range(100):
            limits.take(f"key:{number}", RATE)
            await asyncio.sleep(1)
        assert len(limits._known) <= 9
        assert not limits.take("slow", slow).ok
        await limits.close()

    run(scenario())


def test_closing_tells_what_was_not_told() -> None:
    async def scenario() -> None:
        store = Store()
        limits = made(store)
        taken(limits, 5)
        await limits.close()
        assert sum(spend.tokens for spends in store.told for spend in spends) == 5

    run(scenario())
