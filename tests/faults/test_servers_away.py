"""Broker and dedupe store that do not answer for a while, and an orderly stop in the middle of the work."""

import asyncio
import signal
import time
from pathlib import Path

from simulators.devices import PARTNERS
from tests.faults.installation import Site, running
from tests.faults.traffic import Traffic, check_all

ANSWER_WITHIN = 8.0  # seconds in which the gateway must answer though the broker does not
AWAY = 7.0  # seconds; longer than the broker waits for an acknowledgement


def test_without_the_dedupe_store_events_are_taken_and_wait(tmp_path: Path, events: int) -> None:
    async def scenario() -> None:
        async with running(tmp_path, events=events) as site:
            # given
            site.kill("valkey", signal.SIGSTOP)
            traffic = Traffic(site, min(events, 300))
            # when
            await asyncio.gather(traffic.send(), asyncio.sleep(AWAY))
            # then
            assert not any(target.effects for target in site.targets.values())
            assert sum(device.tally.tried_again for device in traffic.devices) == 0
            site.kill("valkey", signal.SIGCONT)
            await check_all(site, traffic)

    asyncio.run(scenario())


def test_a_broker_that_hangs_gets_quick_refusals_and_nothing_twice(tmp_path: Path, events: int) -> None:
    async def scenario() -> None:
        async with running(tmp_path, events=events) as site:
            # given
            traffic = Traffic(site, min(events, 300))
            async with traffic.flowing():
                await traffic.part(0.5)
                device, repeat = next(traffic.accepted())
                # when
                site.kill("nats", signal.SIGSTOP)
                began = time.monotonic()
                status, headers, _ = await site.post(repeat, PARTNERS[device.kind])
                # then
                assert status == 503 and int(headers["retry-after"]) > 0
                assert time.monotonic() - began < ANSWER_WITHIN
                assert await ready_changes(site, to=False)
                site.kill("nats", signal.SIGCONT)
                assert await ready_changes(site, to=True)
            await check_all(site, traffic)

    asyncio.run(scenario())


def test_a_stop_in_the_middle_leaves_nothing_running_and_the_next_start_finishes_the_work(
    tmp_path: Path, events: int
) -> None:
    async def scenario() -> None:
        async with running(tmp_path, events=events) as site:
            # given
            traffic = Traffic(site, events)
            async with traffic.flowing():
                await traffic.part(0.5)
                remains = site.remains()
                # when
                code = await site.stop()
                # then
                assert code == 0 and remains() == []
                await site.start()
            await check_all(site, traffic)

    asyncio.run(scenario())


async def ready_changes(site: Site, to: bool) -> bool:
    """Wait until the gateway says that it is ready, or that it is not; false when it does not say so in time."""
    for _ in range(200):
        async with site.session.get(site.ready.gateway + "/readyz") as answer:
            if (answer.status == 200) == to:
                return True
        await asyncio.sleep(0.1)
    return False
