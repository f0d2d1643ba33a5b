"""`Idempotency-Key`: what is done once, and what a lost store or a sender that leaves changes."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from crossdock.adapters.memorygateway import MemoryAnswers
from crossdock.kernel.keptanswers import Answers, Begin, KeptAnswer
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Refused, Unavailable
from gateway import answers
from gateway.answers import Answer
from gateway.idempotency import MAX_BODY, Once
from gateway.proof import Request

REQUEST = Request("POST", "/v1/events", "", {"content-type": "application/json"}, b"{}", "127.0.0.1")
OTHER = REQUEST._replace(body=b"{ }")
NOTICE = (b"deprecation", b"@1796083200")
DONE = Answer(202, b'{"id":"1","status":"accepted"}', headers=((b"ratelimit", b'"rate";r=1;t=1'), NOTICE))
REPLAYED = DONE._replace(headers=(NOTICE, (b"idempotency-replayed", b"true")))


class Acts:
    """What is asked for: counts, and gives these answers in turn."""

    def __init__(self, *given: Answer | Exception) -> None:
        self.done = 0
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        self.go_on.set()
        self._given = given or (DONE,)

    async def __call__(self) -> Answer:
        self.done += 1
        self.begun.set()
        answer = self._given[min(self.done, len(self._given)) - 1]
        await self.go_on.wait()
        if isinstance(answer, Exception):
            raise answer
        return answer


class Away:
    """A store that does not answer."""

    async def begin(self, name: str, fingerprint: str, owner: str) -> Begin | KeptAnswer:
        raise Unavailable("kept answers: away")

    async def finish(self, name: str, owner: str, answer: KeptAnswer) -> None:
        raise Unavailable("kept answers: away")

    async def abandon(self, name: str, owner: str) -> None:
        raise Unavailable("kept answers: away")


class AwayLater(MemoryAnswers):
    """A store that is lost once a request has begun."""

    finish = Away.finish
    abandon = Away.abandon


def made(kept: Answers | None = None, metrics: Metrics | None = None) -> Once:
    return Once(kept or MemoryAnswers(), metrics or Metrics())


async def refusal(asked: Awaitable[Answer]) -> Answer:
    with pytest.raises(Refused) as refused:
        await asyncio.wait_for(asked, 5)
    return answers.problem(refused.value.problems)


def test_a_request_sent_again_gets_the_first_answer_and_nothing_is_done() -> None:
    async def scenario() -> None:
        once, act = made(), Acts()
        assert await once("shop", "k", REQUEST, act) == DONE
        assert await once("shop", "k", REQUEST, act) == REPLAYED
        assert act.done == 1

    asyncio.run(scenario())


def test_another_request_under_the_same_key_is_refused() -> None:
    async def scenario() -> None:
        once, act = made(), Acts()
        await once("shop", "k", REQUEST, act)
        assert (await refusal(once("shop", "k", OTHER, act))).status == 422
        assert act.done == 1

    asyncio.run(scenario())


def test_a_request_under_way_is_refused_for_a_second() -> None:
    async def scenario() -> None:
        once, act = made(), Acts()
        act.go_on.clear()
        first = asyncio.create_task(once("shop", "k", REQUEST, act))
        await act.begun.wait()
        answer = await refusal(once("shop", "k", REQUEST, act))
        assert (answer.status, dict(answer.headers)[b"retry-after"]) == (409, b"1")
        act.go_on.set()
        assert await first == DONE
        assert await once("shop", "k", REQUEST, act) == REPLAYED

    asyncio.run(scenario())


@pytest.mark.parametrize(("partner", "path"), [("other", REQUEST.path), ("shop", "/v1/sources/shop")])
def test_the_same_key_of_another_partner_or_path_is_another_key(partner: str, path: str) -> None:
    async def scenario() -> None:
        once, act = made(), Acts()
        await once("shop", "k", REQUEST, act)
        assert await once(partner, "k", REQUEST._replace(path=path), act) == DONE
        assert act.done == 2

    asyncio.run(scenario())


@pytest.mark.parametrize("status", [200, 202, 204, 400, 403, 404, 413, 422])
def test_a_final_answer_is_kept(status: int) -> None:
    async def scenario() -> None:
        once, act = made(), Acts(DONE._replace(status=status))
        await once("shop", "k", REQUEST, act)
        assert (await once("shop", "k", REQUEST, act)).status == status
        assert act.done == 1

    asyncio.run(scenario())


@pytest.mark.parametrize("status", [401, 408, 409, 425, 429, 500, 503])
def test_an_answer_that_may_change_is_not_kept(status: int) -> None:
    async def scenario() -> None:
        once, act = made(), Acts(DONE._replace(status=status), DONE)
        assert (await once("shop", "k", REQUEST, act)).status == status
        assert await once("shop", "k", REQUEST, act) == DONE

    asyncio.run(scenario())


@pytest.mark.parametrize(("size", "done"), [(MAX_BODY, 1), (MAX_BODY + 1, 2)])
def test_an_answer_too_large_to_keep_is_made_again(size: int, done: int) -> None:
    async def scenario() -> None:
        once, act = made(), Acts(DONE._replace(body=b"x" * size))
        for _ in range(2):
            assert len((await once("shop", "k", REQUEST, act)).body) == size
        assert act.done == done

    asyncio.run(scenario())


def test_what_fails_may_be_tried_again_at_once() -> None:
    async def scenario() -> None:
        once, act = made(), Acts(Unavailable("the broker"), DONE)
        with pytest.raises(Unavailable, match="the broker"):
            await once("shop", "k", REQUEST, act)
        assert await once("shop", "k", REQUEST, act) == DONE

    asyncio.run(scenario())


def test_a_sender_that_leaves_finds_the_answer_when_it_asks_again() -> None:
    async def scenario() -> None:
        once, act = made(), Acts()
        act.go_on.clear()
        first = asyncio.create_task(once("shop", "k", REQUEST, act))
        await act.begun.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (await refusal(once("shop", "k", REQUEST, act))).status == 409
        act.go_on.set()
        await once.close()
        assert await once("shop", "k", REQUEST, act) == REPLAYED
        assert act.done == 1

    asyncio.run(scenario())


@pytest.mark.parametrize("store", [Away, AwayLater])
def test_while_the_store_is_away_requests_are_carried_out_and_counted(store: Callable[[], Answers]) -> None:
    async def scenario() -> None:
        metrics, act = Metrics(), Acts()
        assert await made(store(), metrics)("shop", "k", REQUEST, act) == DONE
        assert act.done == 1
        assert metrics.registry.get_sample_value("crossdock_answers_not_kept_total") == 1

    asyncio.run(scenario())
