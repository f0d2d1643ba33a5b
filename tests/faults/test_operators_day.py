"""The operator's day in a real browser, over a whole installation whose map is wrong."""

import asyncio
import json
import re
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]

from console.pages.places import PLACES
from crossdock.project import load
from simulators import browser
from simulators.operatorsday import NAME, Operator, at_work, live
from simulators.shopfloor import Floor, opened
from simulators.targets import environment
from tests.console.chromium import EVIL
from tests.faults.installation import servers_or_skip
from tests.faults.traffic import Expected, check
from tests.realservers import missing

TOLD = ("/routes/stock-to-erp", "/sources/tills", "/connectors/erp")  # alerts lead there
NOWHERE, NOT_FOUND = "/nowhere", "the server responded with a status of 404"
_LOOK = "look => { document.documentElement.dataset.look = look; Quasar.Dark.set(look === 'dark') }"
_LINKS = "[...document.querySelectorAll('a[href^=\"/\"]')].map(link => link.getAttribute('href'))"


def needed() -> None:
    """Skip where a server or a browser is not installed."""
    servers_or_skip()
    if browser.binary() is None:
        missing("no browser is installed")


def promised(floor: Floor) -> Expected:
    """Return what every accepted event must have come to, by the content that is in force at the end."""
    wanted, project = Expected(), load(floor.root, environment(floor.targets))
    for device in floor.devices:
        sent = {event["id"]: event for event in floor.sent[device.name] if event["id"] in device.tally.accepted_ids}
        for event in sent.values():
            wanted.add(project, device, event)
    return wanted


def kind_of(address: str) -> str:
    """Return the place that serves an address of the console."""
    path = urlsplit(address).path
    patterns = ((place.path, re.sub(r"\{\w+:path\}", ".+", place.path)) for place in PLACES)
    return next(kind for kind, some in patterns if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", some), path))


async def faults_of(one: Operator, address: str) -> list[str]:
    """Open a page; return the serious faults that axe-core finds in light and in dark colours."""
    await one.page.goto(one.floor.ready.console + address)
    await one.page.wait_for_selector(browser.LIVE, state="attached")
    told = []
    for look in ("light", "dark"):
        await one.page.evaluate(_LOOK, look)
        for found in (await Axe().run(one.page)).response["violations"]:
            if found["impact"] in EVIL:
                told.append(f"{look}: {found['id']}: {[node['html'][:200] for node in found['nodes'][:3]]}")
    return told


async def walked(one: Operator) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Open one page of each kind that a link leads to; return the address of each kind, and the faults found there."""
    left, seen, faults = ["/", NOWHERE, *TOLD], dict[str, str](), dict[str, list[str]]()
    while left:
        address = left.pop(0)
        if (kind := kind_of(address)) in seen:
            continue
        seen[kind] = address
        if found := await faults_of(one, address):
            faults[address] = found
        left += await one.page.evaluate(_LINKS)
    return seen, faults


def test_an_operator_finds_a_failing_target_tries_the_fix_dry_and_brings_everything_home(tmp_path: Path) -> None:
    needed()

    async def scenario() -> None:
        async with opened(tmp_path) as floor, at_work(floor) as one:
            # when
            told = await live(one)
            # then the dry run says what the fix changes and nothing else, and asks the target for nothing
            assert set(told.changes) == {"body of stock-to-erp /amount"}, told.dry_run
            assert f"{told.letters:,}" in told.dry_run
            assert told.tried == 0
            # then progress was seen between nothing and everything, and it never went back
            assert told.progress == sorted(told.progress)
            assert (told.progress[0], told.progress[-1]) == (0, told.letters)
            assert 0 < told.progress[1] <= told.progress[2] < told.letters
            # then each event is at each of its targets exactly once
            erp = floor.targets["erp"]
            check(floor.targets, promised(floor))
            assert (erp.refused, erp.requests, erp.repeats) == (told.letters, told.letters + len(erp.effects), 0)
            # then the journey of an order ends with what its target got
            orders = [line["order"] for line in json.loads(told.as_sent)["lines"]]
            assert told.key in orders
            # then the log says who did what
            acts = [act for who, act, _ in told.acts if who == NAME]
            assert acts == ["plan.run", "plan.pause", "plan.run", "problem.change", "session.sign-in"]
            assert one.errors == []

    asyncio.run(scenario())


def test_every_page_of_a_running_installation_can_be_used_by_everybody(tmp_path: Path) -> None:
    needed()

    async def scenario() -> None:
        async with opened(tmp_path, 4) as floor, at_work(floor) as one:
            # given
            async with floor.trading():
                await one.sign_in("admin")
                await one.see_the_failing_target()
            await one.take_the_problem()
            await one.plan_the_replay()
            # then
            seen, faults = await walked(one)
            assert faults == {}
            assert {place.path for place in PLACES} - seen.keys() == set()
            assert [said for said in one.errors if NOT_FOUND not in said] == []

    asyncio.run(scenario())
