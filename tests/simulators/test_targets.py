"""The simulated targets: one effect a key, checks, and misbehaviour on request."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from simulators.targets import Target, environment, running_targets

ROOT = Path(__file__).parents[2]
SALE = {
    "location": "STORE-0042",
    "document": "0042/1",
    "amount": "6.89",
    "currency": "EUR",
    "customer": "C-1",
    "lines": [{"item": "COFFEE-1KG", "quantity": 2}],
}
HEADERS = {"Content-Type": "application/json", "ce-specversion": "1.0", "ce-source": "urn:s", "ce-partner": "stores"}

Act = Callable[[aiohttp.ClientSession, dict[str, Target]], Awaitable[None]]


def with_targets(act: Act) -> None:
    async def scenario() -> None:
        async with running_targets() as targets, aiohttp.ClientSession() as session:
            await act(session, targets)

    asyncio.run(scenario())


async def post(
    session: aiohttp.ClientSession, target: Target, key: str = "k1", kind: str = "inventory.sold", data: Any = SALE
) -> tuple[int, Any]:
    headers = {**HEADERS, "Idempotency-Key": key, "ce-id": f"id-{key}", "ce-type": kind}
    headers = {name: value for name, value in headers.items() if value}
    async with session.post(f"{target.url}/api/events", data=json.dumps(data), headers=headers) as response:
        return response.status, await response.json()


async def get(session: aiohttp.ClientSession, url: str) -> Any:
    async with session.get(url) as response:
        return await response.json()


async def control(session: aiohttp.ClientSession, target: Target, **what: Any) -> int:
    async with session.post(f"{target.url}/_control", json=what) as response:
        return response.status


def test_the_same_key_has_one_effect_and_gets_the_first_answer_again() -> None:
    async def act(session: aiohttp.ClientSession, targets: dict[str, Target]) -> None:
        first = await post(session, targets["erp"])
        second = await post(session, targets["erp"])
        assert first == second == (200, {"booked": 1})
        stats = await get(session, f"{targets['erp'].url}/_stats")
        assert (stats["requests"], stats["effects"], stats["repeats"], stats["refused"]) == (2, 1, 1, 0)
        assert stats["by_type"] == {"inventory.sold": 1}
        assert stats["by_partner"] == {"stores": 1}
        assert stats["state"] == {"stock": {"STORE-0042": {"COFFEE-1KG": {"available": -2}}}}

    with_targets(act)


def test_effects_are_listed_in_order_with_bodies_on_request() -> None:
    async def act(session: aiohttp.ClientSession, targets: dict[str, Target]) -> None:
        for key in ("k2", "k1", "k3"):
            await post(session, targets["oms"], key, data={**SALE, "document": key})
        short = await get(session, f"{targets['oms'].url}/_effects")
        full = await get(session, f"{targets['oms'].url}/_effects?full=1")
        assert [effect["key"] for effect in short] == ["k2", "k1", "k3"]
        assert [effect["order_key"] for effect in short] == ["k2", "k1", "k3"]
        assert "body" not in short[0]
        assert full[0]["body"]["document"] == "k2"
        assert len({effect["sha"] for effect in full}) == 3

    with_targets(act)


@pytest.mark.parametrize(
    ("key", "kind", "data", "said"),
    [
        ("", "inventory.sold", SALE, "Idempotency-Key is missing"),
        ("k1", "pos.sale", SALE, "unknown event type 'pos.sale'"),
        ("k1", "inventory.sold", {"location": "X"}, "document is missing"),
        ("k1", "inventory.sold", [], "not an object"),
        ("k1", "inventory.sold", {**SALE, "lines": [{}]}, "cannot be booked"),
    ],
)
def test_what_is_wrong_is_refused_and_has_no_effect(key: str, kind: str, data: Any, said: str) -> None:
    async def act(session: aiohttp.ClientSession, targets: dict[str, Target]) -> None:
        status, answer = await post(session, targets["erp"], key, kind, data)
        assert status == 422
        assert said in answer["detail"]
        assert targets["erp"].stats()["refused"] == 1
        assert not targets["erp"].effects

    with_targets(act)


def test_a_count_replaces_stock_and_a_transfer_moves_it() -> None:
    async def act(session: aiohttp.ClientSession, targets: dict[str, Target]) -> None:
        line = {"item": "TEA", "quantity": 9, "state": "available"}
        base = {"location": "DC-01", "document": "1"}
        moved = {"item": "TEA", "quantity": 4, "from_state": "available", "to_state": "in_transit"}
        erp = targets["erp"]
        await post(session, erp, "1", "inventory.received", {**base, "lines": [line]})
        await post(session, erp, "2", "inventory.counted", {**base, "lines": [{**line, "quantity": 7}]})
        await post(session, erp, "3", "inventory.moved", {**base, "to_location": "S", "lines": [moved]})
        assert erp.books.state["stock"] == {"DC-01": {"TEA": {"available": 3}}, "S": {"TEA": {"in_transit": 4}}}

    with_targets(act)


def test_a_status_fault_answers_with_it_and_has_no_effect() -> None:
    async def act(session: aiohttp.ClientSession, targets: dict[str, Target]) -> None:
        assert await control(session, targets["oms"], mode="status", status=429) == 200
        assert (await post(session, targets["oms"]))[0] == 429
        await control(session, targets["oms"], mode="ok")
        assert (await post(session, targets["oms"]))[0] == 200
        assert targets["oms"].stats()["faults"] == 1

    with_targets(act)


def test_flapping_fails_every_third_request() -> None:
    async def act(session: aiohttp.ClientSession, targets: dict[str, Target]) -> None:
        await control(session, targets["wms"], mode="flap", status=500, every=3)
        assert [(await post(session, targets["wms"], str(n)))[0] for n in range(6)] == [200, 200, 500, 200, 200, 500]

    with_targets(act)


def test_a_reset_loses_the_answer_but_not_the_effect() -> None:
    async def act(session: aiohttp.ClientSession, targets: dict[str, Target]) -> None:
        await control(session, targets["erp"], mode="reset")
        with pytest.raises(aiohttp.ClientError):
            await post(session, targets["erp"])
        await control(session, targets["erp"], mode="ok")
        assert await post(session, targets["erp"]) == (200, {"booked": 1})
        assert targets["erp"].stats()["repeats"] >= 1

    with_targets(act)


def test_a_delay_comes_after_the_effect() -> None:
    async def act(session: aiohttp.ClientSession, targets: dict[str, Target]) -> None:
        await control(session, targets["erp"], mode="delay", delay=30)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(post(session, targets["erp"]), 0.3)
        assert len(targets["erp"].effects) == 1

    with_targets(act)


@pytest.mark.parametrize("what", [{"mode": "sulk"}, {"mode": "flap", "every": 0}, {"colour": "red"}])
def test_an_unknown_behaviour_is_refused(what: dict[str, Any]) -> None:
    async def act(session: aiohttp.ClientSession, targets: dict[str, Target]) -> None:
        assert await control(session, targets["erp"], **what) == 400

    with_targets(act)


def test_the_environment_names_all_three() -> None:
    async def act(_session: aiohttp.ClientSession, targets: dict[str, Target]) -> None:
        assert environment(targets) == {
            "ERP_URL": targets["erp"].url,
            "WMS_URL": targets["wms"].url,
            "OMS_URL": targets["oms"].url,
        }

    with_targets(act)


def test_the_program_tells_its_addresses_and_ends_on_sigterm() -> None:
    command = [sys.executable, "-m", "simulators.targets", "--erp-port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env=dict(os.environ)) as process:
        assert process.stdout is not None
        try:
            addresses = json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert sorted(addresses) == ["erp", "oms", "wms"]


def test_a_port_that_is_taken_is_told_with_what_to_do() -> None:
    # given
    with socket.create_server(("127.0.0.1", 0)) as held:
        words = ["-m", "simulators.targets", "--erp-port", str(held.getsockname()[1])]
        # when
        done = subprocess.run([sys.executable, *words], check=False, capture_output=True, text=True, timeout=30)
    # then
    assert done.returncode == 1 and done.stderr.startswith("port_taken") and "Traceback" not in done.stderr
