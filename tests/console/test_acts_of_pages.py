"""What people do on the console's pages in a real browser: replay, pause, acknowledge, discard, export."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import expect

from tests.console.chromium import Consoles, Seen, consoles
from tests.console.deskmade import HOSTILE

BUTTON: Final = "button"


@pytest.fixture(scope="module")
def driven() -> Iterator[Consoles]:
    with consoles() as made:
        yield made


@pytest.fixture
def seen(driven: Consoles, tmp_path: Path) -> Iterator[Seen]:
    with driven.open(tmp_path) as opened:
        yield opened


def test_a_replay_says_first_how_many_it_sends(seen: Seen) -> None:
    # when
    seen.go("/problems").get_by_role("link", name="refused · stock").click()
    seen.page.get_by_role(BUTTON, name="Replay 1 dead letter …").click()
    dialog = seen.page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 dead letter will be in the plan")
    dialog.get_by_label("Why").fill("mended")
    dialog.get_by_role(BUTTON, name="Make the plan").click()
    seen.page.wait_for_url("**/plans/rp-*")
    seen.page.get_by_role(BUTTON, name="Dry run").click()
    expect(seen.page.get_by_text("Would pass")).to_be_visible()
    # then
    assert seen.desk.streams.records == []
    # when
    seen.page.get_by_role(BUTTON, name="Run …").click()
    expect(seen.page.get_by_role("dialog")).to_contain_text("1 dead letter will be sent again")
    seen.page.get_by_role(BUTTON, name="Send 1").click()
    # then
    expect(seen.page.locator(".facts").first).to_contain_text("done")
    assert [record.subject for record, _ in seen.desk.streams.records if record.subject.startswith("replay")] == [
        "replay.stock"
    ]


def test_a_route_is_paused_with_a_reason_and_resumed(seen: Seen) -> None:
    # when
    seen.go("/routes").get_by_role(BUTTON, name="Pause stock").click()
    dialog = seen.page.get_by_role("dialog")
    dialog.get_by_role(BUTTON, name="Pause").click()
    expect(dialog).to_contain_text("Reason: say something.")
    dialog.get_by_label("Reason").fill("the ERP is maintained")
    dialog.get_by_role(BUTTON, name="Pause").click()
    # then
    expect(seen.page.get_by_role(BUTTON, name="Resume stock")).to_be_visible()
    assert seen.desk.paused == {"stock": True}
    # when
    seen.page.get_by_role(BUTTON, name="Resume stock").click()
    expect(seen.page.get_by_role(BUTTON, name="Pause stock")).to_be_visible()
    # then
    assert seen.desk.paused == {"stock": False}
    expect(seen.go("/audit").get_by_text("route.pause").first).to_be_visible()


def test_a_problem_is_acknowledged_given_an_owner_and_a_note(seen: Seen) -> None:
    page = seen.go("/problems")
    page.get_by_role("link", name="refused · stock").click()
    page.get_by_role(BUTTON, name="Acknowledge").click()
    expect(page.locator(".facts").first).to_contain_text("acknowledged")
    page.get_by_role(BUTTON, name="Owner and due time …").click()
    page.get_by_role("textbox", name="Owner").fill("anna")
    page.get_by_label("Due (UTC)").fill("2031-01-02T03:04")
    page.get_by_role(BUTTON, name="Save").click()
    expect(page.locator(".facts").first).to_contain_text("anna")
    page.get_by_role(BUTTON, name="Add a note …").click()
    page.get_by_role("textbox", name="Note").fill(HOSTILE)
    page.get_by_role(BUTTON, name="Add", exact=True).click()
    expect(page.locator("article")).to_contain_text(HOSTILE)


def test_a_dead_letter_is_discarded_with_a_reason(seen: Seen) -> None:
    page = seen.go("/dead-letters/dl-1")
    page.get_by_role(BUTTON, name="Discard …").click()
    expect(page.get_by_role("dialog")).to_contain_text("1 dead letter will be given up for good")
    page.get_by_role("textbox", name="Reason").fill("a test")
    page.get_by_role(BUTTON, name="Discard it").click()
    expect(page.get_by_text("Discarded.")).to_be_visible()


@pytest.mark.parametrize(("owner", "field"), [("=1+1", "'=1+1"), ("second, one", '"second, one"'), ("anna", ",anna,")])
def test_a_table_is_exported_without_formulas(seen: Seen, owner: str, field: str) -> None:
    # given
    page = seen.go("/problems")
    who = page.request.get(f"{seen.desk.url}/ops/v1/session").json()
    problem = page.request.get(f"{seen.desk.url}/ops/v1/problems").json()["items"][0]["id"]
    headers = {"x-csrf-token": who["csrf"], "origin": seen.desk.url}
    answer = page.request.patch(f"{seen.desk.url}/ops/v1/problems/{problem}", data={"owner": owner}, headers=headers)
    assert answer.ok
    expect(page.locator("tbody")).to_contain_text(owner)
    # when
    with page.expect_download() as saved:
        page.get_by_role(BUTTON, name="Export CSV").click()
    # then
    assert field in Path(saved.value.path()).read_text()


def test_a_table_is_filtered_and_sorted(seen: Seen) -> None:
    page = seen.go("/ledger")
    page.get_by_label("Filter Routes").fill("nothing like it")
    expect(page.get_by_text("Nothing fits the filter.")).to_be_visible()
    page.get_by_label("Filter Routes").fill("sto")
    page.get_by_role("region", name="Routes, table").get_by_role(BUTTON, name="Matched").click()
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Matched↑")
