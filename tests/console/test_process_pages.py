"""`/processes` and `/conformance` in a real browser: figures beside the week before, deviations with their journeys."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.console.busyday import deliveries, deviations
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


def tile(page: Page, name: str) -> str:
    return page.locator(".tile", has_text=name).first.inner_text()


@pytest.mark.parametrize(
    ("path", "busy"),
    [("/processes?by=store&range=7d", True), ("/processes", False), ("/conformance", True), ("/conformance", False)],
)
def test_a_page_can_be_used_by_everybody(seen: Seen, path: str, busy: bool) -> None:
    if busy:
        deliveries(seen)
        deviations(seen)
    seen.go(path)
    assert seen.faults_everywhere() == {}
    assert seen.page.locator("main img").count() == 0


def test_figures_stand_beside_those_of_the_week_before(seen: Seen) -> None:
    deliveries(seen, days=1, each_hour=9)
    page = seen.go("/processes?range=7d&by=route")
    assert tile(page, "delivered").split("\n")[1] == "216"
    assert "vs week before" in tile(page, "p95")
    assert tile(page, "rework").split("\n")[1] == "11.1%"
    hops = page.get_by_role("region", name="Hops, table")
    for hop in ("check, dedupe, transform", "shown to the route", "delivered", "in all"):
        expect(hops.get_by_role("row", name=hop)).to_be_visible()
    expect(page.get_by_role("region", name="Rework, table")).to_contain_text("duplicate")
    expect(page.get_by_role("figure").filter(has_text="From accepted to delivered")).to_contain_text(
        "p95 the week before"
    )
    expect(page.get_by_role("figure").filter(has_text="How long deliveries took")).to_contain_text("Most took up to")


def test_the_figures_of_one_value_are_a_click_away_and_have_an_address(seen: Seen) -> None:
    # given
    deliveries(seen)
    page = seen.go("/processes?by=store&range=7d")
    # when
    page.get_by_role("region", name="By store, table").get_by_role("link", name=HOSTILE).click()
    # then
    page.wait_for_url(f"**/processes?range=7d&by=store&value={quote(HOSTILE, safe='').replace('%20', '+')}")
    expect(page.locator("main")).to_contain_text(f"Only store {HOSTILE}")
    assert int(tile(page, "delivered").split("\n")[1]) in (96 // 7, 96 // 7 + 1)
    # when
    page.get_by_role("link", name="All stores").click()
    # then
    expect(page.get_by_text("Only store")).to_have_count(0)
    assert tile(page, "delivered").split("\n")[1] == "96"


def test_a_table_is_exported_with_durations_in_milliseconds(seen: Seen) -> None:
    deliveries(seen)
    page = seen.go("/processes?by=store")
    with page.expect_download() as saved:
        page.locator(".sheet", has=page.get_by_label("Filter By store")).get_by_role(BUTTON, name="Export CSV").click()
    lines = Path(saved.value.path()).read_text().splitlines()
    assert lines[0].startswith("Store,Delivered,A minute,vs week before,p50 (ms),p95 (ms),p99 (ms)")
    assert all(cell.replace(".", "").isdigit() for cell in lines[1].split(",")[4:7])


@pytest.mark.parametrize("path", ["/processes?from=2026-11-02T00:00&to=2026-11-01T00:00", "/conformance?from=nonsense"])
def test_a_time_that_is_none_is_said_in_words(seen: Seen, path: str) -> None:
    page = seen.go(path)
    expect(page.get_by_role("alert").filter(has_text="could not be refreshed")).to_be_visible()


def test_a_deviation_leads_to_the_journey_of_its_key(seen: Seen) -> None:
    # given
    deviations(seen)
    page = seen.go("/conformance")
    expect(page.get_by_text("3 events still missing.")).to_be_visible()
    # when
    page.get_by_role("region", name="Deviations, table").get_by_role("link", name="A/1").click()
    # then
    page.wait_for_url("**/events/A%2F1")
    expect(page.locator("ol.journey")).to_contain_text("routed")


def test_deviations_are_chosen_by_rule_and_state(seen: Seen) -> None:
    # given
    deviations(seen)
    page = seen.go("/conformance")
    # when
    page.get_by_role("link", name="receipt-without-asn").first.click()
    page.wait_for_url("**/conformance?rule=receipt-without-asn")
    page.get_by_label("State").select_option("late")
    page.get_by_role(BUTTON, name="Show").click()
    # then
    page.wait_for_url("**rule=receipt-without-asn&state=late**")
    expect(page.get_by_text("No deviation fits.")).to_be_visible()


def test_older_deviations_are_a_page_further(seen: Seen) -> None:
    deviations(seen, many=130)
    page = seen.go("/conformance")
    page.get_by_role("link", name="Older").click()
    page.wait_for_url("**/conformance?after=100")
    expect(page.get_by_role("region", name="Deviations, table").get_by_role("row")).to_have_count(31)
    expect(page.get_by_role("link", name="Newest")).to_be_visible()


def test_a_desk_without_rules_says_who_writes_them(seen: Seen) -> None:
    expect(seen.go("/conformance").get_by_text("An architect writes them in journal/*.yaml.")).to_be_visible()
