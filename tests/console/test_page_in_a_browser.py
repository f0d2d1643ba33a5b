"""The console page in a real browser, against the operations API with a partner's hostile texts in it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from crossdock.kernel.problems import Problem
from simulators import browser
from simulators.browser import Page
from tests.console.deskmade import BIG, HOSTILE, TOKEN, Office, office
from tests.realservers import missing

Scenario = Callable[[Office, Page], Coroutine[Any, Any, None]]
TEXT = "document.querySelector('{}').textContent"


@asynccontextmanager
async def opened(
    folder: Path, width: int = 1200, fragment: str = f"#token={TOKEN}"
) -> AsyncIterator[tuple[Office, Page]]:
    if browser.binary() is None:
        missing("no browser is installed")
    async with office(folder) as made, browser.browser(width, 900) as page:
        await page.open(f"{made.url}/{fragment}")
        yield made, page


def play(folder: Path, scenario: Scenario, **given: Any) -> None:
    async def run() -> None:
        async with opened(folder, **given) as (made, page):
            await scenario(made, page)
            assert page.errors == []

    asyncio.run(run())


def click(selector: str) -> str:
    return f"document.querySelector('{selector}').click()"


def test_a_token_in_the_address_signs_in_and_leaves_the_address(tmp_path: Path) -> None:
    async def scenario(_: Office, page: Page) -> None:
        await page.until("document.querySelector('#link').textContent === 'live'")
        assert await page.evaluate("location.href.includes('token')") is False
        assert await page.evaluate("sessionStorage.getItem('crossdock-token')") == TOKEN

    play(tmp_path, scenario)


def test_a_wrong_token_is_asked_for_again_and_forgotten(tmp_path: Path) -> None:
    async def scenario(_: Office, page: Page) -> None:
        await page.until("document.querySelector('#gate-error').textContent.includes('not valid')")
        assert await page.evaluate("sessionStorage.length") == 0
        await page.evaluate(f"document.querySelector('#token').value = '{TOKEN}'")
        await page.evaluate(click("#gate button"))
        await page.until("!document.querySelector('#desk').hidden")
        page.errors.clear()  # the browser logs the 401

    play(tmp_path, scenario, fragment="#token=wrong")


def test_what_waits_is_not_counted_again_for_each_route_of_a_feed(tmp_path: Path) -> None:
    async def scenario(_: Office, page: Page) -> None:
        await page.until("document.querySelector('#totals dd')")
        shown = await page.evaluate(TEXT.format("#totals"))
        assert "waiting3" in shown
        routes = "[{lag: 7, consumer: 'feed'}, {lag: 7, consumer: 'feed'}, {lag: 40, consumer: 'route-c'}]"
        assert await page.evaluate(f"connectorLag({routes})") == 47

    play(tmp_path, scenario)


def test_texts_of_partners_stay_text_everywhere(tmp_path: Path) -> None:
    async def scenario(_: Office, page: Page) -> None:
        # given
        await page.until("document.querySelector('#letters td')")
        # when
        await page.evaluate(click("#letters td .mono"))
        await page.until("document.querySelector('ol.journey')")
        await page.evaluate(click("#prove"))
        await page.until("document.querySelector('#ledger.bad td')")
        await page.evaluate("document.querySelector('[data-key^=see]').click()")
        await page.until("document.querySelector('dialog[open] pre')")
        # then
        for place in ("#letters", "#journey", "#recent", "#ledger-sums", "#box-body"):
            assert HOSTILE in await page.evaluate(TEXT.format(place)), place
        assert await page.evaluate("document.querySelectorAll('img, main script').length") == 0
        assert await page.evaluate("document.title") == "Crossdock operations"
        assert f'"n": {BIG}' in await page.evaluate(TEXT.format("#box-body pre"))

    play(tmp_path, scenario)


def test_what_would_get_through_is_stopped_by_the_policy(tmp_path: Path) -> None:
    async def scenario(_: Office, page: Page) -> None:
        await page.until("document.querySelector('#letters td')")
        await page.evaluate(f"document.body.insertAdjacentHTML('beforeend', {HOSTILE!r})")
        await page.until("document.querySelector('img').complete")
        assert await page.evaluate("document.title") == "Crossdock operations"
        assert any("Content Security Policy" in error for error in page.errors)
        page.errors.clear()  # the browser logs what it stopped

    play(tmp_path, scenario)


def test_a_replay_says_first_how_many_it_would_send(tmp_path: Path) -> None:
    async def scenario(made: Office, page: Page) -> None:
        # when
        await page.until("document.querySelector('#groups button')")
        await page.evaluate(click("#groups button"))
        await page.until("document.querySelector('dialog[open] button.main')")
        # then
        assert "1 event will be sent again" in await page.evaluate(TEXT.format("#box-body"))
        assert made.streams.records == []
        # when
        await page.evaluate(click("#box-acts button.main"))
        await page.until("document.querySelector('#box-title').textContent === 'Replayed'")
        # then
        assert "replay.stock" in [record.subject for record, _ in made.streams.records]

    play(tmp_path, scenario)


def test_a_route_is_paused_and_resumed_and_its_state_is_shown(tmp_path: Path) -> None:
    async def scenario(made: Office, page: Page) -> None:
        await page.until("document.querySelector('#routes .pill.bad')?.textContent === 'breaker open'")
        for act, state in (("Pause", "paused"), ("Resume", "breaker closed")):
            await page.until(f"document.querySelector('#routes button').textContent === '{act}'")
            await page.evaluate(click("#routes button"))
            await page.until(f"document.querySelector('#routes .pill').textContent === '{state}'")
            reads = "behind: reads on its own" if state == "paused" else "follows the feed"
            assert await page.evaluate(TEXT.format("#routes .facts")) == reads
        assert made.paused == {"stock": False}

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    ("state", "pill", "connector"),
    [
        ("full", "full", "slow"),
        ("half_open", "breaker half open", "being tried"),
        ("closed", "breaker closed", "answering"),
    ],
)
def test_every_state_of_a_route_has_its_words(tmp_path: Path, state: str, pill: str, connector: str) -> None:
    async def scenario(made: Office, page: Page) -> None:
        made.states["stock"] = {"breaker": state, "behind": True}
        await page.until(f"document.querySelector('#routes .pill')?.textContent === '{pill}'")
        assert await page.evaluate(TEXT.format("#connectors .pill")) == connector
        assert await page.evaluate(TEXT.format("#routes .facts")) == "behind: reads on its own"

    play(tmp_path, scenario)


def test_a_journey_says_which_routes_matched(tmp_path: Path) -> None:
    async def scenario(_: Office, page: Page) -> None:
        await page.until("document.querySelector('#letters td')")
        await page.evaluate(click("#letters td .mono"))
        await page.until("document.querySelector('ol.journey')?.textContent.includes('stock; orders is behind')")

    play(tmp_path, scenario)


def test_an_unknown_event_is_answered_in_words(tmp_path: Path) -> None:
    async def scenario(_: Office, page: Page) -> None:
        await page.until("!document.querySelector('#desk').hidden")
        await page.evaluate("document.querySelector('#key').value = 'nowhere'")
        await page.evaluate(click("#search button"))
        await page.until("document.querySelector('#journey').textContent.includes('nothing is known of nowhere')")
        page.errors.clear()  # the browser logs the 404

    play(tmp_path, scenario)


def test_nothing_is_wider_than_a_phone(tmp_path: Path) -> None:
    async def scenario(_: Office, page: Page) -> None:
        await page.until("document.querySelector('#letters td')")
        await page.evaluate(click("#letters td .mono"))
        await page.until("document.querySelector('ol.journey')")
        await page.evaluate(click("#prove"))
        await page.until("document.querySelector('#ledger.bad td')")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390

    play(tmp_path, scenario, width=390)


def test_every_control_has_a_name_and_can_take_the_focus(tmp_path: Path) -> None:
    async def scenario(_: Office, page: Page) -> None:
        await page.until("document.querySelector('#letters td')")
        nameless = (
            "[...document.querySelectorAll('#desk button, #desk input, #desk select')].filter((e) => e.tabIndex < 0 || "
        )
        nameless += "!(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length)).length"
        assert await page.evaluate(nameless) == 0

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    "word", ["default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'", "script-src 'sha256-"]
)
def test_the_page_is_served_with_a_strict_policy(tmp_path: Path, word: str) -> None:
    async def scenario() -> None:
        async with office(tmp_path) as made, aiohttp.ClientSession() as session, session.get(made.url) as answer:
            policy = answer.headers["content-security-policy"]
            assert word in policy and "unsafe" not in policy
            assert TOKEN not in await answer.text() and "://" not in (await answer.text()).replace(
                "http://www.w3.org", ""
            )

    asyncio.run(scenario())


def test_a_change_that_was_rejected_is_shown_with_its_reason(tmp_path: Path) -> None:
    async def scenario(made: Office, page: Page) -> None:
        made.office.problems = [Problem("bad_yaml", HOSTILE, "", "routes/stock.yaml", 3, 5)]
        await page.until(f"document.getElementById('content').textContent.includes({json.dumps(HOSTILE)})")
        assert await page.evaluate("document.getElementById('content').textContent.includes('routes/stock.yaml:3:5')")

    play(tmp_path, scenario)
