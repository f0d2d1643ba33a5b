"""Questions that senders ask before they send."""

import asyncio
from pathlib import Path

import pytest

from tests.asgi import call
from tests.gateway.test_bad_input import problem_of
from tests.gateway.test_sources import SHOP, post, shop


def test_cloudevents_senders_may_ask_whether_they_are_welcome(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await shop(tmp_path, SHOP + "limits: {rate: 2/s}\n")
        asking = {"webhook-request-origin": "events.example.com", "webhook-request-rate": "600"}
        for path, rate in (("/v1/sources/shop", "120"), ("/v1/events", "*")):
            answer = await call(made.app, "OPTIONS", path, asking)
            assert (answer.status, answer.headers["webhook-allowed-origin"]) == (200, "events.example.com")
            assert answer.headers["webhook-allowed-rate"] == rate
        plain = await call(made.app, "OPTIONS", "/v1/events")
        assert (plain.status, plain.headers["allow"]) == (204, "GET, POST, OPTIONS")

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("hub.challenge=abc-1&hub.verify_token=t0ken", 200),
        ("hub.challenge=abc-1&hub.verify_token=wrong", 401),
        ("hub.challenge=abc-1", 401),
        ("hub.challenge=%3Cscript%3E&hub.verify_token=t0ken", 400),
        ("hub.verify_token=t0ken", 400),
    ],
)
def test_a_challenge_is_echoed_to_who_knows_the_token(tmp_path: Path, query: str, status: int) -> None:
    async def scenario() -> None:
        handshake = "handshake: {challenge: hub.challenge, token: {query: hub.verify_token, secret: t0ken}}\n"
        made = await shop(tmp_path, SHOP + handshake)
        answer = await call(made.app, "GET", f"/v1/sources/shop?{query}")
        assert answer.status == status
        if status == 200:
            assert (answer.body, answer.headers["x-content-type-options"]) == (b"abc-1", "nosniff")

    asyncio.run(scenario())


def test_woocommerce_may_ask_whether_the_address_answers(tmp_path: Path) -> None:
    async def scenario() -> None:
        made = await shop(tmp_path, SHOP.replace("github", "woocommerce"))
        form = {"content-type": "application/x-www-form-urlencoded"}
        assert (await post(made, b"webhook_id=9", form)).status == 200
        problem_of(await post(made, b"webhook_id=9&a=b", form), 401, "unauthorized")
        assert made.stored() == []

    asyncio.run(scenario())
