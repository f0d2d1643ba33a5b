"""OAuth 2 client credentials: one token for all, fetched again in time, dropped when the target refuses it."""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.connection import Response
from connectors.http import HttpConnector, make_http
from connectors.oauth2 import EARLY, OAuth2, Tokens, read_token, request
from connectors.port import Result
from connectors.target import SendFailed, Target
from tests.connectors.httpcases import EVENT, against, answer, at, read
from tests.connectors.servers import Behaviour, Served, serving

FILE = """
auth:
  oauth2: {token_url: 'http://127.0.0.1:1/token', client_id: 'a:b', client_secret: '${S}', scope: 'x y', audience: u}
"""
ENV = {"S": "s3cr3t/+"}


class Provider:
    """A token endpoint and a target on one port, which takes no token that was given before all were revoked."""

    def __init__(self, life: int = 3600) -> None:
        self.asked: list[bytes] = []
        self.seen: list[str] = []
        self.revoked = False
        self.life = life

    async def behave(self, served: Served) -> None:
        while True:
            got = await served.request()
            if got.startswith(b"POST /token "):
                self.asked.append(got)
                await asyncio.sleep(0)
                said = {"access_token": f"token-{len(self.asked)}", "token_type": "bearer", "expires_in": self.life}
                await served.answer(answer(200, orjson.dumps(said)))
                self.revoked = False
            else:
                self.seen.append(got.split(b"authorization: ")[1].split(b"\r\n")[0].decode())
                await served.answer(answer(401 if self.revoked else 204))


def run(root: Path, behaviour: Behaviour, act: Callable[[HttpConnector], Any]) -> Any:
    return against(behaviour, read(root, FILE, ENV), act)


def test_attempts_at_the_same_time_share_one_token(tmp_path: Path) -> None:
    provider = Provider()

    async def act(connector: HttpConnector) -> Any:
        results = await asyncio.gather(*(connector.deliver(EVENT, f"k{n}") for n in range(20)))
        return [result.outcome for result in results] + [(await connector.deliver(EVENT, "k")).outcome]

    outcomes = run(tmp_path, provider.behave, act)

    assert outcomes == ["delivered"] * 21
    assert provider.seen == ["Bearer token-1"] * 21
    (asked,) = provider.asked
    assert b"authorization: Basic " + base64.b64encode(b"a%3Ab:s3cr3t%2F%2B") in asked
    assert asked.endswith(b"grant_type=client_credentials&scope=x+y&audience=u")


def test_a_token_that_the_target_refuses_is_fetched_anew_once(tmp_path: Path) -> None:
    provider = Provider()

    async def act(connector: HttpConnector) -> Any:
        first = await connector.deliver(EVENT, "k1")
        provider.revoked = True
        return [first.outcome, (await connector.deliver(EVENT, "k2")).outcome]

    assert run(tmp_path, provider.behave, act) == ["delivered", "delivered"]
    assert provider.seen == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


def test_a_target_that_refuses_every_token_is_told_so_and_the_token_is_not_shown(tmp_path: Path) -> None:
    token = answer(200, b'{"access_token": "t0ken", "token_type": "Bearer", "expires_in": 60}')
    requests: list[bytes] = []

    async def behave(served: Served) -> None:
        while True:
            requests.append(await served.request())
            asked = requests[-1].startswith(b"POST /token ")
            await served.answer(token if asked else answer(401, b"t0ken has expired"))

    result = against(behave, read(tmp_path, FILE, ENV))

    assert result == Result("permanent", 401, "HTTP 401: *** has expired")
    assert [request.split(b" ")[1] for request in requests] == [b"/token", b"/api"] * 2


def test_a_token_is_used_until_shortly_before_its_end() -> None:
    now, given = [0.0], []

    class Endpoint:
        async def send(self, *_: Any) -> Response:
            given.append(now[0])
            return Response(200, {}, b'{"access_token": "t", "token_type": "Bearer", "expires_in": "600"}')

    async def scenario() -> None:
        tokens = Tokens(OAuth2(Target("http", "x", 80), "a", "b"), Endpoint(), 5, lambda: now[0])  # type: ignore[arg-type]
        for moment in (0.0, 600 - EARLY - 1, 600 - EARLY, 601.0):
            now[0] = moment
            assert await tokens.get(5) == "t"

    asyncio.run(scenario())
    assert given == [0.0, 600 - EARLY]


def test_who_is_cancelled_while_waiting_takes_the_token_from_nobody() -> None:
    released = asyncio.Event()

    class Slow:
        async def send(self, *_: Any) -> Response:
            await released.wait()
            return Response(200, {}, b'{"access_token": "t", "token_type": "Bearer"}')

    async def scenario() -> None:
        tokens = Tokens(OAuth2(Target("http", "x", 80), "a", "b"), Slow(), 5)  # type: ignore[arg-type]
        one, other = asyncio.create_task(tokens.get(5)), asyncio.create_task(tokens.get(5))
        await asyncio.sleep(0)
        with pytest.raises(SendFailed, match="no token in time"):
            await tokens.get(0.01)
        one.cancel()
        released.set()
        assert await other == "t"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (401, b'{"error": "invalid_client", "error_description": "s3cr3t is wrong"}', "answers 401 invalid_client"),
        (400, b"<html>s3cr3t</html>", "answers 400"),
        (500, b'{"error": "a\\nb"}', "answers 500"),
        (302, b"", "answers 302"),
        (200, b'{"access_token": "a\\r\\nb", "token_type": "Bearer"}', "without a bearer token"),
        (200, b'{"access_token": "t", "token_type": "mac"}', "without a bearer token"),
        (200, b"[]", "without a bearer token"),
    ],
)
def test_an_endpoint_without_a_token_is_tried_again_later_and_names_only_its_code(
    tmp_path: Path, status: int, body: bytes, told: str
) -> None:
    async def behave(served: Served) -> None:
        await served.request()
        await served.answer(answer(status, body))

    result = against(behave, read(tmp_path, FILE, ENV))

    assert (result.outcome, result.status) == ("retry", 0)
    assert result.detail == f"oauth2: the token endpoint {told if told.startswith('answers') else 'answers ' + told}"


def test_a_secret_in_the_form_is_not_in_the_header() -> None:
    spec = OAuth2(Target("http", "x", 80), "a", "b&c", in_body=True)

    headers, body = request(spec, 0)

    assert "authorization" not in headers
    assert body == b"grant_type=client_credentials&client_id=a&client_secret=b%26c"


def test_the_end_of_a_token_that_nobody_tells_is_an_hour_away() -> None:
    assert read_token(Response(200, {}, b'{"access_token": "t", "token_type": "Bearer"}')) == ("t", 3600)


def test_a_token_endpoint_that_is_away_costs_the_target_nothing(tmp_path: Path) -> None:
    provider = Provider()

    async def scenario() -> Result:
        async with serving(provider.behave) as server:
            spec = at(read(tmp_path, FILE, ENV), server)
            away = replace(spec.options.oauth2, target=Target("http", "127.0.0.1", 1))
            connector = make_http(replace(spec, options=replace(spec.options, oauth2=away)))
            return await connector.deliver(EVENT, "k")

    result = asyncio.run(scenario())

    assert result.outcome == "retry"
    assert result.detail.startswith("connect: for a token: ")
    assert provider.seen == []
