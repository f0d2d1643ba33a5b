"""`kill -9` of each process in the middle of traffic: nothing answered 2xx is lost, doubled or out of order."""

import asyncio
from pathlib import Path

import pytest

from tests.faults.installation import running
from tests.faults.traffic import Traffic, check_all

EACH = 1000  # events between two kills


@pytest.mark.parametrize("name", ["gateway", "worker-0", "valkey", "nats", "ops"])
def test_a_killed_process_loses_doubles_and_turns_round_nothing(name: str, tmp_path: Path, events: int) -> None:
    async def scenario() -> None:
        async with running(tmp_path, events=events) as site:
            # given
            traffic = Traffic(site, events)
            kills = max(1, events // EACH)
            # when
            async with traffic.flowing():
                for number in range(kills):
                    await traffic.part((number + 0.5) / kills)
                    await site.replaced(name, site.kill(name))
            # then
            await check_all(site, traffic)

    asyncio.run(scenario())


def test_a_killed_supervisor_started_again_goes_on_where_it_was(tmp_path: Path, events: int) -> None:
    async def scenario() -> None:
        async with running(tmp_path, events=events) as site:
            # given
            traffic = Traffic(site, events)
            # when
            async with traffic.flowing():
                await traffic.part(0.5)
                await site.crash()
                await site.start()
            # then
            await check_all(site, traffic)

    asyncio.run(scenario())


def test_a_killed_worker_of_two_loses_doubles_and_turns_round_nothing(tmp_path: Path, events: int) -> None:
    async def scenario() -> None:
        async with running(tmp_path, {"config.yaml": [("workers: 1 ", "workers: 2 ")]}, events=events) as site:
            # given
            traffic = Traffic(site, events)
            async with traffic.flowing():
                await traffic.part(0.5)
                # when
                await site.replaced("worker-1", site.kill("worker-1"))
            # then
            await check_all(site, traffic)

    asyncio.run(scenario())
