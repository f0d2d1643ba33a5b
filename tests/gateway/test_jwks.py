"""The keys of a URL: asked once, renewed in time, kept while the URL is away; time is moved by hand."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from ipaddress import ip_network
from typing import Any

import pytest

from crossdock.jwks import MAX_SIZE, FetchedKeys, KeySet, make_keys, parse_keys
from crossdock.kernel.problems import Refused, Unavailable
from tests.connectors.servers import Behaviour, always, serving
from tests.gateway.test_tokens import JWKS

RS = "RS256"


class Issuer:
    """A URL in memory and a clock; while it is closed the answers wait."""

    def __init__(self, *kids: str) -> None:
        self.kids = kids
        self.asked = 0
        self.now = 1000.0
        self.away = False
        self.open = asyncio.Event()
        self.open.set()
        self.keys = FetchedKeys(self.fetch, lambda: self.now)

    async def fetch(self) -> KeySet:
        self.asked += 1
        await self.open.wait()
        if self.away:
            raise Unavailable("away")
        return {(kid, RS): kid for kid in self.kids}

    async def find(self, kid: str, after: float = 0.0) -> Any:
        self.now += after
        return await self.keys.find(kid, RS)

    async def idle(self) -> None:
        """Return when the question behind the scenes is answered."""
        asking = self.keys._asking
        if asking is not None:
            await asking


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(10):
            await scenario()

    asyncio.run(bounded())


def test_the_url_is_asked_once_and_not_for_each_token() -> None:
    async def scenario() -> None:
        issuer = Issuer("a")
        assert [await issuer.find("a", after=60) for _ in range(8)] == ["a"] * 8
        assert issuer.asked == 1

    run(scenario)


def test_keys_are_renewed_behind_the_scenes_before_they_are_old() -> None:
    async def scenario() -> None:
        issuer = Issuer("a")
        await issuer.find("a")
        issuer.kids = ("b",)
        issuer.open.clear()
        assert await issuer.find("a", after=481) == "a"  # nobody waits
        issuer.open.set()
        await issuer.idle()
        assert (await issuer.find("b"), await issuer.find("a"), issuer.asked) == ("b", None, 2)

    run(scenario)


def test_keys_older_than_ten_minutes_are_asked_for_first() -> None:
    async def scenario() -> None:
        issuer = Issuer("a")
        await issuer.find("a")
        issuer.kids = ("b",)
        assert await issuer.find("a", after=601) is None

    run(scenario)


def test_a_token_with_a_new_key_makes_the_url_be_asked_again() -> None:
    async def scenario() -> None:
        issuer = Issuer("a")
        await issuer.find("a")
        issuer.kids = ("a", "b")
        assert await issuer.find("b", after=31) == "b"
        assert issuer.asked == 2

    run(scenario)


def test_tokens_with_invented_keys_make_it_be_asked_twice_a_minute_at_most() -> None:
    async def scenario() -> None:
        issuer = Issuer("a")
        found = [await issuer.find(f"invented-{second}", after=1) for second in range(120)]
        assert found == [None] * 120
        assert issuer.asked == 4

    run(scenario)


def test_requests_that_wait_share_one_question() -> None:
    async def scenario() -> None:
        issuer = Issuer("a")
        issuer.open.clear()
        waiting = [asyncio.create_task(issuer.find("a")) for _ in range(50)]
        await asyncio.sleep(0)
        waiting[0].cancel()  # the first one asked; its partner hangs up
        await asyncio.sleep(0)
        issuer.open.set()
        assert await asyncio.gather(*waiting[1:]) == ["a"] * 49
        assert issuer.asked == 1

    run(scenario)


def test_known_keys_go_on_working_for_a_day_while_the_url_is_away() -> None:
    async def scenario() -> None:
        issuer = Issuer("a")
        await issuer.find("a")
        issuer.away = True
        for _ in range(23):
            assert await issuer.find("a", after=3600) == "a"
            await issuer.idle()
        with pytest.raises(Unavailable):
            await issuer.find("a", after=2 * 3600)
        issuer.away = False
        assert await issuer.find("a", after=31) == "a"

    run(scenario)


def test_known_keys_are_not_held_up_by_a_url_that_is_known_to_be_away() -> None:
    async def scenario() -> None:
        issuer = Issuer("a")
        await issuer.find("a")
        issuer.away = True
        await issuer.find("a", after=700)
        issuer.open.clear()  # now it hangs
        assert await issuer.find("a", after=31) == "a"  # the question is put, its answer not waited for
        await asyncio.sleep(0)
        assert issuer.asked == 3
        assert await issuer.find("a") == "a"
        issuer.open.set()
        await issuer.idle()

    run(scenario)


def test_a_url_that_never_answered_is_unavailable_and_asked_again_soon() -> None:
    async def scenario() -> None:
        issuer = Issuer("a")
        issuer.away = True
        for _ in range(4):
            with pytest.raises(Unavailable):
                await issuer.find("a", after=1)
        assert issuer.asked == 2
        issuer.away = False
        assert await issuer.find("a", after=2) == "a"

    run(scenario)


def answer(body: bytes, status: bytes = b"200 OK") -> Behaviour:
    return always(b"HTTP/1.1 %b\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body))


GOOD = json.dumps({"keys": JWKS}).encode()


async def fetched(behaviour: Behaviour) -> Any:
    async with serving(behaviour) as server:
        place = f"http://127.0.0.1:{server.port}/keys"
        return await make_keys(place, None, [ip_network("127.0.0.0/8")], [RS]).find(RS, RS)


def test_keys_are_fetched_from_a_server() -> None:
    assert asyncio.run(fetched(answer(GOOD))).key_size == 2048


@pytest.mark.parametrize(
    "behaviour",
    [
        answer(b"", b"500 Oops"),
        answer(GOOD, b"302 Found\r\nlocation: http://127.0.0.1:1/"),
        answer(b"<html>"),
        answer(b'{"keys": []}'),
        answer(GOOD + b" " * MAX_SIZE),
        answer(b"[" * 10_000),
        always(b"not http"),
    ],
)
def test_an_answer_that_holds_no_keys_leaves_them_unavailable(behaviour: Behaviour) -> None:
    with pytest.raises(Unavailable):
        asyncio.run(fetched(behaviour))


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"keys": 7}', b'{"keys": [[]]}', b'{"keys": [{"kty": []}]}'])
def test_a_document_of_another_shape_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused):
        parse_keys(raw, [RS])
