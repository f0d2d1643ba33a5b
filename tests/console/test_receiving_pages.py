"""The pages of partners, sources, keys, schemas and drift in a real browser, with hostile texts in all of them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from console.access import Role
from crossdock.kernel.apikeys import make_key
from tests.console.accessmade import AT, DIGEST, PASSWORD
from tests.console.chromium import WIDE, Consoles, Seen, consoles
from tests.console.deskmade import HOSTILE
from tests.console.receiving import BUTTON, FILES, finding, happen, make, prepare

PAGES = (
    "/partners", "/partners/stores", "/partners/quiet", "/sources", "/schemas", "/schemas/pos.sale",
    "/schemas/spare.type", "/schemas/inventory.sold", "/drift", "/drift?state=settled",
)  # fmt: skip


@pytest.fixture(scope="module")
def driven() -> Iterator[Consoles]:
    with consoles() as made:
        yield made


@pytest.fixture(scope="module")
def held(driven: Consoles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    yield from _opened(driven, tmp_path_factory.mktemp("held"))


@pytest.fixture
def shown(held: Seen) -> Seen:
    """A desk that tests look at and leave as it is."""
    held.page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    return held


@pytest.fixture
def seen(driven: Consoles, tmp_path: Path) -> Iterator[Seen]:
    """A desk of the test's own."""
    yield from _opened(driven, tmp_path)


def _opened(driven: Consoles, root: Path) -> Iterator[Seen]:
    prepare(root)
    with driven.open(root, changes=FILES) as opened:
        driven.run(happen(opened.desk))
        yield opened


@pytest.mark.parametrize("path", PAGES)
def test_a_page_can_be_used_by_everybody_in_both_colours_on_a_desktop_and_on_a_phone(shown: Seen, path: str) -> None:
    shown.go(path)
    assert shown.faults_everywhere() == {}
    assert shown.page.locator("main img, .page img").count() == 0
    assert "owned" not in shown.page.title()


@pytest.mark.parametrize("kind", ["unknown_field", "null", "rule"])
def test_the_page_of_a_finding_can_be_used_by_everybody(shown: Seen, kind: str) -> None:
    shown.go(finding(shown, kind))
    expect(shown.page.get_by_role(BUTTON, name="Acknowledge")).to_be_visible()
    assert shown.faults_everywhere() == {}


@pytest.mark.parametrize("path", ["/drift", "/schemas", "/schemas/pos.sale", "/partners/stores"])
def test_texts_of_partners_and_architects_stay_text(shown: Seen, path: str) -> None:
    shown.go(path)
    expect(shown.page.get_by_text("<img src=x").first).to_be_visible()
    assert "owned" not in shown.page.title()


def test_a_partner_says_what_each_lost_point_is_for(shown: Seen) -> None:
    page = shown.go("/partners")
    expect(page.locator("tbody tr").first).to_contain_text("refused at the gateway")
    page.get_by_role("link", name="stores").click()
    page.wait_for_url("**/partners/stores")
    lost = page.get_by_role("region", name="Lost points, table")
    expect(lost).to_contain_text("accepted, but quarantined or refused by the process step")
    expect(page.get_by_role("region", name="Refused by code, table")).to_contain_text("invalid_json")
    expect(page.get_by_role("region", name="Sources, table")).to_contain_text("50/s, 100,000 a day")


def test_a_partner_of_whom_nothing_came_is_no_fault(shown: Seen) -> None:
    page = shown.go("/partners/quiet")
    expect(page.get_by_text("Nothing was lost.")).to_be_visible()
    expect(page.get_by_text("No keys. Nobody can send by one.")).to_be_visible()
    expect(shown.go("/partners/nobody").get_by_text("no partner nobody")).to_be_visible()


