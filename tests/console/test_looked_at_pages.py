"""That pages can be used by everybody and keep a partner's hostile texts as text: at a desk that nobody changes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import expect

from tests.console.chromium import WIDE, Consoles, Seen, consoles
from tests.console.deskmade import BIG, HOSTILE

PAGES = (
    "/", "/events", "/events?outcome=delivered&route=stock", "/events/0042%2F7", "/problems", "/dead-letters",
    "/dead-letters/dl-1", "/plans", "/routes", "/connectors", "/ledger", "/audit", "/nowhere",
)  # fmt: skip
BUTTON: Final = "button"


@pytest.fixture(scope="module")
def driven() -> Iterator[Consoles]:
    with consoles() as made:
        yield made


@pytest.fixture(scope="module")
def held(driven: Consoles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    with driven.open(tmp_path_factory.mktemp("held")) as opened:
        yield opened


@pytest.fixture
def shown(held: Seen) -> Seen:
    """A desk that tests look at and leave as it is."""
    held.page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    return held


@pytest.mark.parametrize("path", PAGES)
def test_a_page_can_be_used_by_everybody_in_both_colours_on_a_desktop_and_on_a_phone(shown: Seen, path: str) -> None:
    shown.go(path)
    assert shown.faults_everywhere() == {}


def test_the_page_of_a_problem_can_be_used_by_everybody(shown: Seen) -> None:
    shown.go("/problems").get_by_role("link", name="refused · stock").click()
    shown.page.wait_for_url("**/problems/pr-*")
    expect(shown.page.get_by_role(BUTTON, name="Acknowledge")).to_be_visible()
    assert shown.faults_everywhere() == {}


def test_the_sign_in_page_can_be_used_by_everybody(driven: Consoles, tmp_path: Path) -> None:
    with driven.open(tmp_path, token="") as seen:
        for look in ("light", "dark"):
            seen.page.emulate_media(color_scheme="dark" if look == "dark" else "light")
            seen.page.context.clear_cookies()
            seen.page.goto(f"{seen.desk.url}/routes")
            expect(seen.page.get_by_label("Name")).to_be_focused()
            assert seen.page.evaluate("document.documentElement.dataset.look") == look
            assert seen.faults() == []


@pytest.mark.parametrize("path", ["/", "/events", "/events/0042%2F7", "/dead-letters", "/dead-letters/dl-1", "/ledger"])
def test_texts_of_partners_stay_text(shown: Seen, path: str) -> None:
    shown.go(path)
    expect(shown.page.get_by_text(HOSTILE).first).to_be_visible()
    assert shown.page.locator("main img").count() == 0
    assert "owned" not in shown.page.title()


def test_a_dead_letter_shows_integers_that_a_browser_would_round(shown: Seen) -> None:
    page = shown.go("/dead-letters/dl-1")
    expect(page.get_by_role("region", name="As received")).to_contain_text(BIG)
