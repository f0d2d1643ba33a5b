"""The console's pages in a real browser, over a desk with a partner's hostile texts in it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import expect

from console.access import Role
from crossdock.kernel.problems import Problem
from crossdock.kernel.stream import Record
from simulators.browser import LIVE
from tests.console.accessmade import AT, DIGEST, PASSWORD
from tests.console.chromium import PHONE, Consoles, Seen, consoles
from tests.console.deskmade import BIG, HOSTILE, TOKEN

BUTTON: Final = "button"


@pytest.fixture(scope="module")
def driven() -> Iterator[Consoles]:
    with consoles() as made:
        yield made


@pytest.fixture
def seen(driven: Consoles, tmp_path: Path) -> Iterator[Seen]:
    with driven.open(tmp_path) as opened:
        yield opened


def raw(driven: Consoles, seen: Seen, data: str) -> None:
    """Store the raw event whose journey the desk knows."""
    head = '"specversion":"1.0","id":"7","source":"/till/1","type":"pos.sale","dataschema":"/pos.sale/1.0"'
    event = f'{{{head},"data":{data}}}'
    headers = {"content-type": "application/cloudevents+json"}
    driven.run(seen.desk.streams.append(Record("raw.stores.tills", event.encode(), "7", headers)))


def test_what_an_event_said_is_shown_as_it_was_sent_with_every_number_exact(driven: Consoles, seen: Seen) -> None:
    # given
    raw(driven, seen, f'{{"note":"<b>{BIG}</b>","n":{BIG},"receipt":"R"}}')
    # when
    seen.go("/events/0042%2F7").get_by_role(BUTTON, name="As received").first.click()
    # then
    panel = seen.page.get_by_role("dialog")
    expect(panel).to_contain_text(f'"n": {BIG}')
    expect(panel).to_contain_text(f"<b>{BIG}</b>")
    assert panel.locator("b").count() == 0
    assert seen.faults() == []
    # when
    seen.page.keyboard.press("Escape")
    # then
    expect(panel).to_be_hidden()
    expect(seen.page.get_by_role(BUTTON, name="As received").first).to_be_focused()


def test_with_the_keyboard_alone_one_signs_in_searches_and_reads_a_journey(driven: Consoles, tmp_path: Path) -> None:
    with driven.open(tmp_path, token="") as seen:
        page, keys = seen.page, seen.page.keyboard
        page.goto(f"{seen.desk.url}/routes")
        expect(page.get_by_label("Name")).to_be_focused()
        # when
        keys.press("Shift+Tab")
        page.get_by_role(BUTTON, name="Use a token instead").focus()
        keys.press("Enter")
        keys.type(TOKEN)
        keys.press("Enter")
        # then
        page.wait_for_url("**/routes")
        page.wait_for_selector(LIVE, state="attached")
        # when
        keys.press("Tab")
        expect(page.get_by_text("Skip to the content")).to_be_focused()
        keys.press("/")
        keys.type("0042/7")
        keys.press("Enter")
        # then
        page.wait_for_url("**/events/0042%2F7")
        expect(page.locator("ol.journey")).to_contain_text("stock; orders is behind")
        page.wait_for_selector(LIVE, state="attached")
        # when
        for _ in range(100):
            keys.press("Tab")
            if page.evaluate("document.activeElement.textContent") == "All results":
                break
        keys.press("Enter")
        # then
        expect(page.get_by_role("region", name="Events, table").get_by_role("link").first).to_be_visible()


def test_a_token_in_the_address_signs_in_and_leaves_the_address(driven: Consoles, tmp_path: Path) -> None:
    with driven.open(tmp_path, token="") as seen:
        seen.page.goto(f"{seen.desk.url}/#token={TOKEN}")
        expect(seen.page.get_by_role("heading", name="Overview")).to_be_visible()
        assert "token" not in seen.page.url
        assert seen.page.evaluate("document.cookie.includes('crossdock_session')") is False


def test_a_wrong_token_is_answered_in_words(driven: Consoles, tmp_path: Path) -> None:
    with driven.open(tmp_path, token="") as seen:
        seen.page.goto(f"{seen.desk.url}/#token=wrong")
        expect(seen.page.get_by_role("alert")).to_contain_text("is wrong")


def test_another_site_is_never_gone_on_to_after_the_sign_in(driven: Consoles, tmp_path: Path) -> None:
    with driven.open(tmp_path) as seen:
        for place in ("//evil.example/", "/\\evil.example", "https://evil.example/", "javascript:alert(1)"):
            seen.page.goto(f"{seen.desk.url}/login?next={place}")
            seen.page.wait_for_url(f"{seen.desk.url}/")


def test_who_signs_out_sees_no_page_any_more(seen: Seen) -> None:
    seen.go("/problems").get_by_role(BUTTON, name="Sign out").click()
    seen.page.wait_for_url("**/login*")
    seen.page.goto(f"{seen.desk.url}/events/0042%2F7")
    seen.page.wait_for_url("**/login?next=/events/0042**")


def test_a_page_that_is_open_leaves_when_the_session_is_ended_elsewhere(driven: Consoles, seen: Seen) -> None:
    # given
    seen.go("/problems")
    session = seen.page.context.cookies()
    cookie = next(one["value"] for one in session if one["name"] == "crossdock_session")
    # when
    assert seen.desk.access is not None
    driven.run(seen.desk.access.sessions.end(cookie))
    # then
    seen.page.wait_for_url("**/login?next=/problems")


def test_a_viewer_is_offered_nothing_that_the_api_would_refuse(driven: Consoles, tmp_path: Path) -> None:
    with driven.open(tmp_path, token="") as seen:
        assert seen.desk.access is not None
        driven.run(seen.desk.access.users.add("vera", Role.VIEWER, DIGEST, AT))
        seen.page.goto(f"{seen.desk.url}/routes")
        seen.page.get_by_label("Name").fill("vera")
        seen.page.get_by_label("Password").fill(PASSWORD)
        seen.page.get_by_label("Password").press("Enter")
        expect(seen.page.get_by_role("heading", name="Routes", level=1)).to_be_visible()
        assert seen.page.get_by_role(BUTTON, name=re.compile("Pause|Resume")).count() == 0
        expect(seen.go("/audit").get_by_text("The audit log is for operators.")).to_be_visible()


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("full", "full"),
        ("half_open", "being tried"),
        ("closed", "answering"),
        ("unknown", "no worker"),
        ("paused", "paused"),
    ],
)
def test_every_state_of_a_route_has_its_words_without_a_reload(seen: Seen, state: str, said: str) -> None:
    seen.go("/routes")
    seen.desk.states["stock"] = {"breaker": state, "behind": True}
    expect(seen.page.locator("table .badge")).to_have_text(said)


def test_what_the_api_knows_nothing_of_is_said_in_its_words(seen: Seen) -> None:
    expect(seen.go("/events/nowhere-known").get_by_text("nothing is known of nowhere-known")).to_be_visible()
    expect(seen.go("/plans/rp-0").get_by_text("no plan rp-0")).to_be_visible()


def test_a_change_of_content_that_was_rejected_stands_above_every_page(seen: Seen) -> None:
    seen.desk.office.problems = [Problem("bad_yaml", HOSTILE, "", "routes/stock.yaml", 3, 5)]
    expect(seen.go("/plans").locator(".notices")).to_contain_text(f"routes/stock.yaml:3:5  {HOSTILE}")


def test_a_gap_of_the_ledger_stands_above_every_page(seen: Seen) -> None:
    expect(seen.go("/plans").get_by_role("alert")).to_contain_text("The ledger is not balanced: 1 event unexplained.")


def test_a_page_that_is_not_seen_asks_for_nothing(seen: Seen) -> None:
    # given
    page = seen.go("/routes")
    page.evaluate("emitEvent('seen', false)")
    page.wait_for_timeout(2500)  # what was under way
    # when
    seen.desk.states["stock"] = {"breaker": "full", "behind": True}
    page.wait_for_timeout(2500)
    # then
    expect(page.locator("table .badge")).to_have_text("not answering")
    # when
    page.evaluate("emitEvent('seen', true)")
    # then
    expect(page.locator("table .badge")).to_have_text("full")


def test_the_menu_of_a_phone_opens_and_names_the_page(driven: Consoles, tmp_path: Path) -> None:
    with driven.open(tmp_path, PHONE) as seen:
        page = seen.go("/routes")
        page.get_by_role(BUTTON, name="Menu").click()
        expect(page.get_by_role("navigation").get_by_role("link", name="Routes")).to_have_attribute(
            "aria-current", "page"
        )
        assert seen.faults() == []


def test_dark_or_light_is_kept(seen: Seen) -> None:
    seen.go("/plans").get_by_role(BUTTON, name="Dark colours").click()
    expect(seen.page.get_by_role(BUTTON, name="Light colours")).to_be_visible()
    assert seen.go("/audit").evaluate("document.documentElement.dataset.look") == "dark"