def test_a_key_is_made_shown_once_and_copied(seen: Seen) -> None:
    page = seen.go("/partners/stores")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role(BUTTON, name="Make a key …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    assert seen.faults() == []
    dialog.get_by_label("tills").check()
    dialog.get_by_label("Its own limit, such as 50/s; empty for none").fill("5/s")
    dialog.get_by_label("Note").fill(HOSTILE)
    dialog.get_by_role(BUTTON, name="Make it").click()
    # then
    shown = page.locator(".secret")
    expect(shown).to_have_text(re.compile(r"cdk_[0-9a-f]{12}_[\w-]{43}"))
    key = shown.inner_text()
    assert seen.faults() == []
    page.get_by_role(BUTTON, name="Copy").click()
    expect(page.get_by_role(BUTTON, name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == key
    # when
    page.keyboard.press("Escape")
    expect(shown).to_be_visible()
    page.get_by_role(BUTTON, name="I have kept it").click()
    # then
    expect(shown).to_have_count(0)
    table = page.get_by_role("region", name="Keys, table")
    expect(table).to_contain_text(HOSTILE)
    expect(table).to_contain_text("5/s")
    assert key not in page.content()
    record = seen.desk.keys.find(key.split("_")[1])
    assert record is not None and record.sources == ("tills",)


def test_a_key_that_cannot_be_made_is_corrected_in_its_dialog(seen: Seen) -> None:
    seen.go("/partners/stores")
    label = "Expires: 90d, or a day such as 2031-12-31; empty for never"
    dialog = make(seen, **{label: "tomorrow"})
    expect(dialog).to_contain_text("expires tomorrow: no duration such as 90d")
    dialog.get_by_label(label).fill("")
    dialog.get_by_role(BUTTON, name="Make it").click()
    expect(seen.page.locator(".secret")).to_be_visible()


def test_a_key_is_rolled_and_revoked(seen: Seen) -> None:
    page = seen.go("/partners/stores")
    (old,) = seen.desk.keys.records()
    page.get_by_role(BUTTON, name=f"Roll {old.id}").click()
    page.get_by_role("dialog").get_by_role(BUTTON, name="Roll it").click()
    expect(page.locator(".secret")).to_contain_text("cdk_")
    page.get_by_role(BUTTON, name="I have kept it").click()
    table = page.get_by_role("region", name="Keys, table")
    expect(table).to_contain_text(f"rolled to {seen.desk.keys.records()[1].id}")
    # when
    page.get_by_role(BUTTON, name=f"Revoke {old.id}").click()
    expect(page.get_by_role("dialog")).to_contain_text("refused within a second")
    page.get_by_role(BUTTON, name="Revoke it").click()
    # then
    expect(table).not_to_contain_text("rolled to")
    assert seen.desk.keys.find(old.id) is None


def test_a_viewer_sees_keys_and_findings_and_changes_none(driven: Consoles, seen: Seen) -> None:
    address = finding(seen, "null")
    seen.page.context.clear_cookies()
    assert seen.desk.access is not None
    driven.run(seen.desk.access.users.add("vera", Role.VIEWER, DIGEST, AT))
    given = {"user": "vera", "password": PASSWORD}
    assert seen.page.request.post(f"{seen.desk.url}/ops/v1/session", data=given, max_retries=2).ok
    seen.go("/partners/stores")
    expect(seen.page.get_by_role("region", name="Keys, table")).to_contain_text("works")
    assert seen.page.get_by_role(BUTTON, name=re.compile("Make a key|Roll|Revoke")).count() == 0
    seen.go(address)
    expect(seen.page.get_by_text("null /receipt")).to_be_visible()
    assert seen.page.get_by_role(BUTTON, name=re.compile("Acknowledge|Ignore|note")).count() == 0


def test_fields_left_out_from_the_beginning_stand_apart(shown: Seen) -> None:
    page = shown.go("/drift")
    expect(page.get_by_role("region", name="Drift, table")).to_contain_text("null /receipt")
    expect(page.get_by_role("region", name="Drift, table")).not_to_contain_text("/lines/*/colour")
    expect(page.get_by_role("region", name="Left out from the beginning, table")).to_contain_text("/lines/*/colour")
    expect(page.get_by_role("region", name="Sources looked at, table")).to_contain_text("tills")


def test_a_finding_is_ignored_with_a_note(seen: Seen) -> None:
    page = seen.go(finding(seen, "null"))
    page.get_by_role(BUTTON, name="Ignore").click()
    expect(page.locator(".facts").first).to_contain_text("ignored")
    page.get_by_role(BUTTON, name="Add a note …").click()
    page.get_by_role("textbox", name="Note").fill(HOSTILE)
    page.get_by_role(BUTTON, name="Add", exact=True).click()
    expect(page.locator("article")).to_contain_text(HOSTILE)
    expect(seen.go("/drift").get_by_role("region", name="Drift, table")).not_to_contain_text("null /receipt")
    expect(seen.go("/drift?state=ignored").get_by_role("region", name="Drift, table")).to_contain_text("null /receipt")


def test_a_schema_that_allows_a_finding_is_shown_as_a_difference_alone_and_with_others(shown: Seen) -> None:
    page = shown.go(finding(shown, "null"))
    proposal = page.get_by_role("region", name="1.1 to 1.2")
    expect(proposal.locator("ins", has_text='"null"')).to_be_visible()
    assert HOSTILE not in proposal.locator("ins").all_inner_texts()
    expect(page.get_by_role("region", name="Command")).to_have_text(re.compile(r"drift propose dr-\w+ --to \.$"))
    # when
    page.get_by_role(BUTTON, name=re.compile("With 1 other finding")).click()
    # then
    expect(proposal).to_contain_text("<img src=x")
    expect(page.get_by_role("region", name="Command")).to_have_text(re.compile(r"propose dr-\w+ dr-\w+ --to \.$"))


def test_what_no_schema_should_allow_says_why(shown: Seen) -> None:
    page = shown.go(finding(shown, "rule"))
    expect(page.get_by_text("a rule of its schema is broken")).to_be_visible()
    expect(page.get_by_text("breaks the rule")).to_be_visible()
    expect(shown.go("/drift/dr-none").get_by_text("no finding dr-none")).to_be_visible()


def test_two_versions_are_compared_with_a_witness(shown: Seen) -> None:
    page = shown.go("/schemas/spare.type")
    expect(page.get_by_text("not backward compatible")).to_be_visible()
    expect(page.get_by_text("This breaks what the type promises: backward transitive.")).to_be_visible()
    changes = page.get_by_role("region", name="Changes, table")
    expect(changes).to_contain_text("/required")
    expect(changes).to_contain_text('"location": "x"')
    expect(page.get_by_role("region", name="1.0 to 1.1").locator("ins").first).to_contain_text('1.1"')
    # when
    page.get_by_label("From", exact=True).select_option("1.1")
    page.get_by_label("To", exact=True).select_option("1.0")
    page.get_by_role(BUTTON, name="Compare", exact=True).click()
    # then
    page.wait_for_url("**/schemas/spare.type?from=1.1&to=1.0")
    expect(page.get_by_text("1.0 reads all that is written for 1.1.")).to_be_visible()


def test_a_schema_says_who_uses_it_and_which_fields_are_keys_or_personal(shown: Seen) -> None:
    page = shown.go("/schemas/pos.sale")
    uses = page.get_by_role("region", name="Used by, table")
    expect(uses).to_contain_text("tills")
    expect(uses).to_contain_text("pos.sale@1 to inventory.sold@1")
    fields = page.get_by_role("region", name="Annotated fields, table")
    expect(fields.get_by_role("row", name="/store")).to_contain_text("store")
    expect(fields.get_by_role("row", name="/buyer")).to_contain_text("personal")
    expect(page.get_by_role("region", name="Versions, table")).to_contain_text("tills")
    expect(shown.go("/schemas/pos.sold").get_by_text("no schema for the type pos.sold")).to_be_visible()
    expect(shown.go("/schemas/pos.sale?from=9.9").get_by_text("pos.sale has no version 9.9")).to_be_visible()


def test_a_key_that_ended_and_one_that_lasts_are_told_apart(driven: Consoles, seen: Seen) -> None:
    _, ended = make_key("stores", 1)
    driven.run(seen.desk.keys.put(type(ended)(ended.id, "stores", ended.digest, 1, expires=2)))
    page = seen.go("/partners/stores")
    row = page.get_by_role("row", name=ended.id)
    expect(row).to_contain_text("expired")
    expect(row.get_by_role(BUTTON, name=re.compile("Roll"))).to_have_count(0)
