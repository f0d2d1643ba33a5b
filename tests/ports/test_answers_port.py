"""What every `Answers` promises, asked of those in memory and of Valkey."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
import redis.asyncio as redis

from crossdock.adapters.memorygateway import MemoryAnswers
from crossdock.adapters.valkeyanswers import ValkeyAnswers
from crossdock.kernel.keptanswers import KEPT, UNDER_WAY, Answers, Begin, KeptAnswer
from crossdock.kernel.problems import Unavailable

Opened = Callable[[], AbstractAsyncContextManager[Answers]]
_RUNS = itertools.count()
ANSWER = KeptAnswer(202, b"application/json", ((b"ratelimit", b'"rate";r=1;t=1'),), b'{"id":"\xc3\xa9"}\x00\xff')


@pytest.fixture(params=["memory", "valkey"])
def opened(request: pytest.FixtureRequest) -> Opened:
    url = request.getfixturevalue("valkey_url") if request.param == "valkey" else ""

    @asynccontextmanager
    async def on_valkey() -> AsyncIterator[Answers]:
        answers = ValkeyAnswers(url)
        yield answers
        await answers.close()

    @asynccontextmanager
    async def in_memory() -> AsyncIterator[Answers]:
        yield MemoryAnswers()

    return on_valkey if url else in_memory


@pytest.fixture
def name() -> str:
    return f"run{next(_RUNS)}"


def test_a_name_not_known_may_begin(opened: Opened, name: str) -> None:
    async def scenario() -> None:
        async with opened() as answers:
            assert await answers.begin(name, "print", "me") is Begin.BEGUN

    asyncio.run(scenario())


def test_what_is_under_way_does_not_begin_again(opened: Opened, name: str) -> None:
    async def scenario() -> None:
        async with opened() as answers:
            await answers.begin(name, "print", "me")
            assert await answers.begin(name, "print", "other") is Begin.IN_FLIGHT

    asyncio.run(scenario())


def test_of_many_that_begin_at_the_same_time_one_does(opened: Opened, name: str) -> None:
    async def scenario() -> None:
        async with opened() as answers:
            begun = await asyncio.gather(*(answers.begin(name, "print", f"owner{n}") for n in range(30)))
            assert sorted(word.value for word in begun if isinstance(word, Begin)) == ["begun"] + ["in flight"] * 29

    asyncio.run(scenario())


def test_an_owner_that_lost_the_answer_has_begun_all_the_same(opened: Opened, name: str) -> None:
    async def scenario() -> None:
        async with opened() as answers:
            await answers.begin(name, "print", "me")
            assert await answers.begin(name, "print", "me") is Begin.BEGUN

    asyncio.run(scenario())


def test_a_finished_request_gives_its_answer_byte_for_byte(opened: Opened, name: str) -> None:
    async def scenario() -> None:
        async with opened() as answers:
            await answers.begin(name, "print", "me")
            await answers.finish(name, "me", ANSWER)
            assert await answers.begin(name, "print", "other") == ANSWER

    asyncio.run(scenario())


@pytest.mark.parametrize("finished", [True, False])
def test_another_request_under_the_name_is_a_mismatch(opened: Opened, name: str, finished: bool) -> None:
    async def scenario() -> None:
        async with opened() as answers:
            await answers.begin(name, "print", "me")
            if finished:
                await answers.finish(name, "me", ANSWER)
            assert await answers.begin(name, "another print", "other") is Begin.MISMATCH

    asyncio.run(scenario())


def test_what_is_abandoned_may_begin_again_even_as_another_request(opened: Opened, name: str) -> None:
    async def scenario() -> None:
        async with opened() as answers:
            await answers.begin(name, "print", "me")
            await answers.abandon(name, "me")
            assert await answers.begin(name, "another print", "other") is Begin.BEGUN

    asyncio.run(scenario())


def test_a_late_one_neither_finishes_nor_abandons_what_is_now_anothers(opened: Opened, name: str) -> None:
    async def scenario() -> None:
        async with opened() as answers:
            await answers.begin(name, "print", "other")
            await answers.finish(name, "late", ANSWER)
            await answers.abandon(name, "late")
            assert await answers.begin(name, "print", "third") is Begin.IN_FLIGHT

    asyncio.run(scenario())


def test_what_nobody_has_begun_cannot_be_finished(opened: Opened, name: str) -> None:
    async def scenario() -> None:
        async with opened() as answers:
            await answers.finish(name, "late", ANSWER)
            assert await answers.begin(name, "print", "me") is Begin.BEGUN

    asyncio.run(scenario())


def test_in_memory_everything_ends_in_time() -> None:
    async def scenario() -> None:
        now = 0.0
        answers = MemoryAnswers(lambda: now)
        await answers.begin("n", "print", "dead")
        now += UNDER_WAY
        await answers.finish("n", "dead", ANSWER)
        assert await answers.begin("n", "print", "me") is Begin.BEGUN
        await answers.finish("n", "me", ANSWER)
        now += KEPT - 1
        assert await answers.begin("n", "print", "other") == ANSWER
        now += 1
        assert await answers.begin("n", "print", "other") is Begin.BEGUN

    asyncio.run(scenario())


def test_valkey_forgets_each_at_its_time(valkey_url: str) -> None:
    async def scenario() -> None:
        answers, client = ValkeyAnswers(valkey_url), redis.Redis.from_url(valkey_url)
        await answers.begin("times", "print", "me")
        assert UNDER_WAY - 5 < await client.ttl("answer:times") <= UNDER_WAY
        await answers.finish("times", "me", ANSWER)
        assert KEPT - 5 < await client.ttl("answer:times") <= KEPT
        await client.aclose()
        await answers.close()

    asyncio.run(scenario())


def test_a_store_that_is_not_there_is_unavailable() -> None:
    async def scenario() -> None:
        answers = ValkeyAnswers("redis://127.0.0.1:1")
        for act in (answers.begin("n", "p", "me"), answers.finish("n", "me", ANSWER), answers.abandon("n", "me")):
            with pytest.raises(Unavailable):
                await act
        await answers.close()

    asyncio.run(scenario())
