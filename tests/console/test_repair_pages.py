"""Dead letters and plans in a real browser: looked at, edited, made a test, planned from past events, proved."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import expect

from crossdock.kernel.stream import DEAD_LETTER, EDIT
from simulators.browser import LIVE
from tests.console.chromium import Consoles, Seen, consoles
from tests.console.deskmade import BIG

BUTTON: Final = "button"
LETTER: Final = "/dead-letters/dl-1"


def at(document: str, store: str) -> str:
    """Return the text of the event as it should have been, with another store and a line."""
    return document.replace('"location": "x"', f'"location": "{store}"').replace(
        '"lines": []', '"lines": [{"item": "TEA"}, {"item": "TEA"}]'
    )


@pytest.fixture(scope="module")
def driven() -> Iterator[Consoles]:
    with consoles() as made:
        yield made


@pytest.fixture
def seen(driven: Consoles, tmp_path: Path) -> Iterator[Seen]:
    with driven.open(tmp_path) as opened:
        yield opened


def test_an_event_is_mended_by_hand_tried_dry_and_sent_with_its_numbers_exact(seen: Seen) -> None:
    page = seen.go(LETTER)
    page.get_by_role("link", name="Edit and replay …").click()
    page.wait_for_selector(LIVE, state="attached")
    assert seen.faults_everywhere() == {}
    field = page.get_by_role("textbox", name="The event")
    document = field.input_value()
    assert f'"n": {BIG}' in document
    # when
    field.fill(at(document, "STORE-1"))
    page.get_by_role(BUTTON, name="Dry run").click()
    # then
    expect(page.get_by_role("region", name="What changes")).to_contain_text("/data/location")
    expect(page.get_by_role("region", name="Body for stock")).to_contain_text(f'"n": {BIG}')
    assert seen.desk.streams.records == []
    assert seen.faults_everywhere() == {}
    # when
    field.fill(at(document, "STORE-2"))
    page.get_by_role(BUTTON, name="Send it …").click()
    expect(page.get_by_text("You have changed it since the dry run.").first).to_be_visible()
    page.get_by_role(BUTTON, name="Dry run").click()
    expect(page.get_by_role("region", name="What changes")).to_contain_text("STORE-2")
    page.get_by_role(BUTTON, name="Send it …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 event is sent again as you changed it, to stock")
    dialog.get_by_label("Reason").fill("the wrong store")
    dialog.get_by_role(BUTTON, name="Send 1").click()
    expect(page.get_by_text("Sent as edit ed-")).to_be_visible()
    # then
    (sent,) = [record for record, _ in seen.desk.streams.records if record.subject == "replay.stock"]
    assert (sent.headers[DEAD_LETTER], sent.headers[EDIT][:3]) == ("dl-1", "ed-")
    assert json.loads(sent.payload)["data"] | {"n": int(BIG), "location": "STORE-2"} == json.loads(sent.payload)["data"]


def test_what_was_edited_goes_on_as_a_patch_which_may_be_applied_to_all_alike(seen: Seen) -> None:
    page = seen.go(f"{LETTER}/edit")
    field = page.get_by_role("textbox", name="The event")
    field.fill(at(field.input_value(), "STORE-1"))
    page.get_by_label("Write a JSON Patch").check()
    patch = page.get_by_role("textbox", name="The JSON Patch")
    assert json.loads(patch.input_value()) == [
        {"op": "replace", "path": "/data/location", "value": "STORE-1"},
        {"op": "add", "path": "/data/lines/0", "value": {"item": "TEA"}},
        {"op": "add", "path": "/data/lines/1", "value": {"item": "TEA"}},
    ]
    page.get_by_role(BUTTON, name="Dry run").click()
    # when
    page.get_by_role(BUTTON, name="Apply the same to all alike …").click()
    expect(page.get_by_role("dialog")).to_contain_text("1 dead letter will be in the plan")
    page.get_by_role(BUTTON, name="Make the plan").click()
    page.wait_for_url("**/plans/rp-*")
    # then
    expect(page.locator(".facts").first).to_contain_text("Edited as")
    expect(page.get_by_text("It was not tried dry.")).to_be_visible()
    assert seen.faults_everywhere() == {}


def test_a_patch_that_does_not_fit_is_told_in_words_and_what_cannot_be_read_too(seen: Seen) -> None:
    page = seen.go(f"{LETTER}/edit")
    written = page.get_by_role("textbox", name="The event").input_value()
    page.get_by_role("textbox", name="The event").fill("{")
    page.get_by_role(BUTTON, name="Dry run").click()
    unread = page.get_by_text("What you wrote cannot be read. Not JSON: unexpected end of data")
    expect(unread).to_contain_text(". Send one JSON document in UTF-8.")
    expect(page.get_by_role("textbox", name="The event")).to_have_value("{")
    page.get_by_role("textbox", name="The event").fill(written)
    page.get_by_role(BUTTON, name="Dry run").click()
    expect(page.get_by_text("Nothing is changed yet.")).to_be_visible()
    expect(unread).to_have_count(0)
    page.reload()
    page.wait_for_selector(LIVE, state="attached")
    page.get_by_label("Write a JSON Patch").check()
    patch = page.get_by_role("textbox", name="The JSON Patch")
    patch.fill('[{"op": "remove", "path": "/data/nowhere"}]')
    page.get_by_role(BUTTON, name="Dry run").click()
    expect(page.get_by_role("alert").last).to_contain_text("nothing was sent")
    expect(page.locator(".banner.bad").filter(visible=True).last).to_contain_text("patch failed")


def test_a_dead_letter_becomes_a_test_that_is_copied_or_downloaded(seen: Seen, tmp_path: Path) -> None:
    page = seen.go(LETTER)
    page.get_by_role(BUTTON, name="Make a test …").click()
    page.get_by_label("What it is called").fill("a sale that nobody wants")
    page.get_by_role(BUTTON, name="Make it").click()
    panel = page.get_by_role("region", name="The test")
    expect(panel).to_contain_text("a sale that nobody wants")
    expect(page.get_by_role("region", name="The command")).to_contain_text("crossdock dlq promote dl-1 --project .")
    assert seen.faults() == []
    with page.expect_download() as saved:
        page.get_by_role(BUTTON, name="Download").click()
    assert saved.value.suggested_filename.endswith(".test.yaml")
    saved.value.save_as(tmp_path / "made.yaml")
    assert tmp_path.joinpath("made.yaml").read_text() == panel.inner_text()


def test_past_events_are_counted_before_a_plan_is_made_of_them(seen: Seen) -> None:
    page = seen.go("/plans")
    page.get_by_role("link", name="Plan a replay of past events").click()
    page.wait_for_selector(LIVE, state="attached")
    page.get_by_label("Partner").select_option("stores")
    page.get_by_role(BUTTON, name="Count").click()
    # then
    expect(page.get_by_role("status").filter(has_text="would be sent again")).to_contain_text("1 dead letter would")
    assert seen.faults_everywhere() == {}
    assert page.request.get(f"{seen.desk.url}/ops/v1/plans").json()["items"] == []
    # when
    page.get_by_label("To which routes").select_option("all")
    page.get_by_label("stock", exact=True).check()
    page.get_by_role(BUTTON, name="Count").click()
    expect(page.get_by_role("status").filter(has_text="would be sent again")).to_contain_text("1 event would")
    page.get_by_role(BUTTON, name="Make the plan …").click()
    page.get_by_role("dialog").get_by_role(BUTTON, name="Make the plan").click()
    page.wait_for_url("**/plans/rp-*")
    # then
    expect(page.locator(".facts").first).to_contain_text("all routes that want it")
    expect(page.locator(".facts").first).to_contain_text("partner stores")


def test_a_plan_that_waits_for_a_second_person_says_so(seen: Seen) -> None:
    seen.desk.desk.second_person = {"plan": 1}
    page = seen.go(LETTER)
    page.get_by_role(BUTTON, name="Replay …").click()
    page.get_by_role("dialog").get_by_role(BUTTON, name="Make the plan").click()
    page.wait_for_url("**/plans/rp-*")
    page.get_by_role(BUTTON, name="Run …").click()
    page.get_by_role(BUTTON, name="Send 1").click()
    expect(page.locator(".notices").filter(has_text="a second person has to approve ap-")).to_be_visible()
    assert seen.desk.streams.records == []


def test_the_ledger_shows_its_proof_and_what_a_pause_was_for_is_audited(seen: Seen) -> None:
    page = seen.go("/ledger")
    page.get_by_role(BUTTON, name="Prove it from the streams").click()
    expect(page.get_by_text("Read from the streams, from their beginning to their end.")).to_be_visible()
    assert seen.faults_everywhere() == {}
