"""Bodies and streams are read within bounds, and what they hold is given back whatever happens."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.kernel.problems import Refused
from gateway.bodies import Budget, Receive, Share, Unproven, read_body, read_unproven, stream
from gateway.ndjson import lines


def receiving(*pieces: bytes, ends: bool = True) -> Receive:
    """Return what gives the pieces; without an end the client then goes away."""
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": piece, "more_body": not ends or at < len(pieces) - 1}
        for at, piece in enumerate(pieces)
    ] + [{"type": "http.disconnect"}]

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    return receive


def refusal_of(act: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as caught:
        asyncio.run(act())
    return caught.value.problems[0].code


async def chunks(pieces: Sequence[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def test_a_body_is_put_together_and_held_until_its_share_ends() -> None:
    budget = Budget(20)
    with budget.share() as share:
        assert asyncio.run(read_body(receiving(b"abc", b"", b"de"), {}, 5, share)) == b"abcde"
        assert (budget.proven, budget.unproven) == (5, 10)
    assert budget.free == 20


def test_a_body_over_its_limit_is_refused_by_its_header_or_its_bytes() -> None:
    share = Budget().share()
    assert refusal_of(lambda: read_body(receiving(), {"content-length": "6"}, 5, share)) == "body_too_large"
    assert refusal_of(lambda: read_body(receiving(b"abc", b"def"), {}, 5, share)) == "body_too_large"
    lying = {"content-length": "1"}
    assert refusal_of(lambda: read_body(receiving(b"abc", b"def"), lying, 5, share)) == "body_too_large"


def test_a_body_that_ends_early_is_no_json() -> None:
    share = Budget().share()
    assert refusal_of(lambda: read_body(receiving(b"abc", ends=False), {}, 5, share)) == "invalid_json"


def test_a_spent_budget_makes_the_newest_wait_and_every_end_gives_back() -> None:
    budget = Budget(8)

    async def read(*pieces: bytes, ends: bool = True) -> None:
        with budget.share() as share:
            await read_body(receiving(*pieces, ends=ends), {}, 100, share)

    with budget.share() as other:
        other.take(2)
        assert refusal_of(lambda: read(b"abc")) == "unavailable"
        assert refusal_of(lambda: read(b"ab", ends=False)) == "invalid_json"
        assert budget.proven == 2

    async def cancelled() -> None:
        async with reading(budget.share(), read_body, b"abc") as task:
            assert budget.proven == 1
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()

    asyncio.run(cancelled())
    assert budget.free == 8


@asynccontextmanager
async def reading(share: Share, read: Callable[..., Any], first: bytes) -> AsyncIterator["asyncio.Task[Any]"]:
    """Begin to read a body of which only the first piece ever comes."""
    waiting, pieces = asyncio.Event(), receiving(first, ends=False)

    async def receive() -> Any:
        if share.held:
            waiting.set()
            await asyncio.Event().wait()
        return await pieces()

    async def whole() -> Any:
        with share:
            return await read(receive, {}, 100, share)

    task = asyncio.create_task(whole())
    await waiting.wait()
    yield task
    task.cancel()
    await asyncio.wait([task])


def test_the_oldest_body_of_an_unknown_sender_makes_room_for_the_next() -> None:
    budget = Budget(20)

    async def scenario() -> None:
        # when: unknown senders send more than they may hold together
        shares = [budget.unproven_share() for _ in range(3)]
        async with (
            reading(shares[0], read_unproven, b"abcd") as oldest,
            reading(shares[1], read_unproven, b"efgh") as second,
            reading(shares[2], read_unproven, b"new"),
        ):
            # then
            assert [share.held for share in shares] == [0, 4, 3]
            with pytest.raises(Refused) as caught:
                await oldest
            assert caught.value.problems[0].code == "unavailable"
            assert not second.done()

    asyncio.run(scenario())
    assert (budget.proven, budget.unproven, len(budget.holders)) == (10, 10, 0)


def test_who_is_cancelled_while_it_makes_room_is_cancelled() -> None:
    budget = Budget(20)

    async def scenario() -> None:
        async with reading(budget.unproven_share(), read_unproven, b"abcdefghij") as task:
            assert budget.unproven_share().take(1)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()

    asyncio.run(scenario())


def test_a_body_that_is_whole_makes_no_room() -> None:
    budget = Budget(20)
    first, second = budget.unproven_share(), budget.unproven_share()
    assert asyncio.run(read_unproven(receiving(b"abcdef"), {}, 100, first)) == b"abcdef"
    assert refusal_of(lambda: read_unproven(receiving(b"ghijk"), {}, 100, second)) == "unavailable"
    assert asyncio.run(read_unproven(receiving(b"ghij"), {}, 100, second)) == b"ghij"


def test_one_that_goes_on_holding_is_not_ended_by_itself() -> None:
    budget, ended = Budget(20), list[str]()

    def holding(name: str) -> Unproven:
        share = budget.unproven_share()

        def end() -> None:
            ended.append(name)
            share.give(share.held)

        share.end = end
        assert share.take(4)
        return share

    oldest = holding("oldest")
    holding("second")
    assert oldest.take(4)
    assert ended == ["second"]
    assert not oldest.take(3)
    holding("third")
    assert ended == ["second", "oldest"]


def test_unknown_senders_leave_the_others_their_half_and_a_proof_moves_over() -> None:
    budget = Budget(80)
    shares = [budget.unproven_share() for _ in range(2)]
    assert [share.take(20) for share in shares] == [True, True]
    assert not budget.unproven_share().take(1)
    with shares[0].prove("a"):
        assert (budget.proven, budget.unproven, budget.lanes["a"]) == (20, 20, 20)
        with pytest.raises(Refused) as caught:
            shares[1].prove("a")
        assert caught.value.problems[0].code == "unavailable"
    assert (budget.free, shares[1].held) == (80, 0)


def test_a_lane_holds_a_part_at_most() -> None:
    budget = Budget(80)
    share = budget.share("a")
    assert share.take(20) and not share.take(1)
    assert budget.share("b").take(20)


def test_a_stream_of_any_length_holds_one_piece_at_a_time() -> None:
    budget = Budget(8)

    async def read() -> None:
        share = budget.share()
        seen = [(piece, budget.proven) async for piece in stream(receiving(*[b"abc"] * 100), share)]
        assert seen == [(b"abc", 1)] * 100
        assert budget.proven == 4

    asyncio.run(read())
    assert refusal_of(lambda: anext(stream(receiving(b"abcde"), budget.share()))) == "unavailable"


async def split(pieces: Sequence[bytes], most: int = 100) -> list[bytes]:
    return [line async for line in lines(chunks(pieces), most, 1000)]


def test_lines_end_with_lf_or_crlf_or_the_stream() -> None:
    assert asyncio.run(split([b'{"a":1}\r\n', b"\n \r\n{", b'"b"', b":2}\n\n", b"last"])) == [
        b'{"a":1}',
        b'{"b":2}',
        b"last",
    ]
    assert asyncio.run(split([])) == asyncio.run(split([b"\r\n", b""])) == []


@given(st.lists(st.binary(min_size=1, max_size=20).map(lambda line: line.replace(b"\n", b".") + b"x")), st.data())
def test_lines_do_not_depend_on_how_they_come(whole: list[bytes], data: st.DataObject) -> None:
    text = b"\r\n".join(whole)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)))))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert asyncio.run(split(pieces)) == whole


@pytest.mark.parametrize(
    "pieces", [[b"abcdef\n"], [b"abc", b"def"], [b"abcdef"], [b"a\nabcdef\r\n"]], ids=["one", "split", "open", "second"]
)
def test_a_line_that_is_too_long_is_refused(pieces: list[bytes]) -> None:
    assert refusal_of(lambda: split(pieces, 5)) == "body_too_large"
    assert asyncio.run(split([b"abcde\r", b"\n"], 5)) == [b"abcde"]


def test_a_line_without_end_is_refused_before_it_is_held() -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield bytes(1000)

    async def read() -> None:
        async for _ in lines(endless(), 5000, 1000):
            pass

    assert refusal_of(read) == "body_too_large"
    assert taken == 6
