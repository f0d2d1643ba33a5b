"""`/users`, `/tokens` and `/account` in a real browser: who may sign in is decided by admins, and by nobody else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import expect

from console.access import Role
from tests.console.accessmade import AT, DIGEST, PASSWORD
from tests.console.chromium import Consoles, Seen, consoles

BUTTON: Final = "button"


@pytest.fixture(scope="module")
def driven() -> Iterator[Consoles]:
    with consoles() as made:
        yield made


@pytest.fixture
def seen(driven: Consoles, tmp_path: Path) -> Iterator[Seen]:
    with driven.open(tmp_path) as opened:
        add(driven, opened, "anna", Role.OPERATOR)
        yield opened


def add(driven: Consoles, seen: Seen, name: str, role: Role) -> None:
    assert seen.desk.access is not None
    driven.run(seen.desk.access.users.add(name, role, DIGEST, AT))


def sign_in(seen: Seen, name: str, password: str = PASSWORD) -> bool:
    given = {"user": name, "password": password}
    return bool(seen.page.context.request.post(f"{seen.desk.url}/ops/v1/session", data=given, max_retries=2).ok)


@pytest.mark.parametrize("path", ["/users", "/tokens", "/account"])
def test_a_page_can_be_used_by_everybody(seen: Seen, path: str) -> None:
    seen.go(path)
    assert seen.faults_everywhere() == {}


def test_a_user_is_added_and_a_mistake_is_corrected_without_typing_all_again(seen: Seen) -> None:
    # given
    page = seen.go("/users")
    page.get_by_role(BUTTON, name="New user …").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("ben")
    dialog.get_by_label("Role").select_option("architect")
    dialog.get_by_label("Password, some words").fill("short")
    dialog.get_by_label("The password again").fill("shorter")
    # when
    dialog.get_by_role(BUTTON, name="Add the user").click()
    # then
    expect(dialog.get_by_role("alert")).to_have_text("The two passwords are not the same.")
    assert seen.faults() == []
    # when
    dialog.get_by_label("The password again").fill("short")
    dialog.get_by_role(BUTTON, name="Add the user").click()
    # then
    expect(dialog.get_by_role("alert")).to_contain_text("a password has 12 to")
    # when
    for label in ("Password, some words", "The password again"):
        dialog.get_by_label(label).fill("five words make one more")
    dialog.get_by_role(BUTTON, name="Add the user").click()
    # then
    expect(page.get_by_role("row", name="ben")).to_contain_text("architect")
    assert sign_in(seen, "ben", "five words make one more")


def test_a_user_gets_another_role_is_disabled_enabled_and_removed(seen: Seen) -> None:
    page = seen.go("/users")
    row, dialog = page.get_by_role("row", name="anna"), page.get_by_role("dialog")
    # when
    row.get_by_role(BUTTON, name="Role …").click()
    expect(dialog).to_contain_text("Sessions of anna end at once.")
    dialog.get_by_label("Role").select_option("viewer")
    dialog.get_by_role(BUTTON, name="Change the role").click()
    # then
    expect(row).to_contain_text("viewer")
    # when
    row.get_by_role(BUTTON, name="Disable …").click()
    dialog.get_by_role(BUTTON, name="Disable").click()
    # then
    expect(row).to_contain_text("disabled")
    # when
    row.get_by_role(BUTTON, name="Enable").click()
    # then
    expect(row).to_contain_text("may sign in")
    # when
    row.get_by_role(BUTTON, name="Remove …").click()
    dialog.get_by_role(BUTTON, name="Remove").click()
    # then
    expect(row).to_have_count(0)
    acts = [one["act"] for one in page.request.get(f"{seen.desk.url}/ops/v1/audit").json()["items"]]
    assert acts[:4] == ["user.remove", "user.change", "user.change", "user.change"]


def test_a_token_is_shown_once_works_and_is_refused_when_it_is_revoked(seen: Seen) -> None:
    # given
    page = seen.go("/tokens")
    dialog = page.get_by_role("dialog")
    page.get_by_role(BUTTON, name="New token …").click()
    dialog.get_by_label("Name").fill("grafana")
    dialog.get_by_label("Ends").fill("tomorrow")
    # when
    dialog.get_by_role(BUTTON, name="Make the token").click()
    # then
    expect(dialog.get_by_role("alert")).to_contain_text("no duration such as 90d")
    # when
    dialog.get_by_label("Ends").fill("30d")
    dialog.get_by_role(BUTTON, name="Make the token").click()
    # then
    secret = dialog.locator(".secret").inner_text()
    assert secret.startswith("cdo_")
    dialog.get_by_role(BUTTON, name="I have kept it").click()
    row = page.get_by_role("row", name="grafana")
    expect(row).to_contain_text("in 30 d")
    assert secret not in page.content()
    headers = {"authorization": f"Bearer {secret}"}
    assert page.request.get(f"{seen.desk.url}/metrics", headers=headers).ok
    # when
    row.get_by_role(BUTTON, name="Revoke …").click()
    dialog.get_by_role(BUTTON, name="Revoke").click()
    expect(row).to_have_count(0)
    # then
    seen.page.context.clear_cookies()
    assert page.request.get(f"{seen.desk.url}/metrics", headers=headers).status == 401


def test_who_is_no_admin_is_told_so_and_finds_no_way_there(driven: Consoles, tmp_path: Path) -> None:
    with driven.open(tmp_path, token="") as seen:
        add(driven, seen, "anna", Role.ARCHITECT)
        assert sign_in(seen, "anna")
        for path in ("/users", "/tokens"):
            page = seen.go(path)
            expect(page.get_by_text("are for admins.")).to_be_visible()
            assert page.get_by_role("navigation").get_by_role("link", name="Users").count() == 0


def test_a_person_changes_the_own_password_and_signs_in_with_it(driven: Consoles, tmp_path: Path) -> None:
    with driven.open(tmp_path, token="") as seen:
        # given
        add(driven, seen, "anna", Role.VIEWER)
        assert sign_in(seen, "anna")
        page = seen.go("/account")
        page.get_by_role(BUTTON, name="Change my password …").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("The password you have").fill("a wrong one of mine")
        for label in ("New password, some words", "The new password again"):
            dialog.get_by_label(label).fill("five words make one more")
        # when
        dialog.get_by_role(BUTTON, name="Change it").click()
        # then
        expect(dialog.get_by_role("alert")).to_have_text("the old password is wrong")
        # when
        dialog.get_by_label("The password you have").fill(PASSWORD)
        dialog.get_by_role(BUTTON, name="Change it").click()
        # then
        page.wait_for_url("**/login?next=/account")
        assert sign_in(seen, "anna", "five words make one more")


def test_who_signed_in_with_a_token_has_no_password_to_change(seen: Seen) -> None:
    expect(seen.go("/account").get_by_text("You signed in without a password of Crossdock")).to_be_visible()
    assert seen.page.get_by_role(BUTTON, name="Change my password").count() == 0
