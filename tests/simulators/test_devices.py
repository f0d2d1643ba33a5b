"""How a device sends, tries again and counts."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web

from simulators.devices import BATCH, PARTNERS, SHARES, SINGLE, Device, fleet, outcomes
from simulators.events import Post

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def event(number: int) -> dict[str, str]:
    return {"id": f"e{number}", "type": "pos.sale"}


def with_gateway(answer: Handler, act: Callable[[aiohttp.ClientSession, str], Awaitable[None]]) -> None:
    async def scenario() -> None:
        app = web.Application()
        app.router.add_post("/v1/events", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            async with aiohttp.ClientSession() as session:
                await act(session, f"http://127.0.0.1:{runner.addresses[0][1]}")
        finally:
            await runner.cleanup()

    asyncio.run(scenario())


def device(url: str, posts: list[Post]) -> Device:
    return Device("till", "tills", url, "secret", iter(posts), rate=1000)


def test_a_device_shows_its_key_and_counts_what_is_accepted() -> None:
    seen: list[tuple[str, str]] = []

    async def accept(request: web.Request) -> web.Response:
        seen.append((request.headers["Authorization"], request.content_type))
        document = await request.json()
        if isinstance(document, list):
            items = [{"id": one["id"], "status": "duplicate" if one["id"] == "e0" else "refused"} for one in document]
            return web.json_response({"items": items}, status=202)
        return web.json_response({"id": document["id"], "status": "accepted"}, status=202)

    async def act(session: aiohttp.ClientSession, url: str) -> None:
        sender = device(url, [[event(0)], [event(0), event(1)]])
        await sender.run(session, asyncio.Event())
        tally = sender.tally
        assert (tally.sent, tally.accepted, tally.duplicate, tally.refused) == (3, 1, 1, 1)
        assert tally.accepted_ids == {"e0"}
        assert seen == [("Bearer secret", SINGLE), ("Bearer secret", BATCH)]

    with_gateway(accept, act)


def test_the_same_bytes_are_sent_again_until_the_gateway_is_back() -> None:
    bodies: list[bytes] = []

    async def away_twice(request: web.Request) -> web.Response:
        bodies.append(await request.read())
        if len(bodies) == 1:
            return web.json_response({}, status=503)
        if len(bodies) == 2 and request.transport:
            request.transport.abort()
        return web.json_response({"id": "e1", "status": "duplicate"}, status=202)

    async def act(session: aiohttp.ClientSession, url: str) -> None:
        sender = device(url, [[event(1)]])
        await sender.run(session, asyncio.Event())
        assert bodies == [json.dumps(event(1), separators=(",", ":")).encode()] * len(bodies)
        assert len(bodies) >= 3
        assert sender.tally.tried_again >= 1
        assert sender.tally.accepted_ids == {"e1"}  # the first answer was lost: a duplicate is a promise too

    with_gateway(away_twice, act)


def test_a_device_stops_before_its_next_post() -> None:
    async def accept(_request: web.Request) -> web.Response:
        stop.set()
        return web.json_response({"id": "e1", "status": "accepted"}, status=202)

    async def act(session: aiohttp.ClientSession, url: str) -> None:
        sender = device(url, [[event(1)], [event(2)]])
        await sender.run(session, stop)
        assert sender.tally.sent == 1

    stop = asyncio.Event()
    with_gateway(accept, act)


def test_a_refused_post_counts_all_its_events() -> None:
    assert outcomes(2, 422, b"{}") == ["refused", "refused"]


@pytest.mark.parametrize("status", [401, 500])
def test_a_broken_gateway_is_not_taken_for_a_refusal(status: int) -> None:
    with pytest.raises(RuntimeError, match=str(status)):
        outcomes(1, status, b"{}")


def test_the_devices_of_a_day_share_the_rate() -> None:
    devices = fleet("http://gateway.invalid", dict.fromkeys(PARTNERS.values(), "key"), rate=100, seed=1)
    assert sum(one.rate for one in devices) == pytest.approx(100)
    assert {one.kind for one in devices} == set(SHARES)
    assert len({one.name for one in devices}) == len(devices)
