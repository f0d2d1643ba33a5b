"""What every `Seen` promises, asked of the one in memory and of Valkey."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from crossdock.adapters.memory import MemorySeen
from crossdock.adapters.valkey import ValkeySeen
from crossdock.pipeline.ports import Claim, Owner, Seen

Opened = Callable[[], AbstractAsyncContextManager[Seen]]
_RUNS = itertools.count()


@pytest.fixture(params=["memory", "valkey"])
def opened(request: pytest.FixtureRequest) -> Opened:
    url = request.getfixturevalue("valkey_url") if request.param == "valkey" else ""

    @asynccontextmanager
    async def on_valkey() -> AsyncIterator[Seen]:
        seen = ValkeySeen(url)
        yield seen
        await seen.close()

    @asynccontextmanager
    async def in_memory() -> AsyncIterator[Seen]:
        yield MemorySeen()

    return on_valkey if url else in_memory


@pytest.fixture
def prefix() -> str:
    return f"run{next(_RUNS)}/"


def claim(key: str, owner: int, digest: str = "d1") -> Claim:
    return Claim(key, owner, digest, 60)


def test_the_first_claim_owns_its_key(opened: Opened, prefix: str) -> None:
    async def scenario() -> None:
        async with opened() as seen:
            assert await seen.claim([claim(prefix, 7)]) == [Owner(7, "d1")]

    asyncio.run(scenario())


def test_a_later_claim_is_told_the_first_owner_and_its_digest(opened: Opened, prefix: str) -> None:
    async def scenario() -> None:
        async with opened() as seen:
            await seen.claim([claim(prefix, 7, "d1")])
            assert await seen.claim([claim(prefix, 8, "d2")]) == [Owner(7, "d1")]
            assert await seen.claim([claim(prefix, 9)]) == [Owner(7, "d1")]

    asyncio.run(scenario())


def test_a_claim_made_again_finds_itself(opened: Opened, prefix: str) -> None:
    async def scenario() -> None:
        async with opened() as seen:
            for _ in range(3):
                assert await seen.claim([claim(prefix, 7)]) == [Owner(7, "d1")]

    asyncio.run(scenario())


def test_claims_of_one_call_see_each_other_and_are_answered_in_order(opened: Opened, prefix: str) -> None:
    async def scenario() -> None:
        async with opened() as seen:
            await seen.claim([claim(prefix + "c", 1)])
            wishes = [
                claim(prefix + "a", 5),
                claim(prefix + "b", 6),
                claim(prefix + "a", 7, "x"),
                claim(prefix + "c", 8),
            ]
            owners = await seen.claim(wishes)
            assert owners == [Owner(5, "d1"), Owner(6, "d1"), Owner(5, "d1"), Owner(1, "d1")]

    asyncio.run(scenario())


def test_no_claims_are_no_owners(opened: Opened) -> None:
    async def scenario() -> None:
        async with opened() as seen:
            assert await seen.claim([]) == []

    asyncio.run(scenario())


def test_claims_at_the_same_time_have_one_owner(opened: Opened, prefix: str) -> None:
    async def scenario() -> None:
        async with opened() as seen:
            answers = await asyncio.gather(*(seen.claim([claim(prefix, number)]) for number in range(1, 30)))
            assert len({owner.seq for (owner,) in answers}) == 1

    asyncio.run(scenario())


def test_a_batch_as_large_as_the_process_step_makes_it(opened: Opened, prefix: str) -> None:
    async def scenario() -> None:
        async with opened() as seen:
            owners = await seen.claim([claim(f"{prefix}{number}", number) for number in range(500)])
            assert [owner.seq for owner in owners] == list(range(500))

    asyncio.run(scenario())
