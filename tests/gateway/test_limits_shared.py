"""Limits of several processes: how far they are over together, and what a store that is away changes."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossdock.adapters.valkeybuckets import ValkeyBuckets
from crossdock.kernel.metrics import Metrics
from gateway.limits import AWAY, EVERY, Limits
from gateway.meters import Policy, Quota
from tests.clockwork import clock, run
from tests.gateway.limitscene import Store, made, taken
from tests.realservers import valkey_server


def test_while_the_store_is_away_each_process_allows_the_rate_and_it_is_counted() -> None:
    async def scenario() -> None:
        store, metrics = Store(), Metrics()
        store.away = True
        limits = made(store, metrics)
        assert taken(limits, 1000) == 100
        for _ in range(60):
            await asyncio.sleep(1)
            assert taken(limits, 1000) == 10
        assert metrics.registry.get_sample_value("crossdock_limits_local_total") == pytest.approx(60, abs=2)
        await limits.close()

    run(scenario())


def test_an_outage_leaves_a_debt_of_one_bucket_at_most() -> None:
    async def scenario() -> None:
        store = Store()
        store.away = True
        first, second = made(store), made(store)
        for _ in range(3600):
            await asyncio.sleep(1)
            taken(first, 20)
            taken(second, 20)
        store.away = False
        await asyncio.sleep(2 * AWAY)
        await asyncio.sleep(10)  # the second's bucket is owed: 100 tokens at 10/s
        assert taken(first, 1000) + taken(second, 1000) >= 1
        for _ in range(10):
            before = taken(first, 100) + taken(second, 100)
            await asyncio.sleep(1)
        assert before <= 12
        await first.close()
        await second.close()

    run(scenario())


def test_what_was_spent_while_the_store_was_away_counts_when_it_is_back() -> None:
    async def scenario() -> None:
        store, rules = Store(), (Quota("quota", 100),)
        store.away = True
        first, second = made(store), made(store)
        assert taken(first, 60, rules) == 60
        await asyncio.sleep(5)
        store.away = False
        await asyncio.sleep(2 * AWAY)
        assert taken(second, 1, rules) == 1
        await asyncio.sleep(EVERY)
        assert taken(second, 1000, rules) == 39
        await first.close()
        await second.close()

    run(scenario())


Wish = tuple[float, int, int, int]
WISHES = st.lists(
    st.tuples(st.sampled_from([0, 0.01, 0.06, 0.5, 5, 30]), st.integers(0, 2), st.integers(1, 40), st.integers(1, 30)),
    max_size=40,
)


@given(WISHES, st.sampled_from([0.5, 3, 50]), st.integers(1, 60), st.sampled_from([0, 0.004, 0.2]))
@settings(deadline=None, max_examples=200)
def test_three_never_let_in_more_than_they_may(wishes: list[Wish], rate: float, burst: int, latency: float) -> None:
    """A burst and the rate; of the others each at most a burst, and what it refills until it hears of the rest."""

    async def scenario() -> None:
        store = Store(latency)
        three, rules = [made(store) for _ in range(3)], (Policy("rate", rate, burst),)
        granted, largest = 0, max((wish[3] for wish in wishes), default=1)
        for pause, which, times, size in wishes:
            await asyncio.sleep(pause)
            granted += sum(three[which].take("k", rules, size).ok for _ in range(times)) * size
            stale = 2 * (burst + rate * (EVERY + 2 * latency))
            assert granted <= burst + rate * clock() + stale + 3 * (largest - 1) + 1e-3
        for limits in three:
            await limits.close()

    run(scenario())


@given(WISHES, st.sampled_from([0.5, 3, 50]), st.integers(1, 60))
@settings(deadline=None, max_examples=200)
def test_one_never_lets_in_more_than_it_may(wishes: list[Wish], rate: float, burst: int) -> None:
    async def scenario() -> None:
        limits, rules, granted = made(Store()), (Policy("rate", rate, burst),), 0
        largest = max((wish[3] for wish in wishes), default=1)
        for pause, _, times, size in wishes:
            await asyncio.sleep(pause)
            granted += sum(limits.take("k", rules, size).ok for _ in range(times)) * size
            assert granted <= burst + rate * clock() + largest - 1 + 1e-3
        await limits.close()

    run(scenario())


@asynccontextmanager
async def on_valkey(url: str, metrics: Metrics) -> AsyncIterator[Limits]:
    buckets = ValkeyBuckets(url)
    limits = Limits(buckets, metrics)
    yield limits
    await limits.close()
    await buckets.close()


async def flood(limits: Limits, rules: tuple[Policy | Quota, ...], seconds: float) -> int:
    """Ask a thousand times a second; return how often it was granted."""
    granted, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        granted += limits.take("source:flood", rules).ok
        await asyncio.sleep(0.001)
    return granted


@pytest.mark.parametrize("processes", [1, 3])
def test_on_valkey_the_rate_holds_over_time_for_all_together(valkey_url: str, processes: int) -> None:
    async def scenario() -> None:
        rules = (Policy(f"rate{processes}", 100, 50),)
        async with (
            on_valkey(valkey_url, Metrics()) as one,
            on_valkey(valkey_url, Metrics()) as two,
            on_valkey(valkey_url, Metrics()) as three,
        ):
            began = time.monotonic()
            granted = await asyncio.gather(*(flood(limits, rules, 3) for limits in (one, two, three)[:processes]))
            may = 50 + 100 * (time.monotonic() - began)
        over = (processes - 1) * (50 + 100 * EVERY)
        assert may - over - 40 < sum(granted) <= may + over + processes

    asyncio.run(scenario())


def test_on_valkey_a_quota_is_one_for_all(valkey_url: str) -> None:
    async def scenario() -> None:
        rules = (Quota("for-all", 60),)
        async with on_valkey(valkey_url, Metrics()) as one, on_valkey(valkey_url, Metrics()) as two:
            first = await flood(one, rules, 0.03)
            rest = await asyncio.gather(flood(one, rules, 0.5), flood(two, rules, 0.5))
            assert 60 <= first + sum(rest) <= 120
            assert not one.take("source:flood", rules).ok
            assert not two.take("source:flood", rules).ok

    asyncio.run(scenario())


def again(killed: "subprocess.Popen[bytes]") -> "subprocess.Popen[bytes]":
    """Start a server once more, at its old address."""
    return subprocess.Popen(killed.args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_a_valkey_that_is_killed_and_comes_back_empty_lets_in_no_flood(tmp_path: Path) -> None:
    async def scenario(url: str, process: "subprocess.Popen[bytes]") -> None:
        metrics, rules = Metrics(), (Policy("killed", 50, 25),)
        async with on_valkey(url, metrics) as limits:
            began = time.monotonic()
            granted = await flood(limits, rules, 0.5)
            process.kill()
            process.wait()
            granted += await flood(limits, rules, 1)
            assert metrics.registry.get_sample_value("crossdock_limits_local_total")
            back = again(process)
            try:
                granted += await flood(limits, rules, AWAY + 1)
                counted = metrics.registry.get_sample_value("crossdock_limits_local_total")
                granted += await flood(limits, rules, 0.5)
                assert metrics.registry.get_sample_value("crossdock_limits_local_total") == counted
            finally:
                back.kill()
                back.wait()
            assert granted <= 2 * 25 + 50 * (time.monotonic() - began) + 1  # a new store believes the bucket full

    with valkey_server(tmp_path) as (url, process):
        asyncio.run(scenario(url, process))
