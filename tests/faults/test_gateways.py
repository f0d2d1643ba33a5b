"""Gateway processes behind one port: any of them serves, one that dies loses nothing and closes no door."""

import asyncio
import re
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp

from tests.faults.installation import Site, running
from tests.faults.samples import sale
from tests.faults.traffic import Traffic, check_all

TWO = {"config.yaml": [("processes: 1 ", "processes: 2 ")]}
CALLERS = 24


def test_a_killed_gateway_of_two_loses_nothing_and_the_other_goes_on(tmp_path: Path, events: int) -> None:
    async def scenario() -> None:
        async with running(tmp_path, TWO, events=events) as site:
            # given
            traffic, before = Traffic(site, events), site.children()
            async with traffic.flowing():
                await traffic.part(0.5)
                # when
                await site.replaced("gateway-1", site.kill("gateway-1"))
            # then
            await check_all(site, traffic)
            assert site.children()["gateway-0"] == before["gateway-0"]

    asyncio.run(scenario())


def test_while_the_only_gateway_is_dead_a_caller_waits_and_is_answered(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as site:
            # given
            old = site.kill("gateway")
            # when
            answers = await asyncio.gather(*(post_anew(site, number) for number in range(3)))
            # then
            assert [status for status, _ in answers] == [202] * 3
            assert site.children()["gateway"] != old

    asyncio.run(scenario())


def test_every_process_takes_part_knows_a_new_key_at_once_and_knows_repeats_of_the_others(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, TWO) as site:
            # given
            _, made = await site.ops("POST", "/ops/v1/keys", {"partner": "stores"})
            site.keys["stores"] = made["key"]
            # when
            same = await asyncio.gather(*(post_anew(site, 0) for _ in range(CALLERS)))
            others = await asyncio.gather(*(post_anew(site, number) for number in range(1, CALLERS)))
            # then
            assert {status for status, _ in (*same, *others)} == {202}
            assert Counter(answer["status"] for _, answer in same) == {"accepted": 1, "duplicate": CALLERS - 1}
            assert {answer["status"] for _, answer in others} == {"accepted"}
            await site.settled()
            counts = await counted(site, 2 * CALLERS - 1)
            assert counts.keys() == {"gateway-0", "gateway-1"} and all(counts.values())
            # and when
            rest = site.remains()
            assert await site.stop() == 0
            # then
            assert rest() == []

    asyncio.run(scenario())


async def post_anew(site: Site, number: int) -> tuple[int, Any]:
    """Post over a connection of its own."""
    headers = {"X-API-Key": site.keys["stores"], "Content-Type": "application/cloudevents+json"}
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session,
        session.post(site.ready.gateway + "/v1/events", json=sale(number), headers=headers) as answer,
    ):
        return answer.status, await answer.json()


async def counted(site: Site, events: int) -> dict[str, int]:
    """Return how many events each process took, once all are reported."""
    headers = {"Authorization": f"Bearer {site.ready.ops_token}"}
    while True:
        async with site.session.get(site.ready.console + "/metrics", headers=headers) as answer:
            text = await answer.text()
        found: Counter[str] = Counter()
        for process, number in re.findall(
            r'^crossdock_(?:accepted|duplicates)_total\{.*process="(gateway[^"]*)".*\} (\S+)$', text, re.M
        ):
            found[process] += int(float(number))
        if found.total() == events:
            return dict(found)
        await asyncio.sleep(0.1)
