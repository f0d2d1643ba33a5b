"""`/alerts` and `/approvals` in a real browser: what waits for people, and what they say to it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import expect

from console.access import Role
from tests.console.accessmade import AT, DIGEST, PASSWORD
from tests.console.busyday import ALERTS, alarms, asked, desk_of
from tests.console.chromium import Consoles, Seen, consoles
from tests.console.deskmade import HOSTILE

BUTTON: Final = "button"
PAGES = ("/alerts", "/approvals")


@pytest.fixture(scope="module")
def driven() -> Iterator[Consoles]:
    with consoles() as made:
        yield made


@pytest.fixture
def seen(driven: Consoles, tmp_path: Path) -> Iterator[Seen]:
    with driven.open(tmp_path, changes={"alerts/a.yaml": ALERTS}) as opened:
        yield opened


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("busy", [True, False], ids=["busy", "quiet"])
def test_a_page_can_be_used_by_everybody(driven: Consoles, seen: Seen, path: str, busy: bool) -> None:
    if busy:
        driven.run(alarms(seen))
        for act in ("discard", "plan", "edit"):
            driven.run(asked(seen, act))
    seen.go(path)
    assert seen.faults_everywhere() == {}
    assert seen.page.locator("main img").count() == 0


def test_what_fires_says_what_to_do_and_is_acknowledged_with_a_note(driven: Consoles, seen: Seen) -> None:
    # given
    driven.run(alarms(seen))
    page = seen.go("/alerts")
    firing = page.get_by_role("region", name="Firing, table")
    expect(firing).to_contain_text("Call the ERP team")
    expect(firing).to_contain_text("nobody")
    expect(page.get_by_role("link", name="Alerts 1 firing, nobody knows")).to_be_visible()
    # when
    page.get_by_role(BUTTON, name="Acknowledge … erp-lag, stock").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("300 events, allowed 100 events")
    dialog.get_by_label("Note").fill(HOSTILE)
    dialog.get_by_label("How long").select_option("2 hours")
    assert seen.faults() == []
    dialog.get_by_role(BUTTON, name="Acknowledge").click()
    # then
    expect(firing).to_contain_text(HOSTILE)
    expect(firing).to_contain_text("token")
    expect(page.locator(".tile", has_text="nobody knows of").locator(".tile-figure")).to_have_text("0")


def test_an_alert_leads_to_what_it_is_about(driven: Consoles, seen: Seen) -> None:
    driven.run(alarms(seen))
    link = seen.go("/alerts").get_by_role("region", name="Firing, table").get_by_role("link")
    assert link.get_attribute("href") == "/routes/stock"


def test_what_is_over_and_which_channel_fails_is_told(driven: Consoles, seen: Seen) -> None:
    driven.run(alarms(seen))
    page = seen.go("/alerts")
    expect(page.get_by_role("region", name="Over, table")).to_contain_text(HOSTILE)
    channels = page.get_by_role("region", name="Channels, table")
    expect(channels.get_by_role("row", name="away")).to_contain_text("HTTP 503")
    expect(page.get_by_role("region", name="Rules, table")).to_contain_text("lag, route stock, above 100")


def test_a_channel_is_tested_and_what_came_of_it_is_told(driven: Consoles, seen: Seen) -> None:
    # given
    here = driven.run(alarms(seen))
    page = seen.go("/alerts")
    # when
    page.get_by_role(BUTTON, name="Test chat").click()
    # then
    expect(page.get_by_text("chat took a notice: HTTP 200")).to_be_visible()
    assert here.got[-1][1].state == "test"
    # when
    page.get_by_role(BUTTON, name="Test away").click()
    # then
    expect(page.get_by_text("away did not take a notice: HTTP 503")).to_be_visible()


def test_approvals_are_not_in_the_way_where_nobody_asks_for_a_second_person(driven: Consoles, seen: Seen) -> None:
    page = seen.go("/approvals")
    expect(page.get_by_role("navigation").get_by_role("link", name="Audit")).to_be_visible()
    expect(page.get_by_role("navigation").get_by_role("link", name="Approvals")).to_have_count(0)
    expect(page.get_by_text("config.yaml asks for none")).to_be_visible()
    # when
    driven.run(asked(seen))
    # then
    expect(seen.go("/").get_by_role("link", name="Approvals 1 waiting")).to_be_visible()


def test_another_person_approves_with_words_and_it_is_done(driven: Consoles, seen: Seen) -> None:
    # given
    approval = driven.run(asked(seen))
    page = seen.go("/approvals")
    card = page.get_by_role("article")
    expect(card).to_contain_text(HOSTILE)
    expect(card.get_by_role("link", name="dl-1")).to_have_attribute("href", "/dead-letters/dl-1")
    # when
    card.get_by_role(BUTTON, name="Approve …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("discard, 1 dead letter")
    dialog.get_by_label("Your words").fill("looked at it")
    dialog.get_by_role(BUTTON, name="Approve").click()
    # then
    expect(page.get_by_text("Nothing waits for a second person.")).to_be_visible()
    decided = page.get_by_role("region", name="Decided, table")
    expect(decided).to_contain_text("looked at it")
    expect(decided).to_contain_text("done")
    stored = driven.run(desk_of(seen).approvals.get(approval))
    assert stored is not None and (stored.state, stored.by, stored.said) == ("done", "token", "looked at it")


def test_a_refusal_takes_words(driven: Consoles, seen: Seen) -> None:
    # given
    approval = driven.run(asked(seen, "plan"))
    page = seen.go("/approvals")
    # when
    page.get_by_role(BUTTON, name="Refuse …").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role(BUTTON, name="Refuse").click()
    # then
    expect(dialog).to_contain_text("Your words: say something.")
    # when
    dialog.get_by_label("Your words").fill("the till is right")
    dialog.get_by_role(BUTTON, name="Refuse").click()
    # then
    expect(page.get_by_role("region", name="Decided, table")).to_contain_text("the till is right")
    stored = driven.run(desk_of(seen).approvals.get(approval))
    assert stored is not None and stored.state == "refused"


def test_what_cannot_be_done_any_more_is_said_where_it_was_asked(driven: Consoles, seen: Seen) -> None:
    driven.run(asked(seen, "plan"))
    page = seen.go("/approvals")
    page.get_by_role(BUTTON, name="Approve …").click()
    page.get_by_role("dialog").get_by_role(BUTTON, name="Approve").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text("no plan rp-0")


def test_who_asked_may_only_take_it_back(driven: Consoles, seen: Seen) -> None:
    driven.run(asked(seen, who="token"))
    page = seen.go("/approvals")
    expect(page.get_by_role(BUTTON, name="Take it back …")).to_be_visible()
    expect(page.get_by_role(BUTTON, name="Approve …")).to_have_count(0)


def test_a_discard_that_takes_a_second_person_says_that_it_waits(seen: Seen) -> None:
    # given
    desk_of(seen).second_person = {"discard": 1}
    page = seen.go("/dead-letters/dl-1")
    # when
    page.get_by_role(BUTTON, name="Discard …").click()
    page.get_by_role("textbox", name="Reason").fill("a test")
    page.get_by_role(BUTTON, name="Discard it").click()
    # then
    expect(page.get_by_text("Another person has to approve this: ap-")).to_be_visible()
    expect(seen.go("/approvals").get_by_role("article")).to_contain_text("a test")


def test_a_viewer_sees_both_pages_and_is_offered_no_act(driven: Consoles, tmp_path: Path) -> None:
    with driven.open(tmp_path, token="", changes={"alerts/a.yaml": ALERTS}) as seen:
        assert seen.desk.access is not None
        driven.run(seen.desk.access.users.add("vera", Role.VIEWER, DIGEST, AT))
        driven.run(alarms(seen))
        driven.run(asked(seen))
        given = {"user": "vera", "password": PASSWORD}
        assert seen.page.context.request.post(f"{seen.desk.url}/ops/v1/session", data=given, max_retries=2).ok
        page = seen.go("/alerts")
        expect(page.get_by_role("region", name="Firing, table")).to_be_visible()
        assert page.get_by_role(BUTTON, name="Acknowledge").count() + page.get_by_role(BUTTON, name="Test").count() == 0
        page = seen.go("/approvals")
        expect(page.get_by_text("An operator approves or refuses this.")).to_be_visible()
        assert page.get_by_role(BUTTON, name="Approve").count() == 0


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("/routes/stock", "All routes"),
        ("/connectors/erp", "All connectors"),
        ("/sources/tills", "All sources"),
        ("/problems?state=open&route=stock", "refused · stock"),
        ("/problems?state=open&source=tills", "No problem is open."),
        ("/drift?source=tills", "Drift"),
        ("/ledger", "Ledger"),
    ],
)
def test_the_links_of_alerts_lead_to_what_they_are_about(seen: Seen, path: str, there: str) -> None:
    page = seen.go(path)
    expect(page.get_by_role("main")).to_contain_text(there)
    expect(page.get_by_text("There is no page")).to_have_count(0)
