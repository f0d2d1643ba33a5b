"""Targets that fail: nobody else is held up, order holds, what is given up waits as a dead letter for its replay."""

import asyncio
import random
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path

from simulators.targets import Control, Target
from tests.faults.installation import Site, running, until
from tests.faults.samples import sale
from tests.faults.traffic import Traffic, check_all, expected

SHORT = "retry: {for: 3s, first: 500ms, most: 1s}"
GIVES_UP_SOON = {
    "routes/oms.yaml": [
        ("retry: {for: 24h, first: 1s, most: 10m}", SHORT),
        ("    order_by: shipment\n", f"    order_by: shipment\n    {SHORT}\n"),
        ("    order_by: order ?? document\n", f"    order_by: order ?? document\n    {SHORT}\n"),
    ]
}


def test_a_target_that_is_away_holds_up_nobody_and_gets_its_events_in_order_when_it_is_back(
    tmp_path: Path, events: int
) -> None:
    async def scenario() -> None:
        async with running(tmp_path, events=events) as site:
            # given
            site.targets["oms"].control = Control("status", status=503)
            traffic = Traffic(site, events)
            # when
            await traffic.send()
            wanted = expected(site.project, traffic)
            for name in ("erp", "wms"):
                target, keys = site.targets[name], wanted.effects[name].keys()
                await until(partial(has_all, target, keys), f"{name} has all")
            # then
            assert not site.targets["oms"].effects
            site.targets["oms"].control = Control()
            await check_all(site, traffic)

    asyncio.run(scenario())


def test_deliveries_that_were_given_up_come_home_by_a_replay_and_a_second_one_changes_nothing(
    tmp_path: Path, events: int
) -> None:
    async def scenario() -> None:
        async with running(tmp_path, GIVES_UP_SOON, events) as site:
            # given
            oms = site.targets["oms"]
            oms.control = Control("status", status=503)
            traffic = Traffic(site, min(events, 300))
            await traffic.send()
            ledger = await site.settled()
            wanted = expected(site.project, traffic).effects["oms"]
            assert sum(row["dead_lettered"] for row in ledger["routes"]) == len(wanted)
            assert {letter["reason"] for letter in await letters(site, "open")} == {"retries_ended"}
            # when
            oms.control = Control()
            await breakers_closing(site)
            await site.command("dlq", "replay", "--route", "orders-to-oms", "--yes")
            await site.command("dlq", "replay", "--reason", "retries_ended", "--yes")
            # then
            await check_all(site, traffic)
            assert not await letters(site, "open") and len(await letters(site, "resolved")) == len(wanted)
            requests = oms.requests
            again = [letter["id"] for letter in await letters(site, "resolved")]
            assert (await site.command("dlq", "replay", "--route", "orders-to-oms", "--yes"))["items"] == []
            replayed = await site.command("dlq", "replay", *again, "--yes")
            assert {item["outcome"] for item in replayed["items"]} == {"skipped"}
            await site.settled()
            assert oms.requests == requests

    asyncio.run(scenario())


def test_order_of_each_key_holds_over_failing_answers_and_a_killed_worker(tmp_path: Path, events: int) -> None:
    async def scenario() -> None:
        async with running(tmp_path, events=events) as site:
            # given
            moody = [asyncio.create_task(fail_at_random(target)) for target in site.targets.values()]
            traffic = Traffic(site, min(events, 300))
            # when
            async with traffic.flowing():
                await traffic.part(0.5)
                await site.replaced("worker-0", site.kill("worker-0"))
            await asyncio.gather(*moody)
            # then
            await check_all(site, traffic)
            assert any(target.faults for target in site.targets.values())

    asyncio.run(scenario())


def test_an_event_that_its_target_refuses_becomes_a_dead_letter_and_its_neighbours_go_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as site:
            # given
            erp = site.targets["erp"]
            erp.control = Control("status", status=400, only="sale-5")
            # when
            for number in range(10):
                status, _, _ = await site.post(sale(number))
                assert status == 202
            await site.settled()
            # then
            assert [effect.id for effect in erp.effects.values()] == [f"sale-{n}" for n in range(10) if n != 5]
            (letter,) = await letters(site, "open")
            assert (letter["event_id"], letter["route"], letter["reason"]) == ("sale-5", "stock-to-erp", "refused")
            assert erp.requests == 10

    asyncio.run(scenario())


def has_all(target: Target, keys: AbstractSet[str]) -> bool:
    """Tell whether a target has these effects and no others."""
    return target.effects.keys() == keys


async def letters(site: Site, state: str) -> list[dict[str, str]]:
    """Return the dead letters of deliveries in a state, when the journal has caught up with the streams."""
    await site.journal_caught_up()
    status, found = await site.ops("GET", f"/ops/v1/dead-letters?state={state}&limit=10000")
    assert status == 200
    return [letter for letter in found["items"] if letter["stage"] == "deliver"]


async def breakers_closing(site: Site) -> None:
    """Wait until no breaker is open: an attempt may go out again."""
    seen: list[str] = ["open"]
    while "open" in seen:
        _, overview = await site.ops("GET", "/ops/v1/overview")
        seen = [row["breaker"] for row in overview.get("routes", [])] or ["open"]
        await asyncio.sleep(0.1)


async def fail_at_random(target: Target) -> None:
    """Let a target lose answers, refuse service and work, by turns, and work in the end."""
    chance = random.Random(target.name)
    for _ in range(20):
        target.control = chance.choice([Control("reset", every=4), Control("status", status=500, every=3), Control()])
        await asyncio.sleep(chance.uniform(0.05, 0.2))
    target.control = Control()
