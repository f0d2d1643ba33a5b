"""Changes of content under traffic: good ones go live in every process, broken ones never, and nothing is lost."""

import asyncio
import signal
from pathlib import Path
from typing import Any

from crossdock.bundle import Bundle, pack
from tests.faults.installation import Site, running, until
from tests.faults.samples import sale
from tests.faults.traffic import Traffic, check_all

CHANGES = 6
SHORT = 600  # events of the test command
ERP = "connectors/erp.yaml"
TAP = """\
routes:
  - route: {name}
    from: [inventory.sold]
    to: oms
    start: {start}
"""


async def put(site: Site, bundle: Bundle, removed: str = "") -> tuple[int, Any]:
    """Apply content as the command does."""
    url = f"{site.ready.console}/ops/v1/content" + (f"?removed={removed}" if removed else "")
    async with site.session.put(url, data=bundle.encode(), headers=site.operator) as answer:
        return answer.status, await answer.json()


def edited(bundle: Bundle, name: str, old: str, new: str) -> Bundle:
    assert old.encode() in bundle.files[name]
    return Bundle({**bundle.files, name: bundle.files[name].replace(old.encode(), new.encode())})


def changed(bundle: Bundle, number: int) -> Bundle:
    """Return another connector, mapping and order for even numbers, and what must not go live for odd ones."""
    made = edited(bundle, ERP, "timeout: 15s", f"timeout: {16 + number}s")
    made = edited(made, "transforms/pos_sale.yaml", "business_key: store &", f"business_key: store & {' ' * number}")
    ordered = "order_by: location &" if number % 2 else """order_by: location & \"\""""
    return edited(made, "routes/erp.yaml", "order_by: location", ordered)


async def everywhere(site: Site, revision: str) -> None:
    """Wait until every process says that it works by a revision."""

    async def all_do() -> bool:
        status, told = await site.ops("GET", "/ops/v1/content")
        names = {name for name in site.children() if name not in ("nats", "valkey")}
        runs = {name: one["revision"] for name, one in told.get("processes", {}).items()} if status == 200 else {}
        return told.get("revision") == revision and {runs.get(name) for name in names} == {revision}

    while not await all_do():  # noqa: ASYNC110  other processes, which have no event for us
        await asyncio.sleep(0.1)


async def answers(site: Site) -> None:
    """Wait until the operations side answers again."""
    while (await site.ops("GET", "/ops/v1/content"))[0] != 200:  # noqa: ASYNC110  as above
        await asyncio.sleep(0.1)


def test_changes_under_traffic_lose_double_and_turn_round_nothing(tmp_path: Path, events: int) -> None:
    async def scenario() -> None:
        async with running(tmp_path, events=events) as site:
            # given
            first, traffic = pack(tmp_path / "project"), Traffic(site, events)
            live = {first.revision}
            # when good and broken changes come by turns
            async with traffic.flowing():
                for number in range(CHANGES):
                    await traffic.part((number + 0.5) / (CHANGES + 1))
                    made = changed(first, number)
                    status, told = await put(site, made)
                    assert status == (422 if number % 2 else 200), told
                    live |= set() if number % 2 else {made.revision}
            # then
            await everywhere(site, changed(first, CHANGES - 2).revision)
            await check_all(site, traffic)
            _, told = await site.ops("GET", "/ops/v1/content")
            (problem,) = told["rejected"]["problems"]
            assert (problem["file"], problem["code"]) == ("routes/erp.yaml", "bad_expression")
            _, event = next(iter(traffic.accepted()))
            _, journey = await site.ops("GET", f"/ops/v1/events/{event['id']}")
            assert {hop["revision"] for hop in journey["hops"]} <= live

    asyncio.run(scenario())


def test_whoever_is_killed_in_a_change_all_end_on_one_revision(tmp_path: Path, events: int) -> None:
    async def scenario() -> None:
        async with running(tmp_path, {"config.yaml": [("workers: 1 ", "workers: 2 ")]}) as site:
            # given
            first, traffic = pack(tmp_path / "project"), Traffic(site, min(events, 300))
            async with traffic.flowing():
                killed = ("worker-0", "ops", "worker-1", "gateway")[: 2 if events <= SHORT else 4]
                for number, name in enumerate(killed):
                    await traffic.part((number + 0.5) / 5)
                    # when a process dies while two changes come at once
                    made = [changed(first, 2 * number), changed(first, 2 * number + 10)]
                    applying = [asyncio.create_task(put(site, one)) for one in made]
                    await asyncio.sleep(0)
                    old = site.kill(name, signal.SIGKILL)
                    await asyncio.wait(applying)
                    await site.replaced(name, old)
                    assert name == "ops" or [task.result()[0] for task in applying] == [200, 200]
                    await answers(site)
            # then
            assert (await put(site, changed(first, 40)))[0] == 200
            await everywhere(site, changed(first, 40).revision)
            await check_all(site, traffic)

    asyncio.run(scenario())


def test_routes_begin_where_they_say_and_end_with_a_word(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as site:
            oms = site.targets["oms"]
            # given an event that is delivered
            assert (await site.post(sale(1)))[0] == 202
            await site.settled()
            # when routes come, one from the beginning and one from now
            first = pack(tmp_path / "project")
            new = {f"routes/{name}.yaml": TAP.format(name=name, start=start).encode()
                   for name, start in (("old-sales", "beginning"), ("new-sales", "now"))}  # fmt: skip
            assert (await put(site, Bundle({**first.files, **new})))[0] == 200
            await site.settled()
            # then
            rows = {row["route"]: row["matched"] for row in (await site.settled())["routes"]}
            assert (rows.get("old-sales"), rows.get("new-sales", 0)) == (1, 0)
            assert (await site.post(sale(2)))[0] == 202
            rows = {row["route"]: row["delivered"] for row in (await site.settled())["routes"]}
            assert (rows["old-sales"], rows["new-sales"]) == (2, 1)
            await until(lambda: site.last_words().count("-sales follows the feed again") == 2, "both have caught up")
            # when the target is away and its routes are removed
            port = int(oms.url.rpartition(":")[2])
            await oms.stop()
            assert (await site.post(sale(3)))[0] == 202
            await until(lambda: site.last_words().count("-sales falls behind, from 3") == 2, "both fall behind")
            one = Bundle({**first.files, "routes/new-sales.yaml": new["routes/new-sales.yaml"]})
            status, told = await put(site, one)
            # then a word is asked for
            assert (status, [problem["code"] for problem in told["problems"]]) == (422, ["route_has_work"])
            # when it is given
            assert (await put(site, one, "discard"))[0] == 200
            assert (await put(site, first, "drain"))[0] == 200
            await oms.start(port)
            ledger = await site.settled()
            # then
            rows = {row["route"]: row for row in ledger["routes"]}
            assert (rows["old-sales"]["delivered"], rows["old-sales"]["discarded"]) == (2, 1)
            assert (rows["new-sales"]["delivered"], rows["new-sales"]["discarded"]) == (2, 0)

    asyncio.run(scenario())
