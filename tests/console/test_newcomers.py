"""What people meet on their first day at the console: lists, charts and journeys that say no more than they know."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from console.pages.journey import at_its_end
from console.pages.overview import speed
from console.pages.plan import untried
from journal import entry
from journal.entry import Entry
from journal.figures import HOUR, MS
from tests.console.busyday import deliveries, desk_of
from tests.console.chromium import Consoles, Seen, consoles
from tests.console.deskmade import HOSTILE, lines

OPTIONS = "(one) => getElement(Number(one.id.slice(1))).chart.getOption()"
MATCHED: dict[str, Any] = {"stage": "deliver", "outcome": "matched", "routes": ["erp"], "behind": []}
ROUTED: dict[str, Any] = {"stage": "process", "outcome": "routed"}


@pytest.fixture(scope="module")
def driven() -> Iterator[Consoles]:
    with consoles() as made:
        yield made


@pytest.fixture
def seen(driven: Consoles, tmp_path: Path) -> Iterator[Seen]:
    with driven.open(tmp_path) as opened:
        yield opened


def project(seen: Seen, *more: Entry) -> None:
    journal = desk_of(seen).journal
    journal.project(more, journal.position() + 1)


def letters(seen: Seen) -> list[str]:
    """Return the ids of the dead letters that the page lists."""
    table = seen.page.get_by_role("region", name="Dead letters, table")
    expect(table.or_(seen.page.locator(".empty")).first).to_be_visible()
    return table.locator("tbody tr td:nth-child(3)").all_inner_texts()


def test_dead_letters_are_listed_newest_first_and_chosen_by_a_form_that_the_address_holds(seen: Seen) -> None:
    # given
    dead = lines()[3]
    later = [dead._replace(at=dead.at + n, raw=10 + n, dead_letter=f"dl-{n}", id=f"s-{n}") for n in (5, 6)]
    project(seen, *later, dead._replace(at=dead.at + 7, raw=17, dead_letter="dl-7", reason="expired"))
    # when
    seen.go("/dead-letters")
    # then
    assert letters(seen) == ["dl-7", "dl-6", "dl-5", "dl-1"]
    # when
    seen.page.get_by_label("Reason").fill("refused")
    seen.page.get_by_label("Contains").fill("S-5")
    seen.page.get_by_label("Contains").press("Enter")
    expect(seen.page).to_have_url(re.compile("text=S-5"))
    # then
    assert letters(seen) == ["dl-5"]
    assert "reason=refused" in seen.page.url and "state=open" in seen.page.url
    expect(seen.page.get_by_label("Contains")).to_have_value("S-5")
    seen.go("/dead-letters?partner=nobody")
    expect(seen.page.get_by_text("No dead letter fits.")).to_be_visible()


def test_more_dead_letters_than_one_page_holds_are_on_the_next(seen: Seen) -> None:
    # given
    dead = lines()[3]
    project(seen, *(dead._replace(at=dead.at + n, raw=10 + n, dead_letter=f"dl-n{n:03}") for n in range(1, 210)))
    # when
    seen.go("/dead-letters").get_by_role("link", name="Next page").click()
    # then
    seen.page.wait_for_url("**after=1.*")
    assert letters(seen) == [*(f"dl-n{n:03}" for n in range(9, 0, -1)), "dl-1"]
    seen.page.get_by_role("link", name="First page").click()
    expect(seen.page.get_by_text("dl-n209")).to_be_visible()


def test_a_search_that_one_event_fits_leads_to_its_journey_and_from_there_to_all_results(seen: Seen) -> None:
    # when
    seen.page.goto(f"{seen.desk.url}/events?key=0042/7")
    # then
    seen.page.wait_for_url("**/events/0042%2F7")
    seen.page.get_by_role("link", name="All results").click()
    seen.page.wait_for_url("**list=yes")
    expect(seen.page.get_by_role("region", name="Events, table").locator("tbody tr")).to_have_count(1)


@pytest.mark.parametrize("query", ["key=0042/7&partner=stores", "key=nobody", "outcome=duplicate", ""])
def test_any_other_search_is_listed(seen: Seen, query: str) -> None:
    seen.go(f"/events?{query}")
    expect(seen.page.get_by_role("heading", name="Events", level=1)).to_be_visible()


def test_a_search_that_two_events_fit_is_listed(seen: Seen) -> None:
    first, made, *_ = lines()
    project(seen, first._replace(raw=2, id="s-2"), made._replace(raw=2, id="s-2", seq=2))
    seen.go("/events?key=0042/7")
    expect(seen.page.get_by_role("region", name="Events, table").locator("tbody tr")).to_have_count(2)


@pytest.mark.parametrize(("query", "offered"), [("key=nobody", 0), ("partner=stores", 1)])
def test_a_replay_is_offered_of_what_was_found_only(seen: Seen, query: str, offered: int) -> None:
    seen.go(f"/events?{query}")
    expect(seen.page.get_by_role("link", name="Clear")).to_be_visible()
    expect(seen.page.get_by_role("link", name="Plan a replay of these")).to_have_count(offered)


def test_what_a_partner_is_refused_is_no_drift_on_its_page(seen: Seen) -> None:
    # given
    event = {"source": "tills", "type": "pos.sale", "version": "1.0", "id": "r-1", "data": {"colour": "red"}}
    desk_of(seen).drifts.refused(event)
    # when
    seen.go("/partners/stores")
    # then
    row = seen.page.get_by_role("region", name="Drift, table").locator("tbody tr").first
    expect(row).to_contain_text("1 refused")
    expect(row).not_to_contain_text("%")
    expect(seen.page.locator(".tile", has_text="Drift").locator(".tile-figure")).to_have_text("0")


def test_nobody_is_told_a_speed_before_it_is_known(seen: Seen) -> None:
    assert (speed(0.0, {}), speed(0.0, {"source tills": 0.0}), speed(2.5, {"source tills": 2.5})) == (
        "–", "0/s", "2.5/s",
    )  # fmt: skip
    tile = seen.go("/").locator(".tile", has_text="accepted")
    expect(tile).to_contain_text("0/s")


def test_a_chart_says_which_line_is_which_and_ends_now(seen: Seen) -> None:
    # given
    deliveries(seen)
    # when
    chart = seen.go("/processes?range=6h").locator("figure", has_text="Events a second")
    # then
    expect(chart.locator(".chart-line")).to_have_count(3)
    expect(chart.locator(".swatch.dashed")).to_have_count(1)
    colours = chart.locator(".swatch").evaluate_all("all => all.map((one) => one.style.borderColor)")
    assert len(set(colours)) == 2
    ends = chart.locator(".chart-canvas").evaluate(f"{OPTIONS}.xAxis[0].max")
    assert 0 <= time.time() * 1000 - ends < 10 * MS


def test_an_hour_alone_is_a_dot_and_no_line_that_nobody_sees(seen: Seen) -> None:
    # given
    deliveries(seen, each_hour=1, now=int(time.time() * 1000) - 3 * HOUR * MS)
    # when
    chart = seen.go("/processes?range=6h").locator("figure", has_text="From accepted to delivered")
    expect(chart.locator(".chart-line").first).to_be_visible()
    # then
    dots = f"{OPTIONS}.series[0].data.filter((point) => point.symbol).length"
    assert chart.locator(".chart-canvas").evaluate(dots) > 0


def test_what_the_process_step_gives_up_stands_among_the_dead_letters_of_a_type(seen: Seen) -> None:
    # given
    deliveries(seen)
    now = int(time.time() * 1000)
    gone = Entry(now, entry.PROCESS, entry.DEAD_LETTERED, "stores", "tills", "x", "/t", "pos.sale", 70_001)
    project(seen, gone._replace(dead_letter="dl-9", reason="lookup_missing"))
    # when
    seen.go("/processes")
    # then
    row = seen.page.get_by_role("region", name="By type, table").locator("tr", has_text="pos.sale")
    expect(row.locator("td").last).to_have_text("1")


def test_a_table_that_goes_on_to_the_right_says_so_until_one_is_there(seen: Seen) -> None:
    # given
    seen.page.set_viewport_size({"width": 760, "height": 900})
    box = seen.go("/dead-letters").locator(".sheet-box")
    # then
    expect(box).to_have_class("sheet-box cut")
    # when
    box.locator(".sheet-body").evaluate("(one) => one.scrollTo(one.scrollWidth, 0)")
    # then
    expect(box).to_have_class("sheet-box")
    # when
    seen.page.set_viewport_size({"width": 390, "height": 844})
    expect(box).to_have_class("sheet-box")


def test_a_journey_that_goes_on_is_not_said_to_have_taken_its_time(seen: Seen) -> None:
    seen.go(f"/events/{quote(HOSTILE, safe='')}")
    expect(seen.page.get_by_text("not at its end yet")).to_be_visible()
    dead, matched = lines()[3], lines()[2]
    project(seen, dead._replace(outcome=entry.SKIPPED, route="orders", dead_letter="", at=matched.at + 2000))
    seen.go(f"/events/{quote(HOSTILE, safe='')}")
    expect(seen.page.get_by_text("2.0 s", exact=True).first).to_be_visible()


@pytest.mark.parametrize(
    ("hops", "ended"),
    [
        ([{"stage": "gateway", "outcome": "accepted"}], False),
        ([ROUTED], False),
        ([{"stage": "process", "outcome": "duplicate"}], True),
        ([{"stage": "process", "outcome": "quarantined"}], True),
        ([ROUTED, MATCHED], False),
        ([ROUTED, {**MATCHED, "routes": []}], True),
        ([ROUTED, {**MATCHED, "routes": [], "behind": ["erp"]}], False),
        ([ROUTED, MATCHED, {"stage": "deliver", "route": "erp", "outcome": "retried"}], False),
        ([ROUTED, MATCHED, {"stage": "deliver", "route": "erp", "outcome": "delivered"}], True),
        ([ROUTED, MATCHED, {"stage": "deliver", "route": "wms", "outcome": "delivered"}], False),
        ([MATCHED, {"route": "erp", "stage": "deliver", "outcome": "dead_lettered"},
          {"route": "erp", "stage": "replay", "outcome": "replayed"}], False),
    ],
)  # fmt: skip
def test_an_event_is_at_its_end_when_every_route_that_wants_it_is(hops: list[dict[str, Any]], ended: bool) -> None:
    assert at_its_end(hops) is ended


def test_a_plan_that_was_tried_dry_is_not_said_to_be_untried() -> None:
    assert untried("") == "Not tried yet. A dry run sends nothing."
    assert untried("0123456789abcdef").startswith("It was tried dry by revision 0123456789ab. Try it again")


def test_a_time_is_rounded_and_not_cut(seen: Seen) -> None:
    # given
    dead, now = lines()[3], int(time.time() * 1000)
    project(seen, dead._replace(at=now - 7_100_000, raw=9, dead_letter="dl-9"))
    # when
    seen.go("/dead-letters?text=dl-9")
    # then
    expect(seen.page.get_by_role("region", name="Dead letters, table").locator("time").first).to_have_text("2 h ago")
