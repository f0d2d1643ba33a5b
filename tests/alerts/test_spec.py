"""A mistake in a file of alerts is told at its line and column, with what was probably meant and without a secret."""

from pathlib import Path

import pytest

from alerts.spec import load
from crossdock.bundle import pack
from crossdock.checking import check
from tests import smallproject

KEY = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY="


def told(root: Path, text: str, **env: str) -> list[tuple[int, int, str, str]]:
    """Return line, column, code and hint of all that is wrong with a project that has these alerts."""
    made = smallproject.write(root, {"alerts/a.yaml": text})
    found = check(made, {**smallproject.ENV, **env}).problems
    assert {problem.file for problem in found} <= {"alerts/a.yaml"}
    return [(problem.line, problem.column, problem.code, problem.hint) for problem in found]


def alert(when: str, more: str = "") -> str:
    return f"alerts:\n  - alert: one\n    when: {{{when}}}\n{more}"


@pytest.mark.parametrize(
    ("when", "column", "code", "hint"),
    [
        ("lag: {route: stok, above: 3}", 18, "unknown_route", "did you mean stock?"),
        ("silent_source: {source: [tills, til]}", 44, "unknown_source", "did you mean tills?"),
        ("breaker_open: {connector: epr}", 27, "unknown_connector", "did you mean erp?"),
        ("lagg: {above: 3}", 12, "unknown_key", "did you mean lag?"),
        ("dead_letter_rate: {above: 10}", 31, "bad_value", "a number a second, minute or hour"),
        ("dead_letter_rate: {route: stock, source: tills, above: 1/h}", 45, "contradiction", "make two alerts of it"),
        ("hop_sla: {source: tills, hop: deliver, above: 1s}", 22, "contradiction", "`process` is of a source"),
        ("oldest_age: {}", 12, "missing_key", "add above: how old"),
        ("", 5, "bad_value", "one kind of condition"),
    ],
)
def test_a_condition_that_cannot_be_judged(tmp_path: Path, when: str, column: int, code: str, hint: str) -> None:
    ((line, at, found, said),) = told(tmp_path, alert(when))
    assert (line, at, found) == (3, column, code)
    assert hint in said


def test_a_channel_that_nobody_names_right(tmp_path: Path) -> None:
    text = alert("lag: {above: 1}", "    to: [lgo]\n")
    assert told(tmp_path, text) == [(4, 10, "unknown_channel", "did you mean log?")]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ('kind: webhook, url: "${URL}", secret: "${S}"', "private_address"),
        ('kind: webhook, url: "http://ops.example", secret: "${S}"', "bad_url"),
        ('kind: webhook, url: "https://ops.example", secret: "${URL}"', "bad_secret"),
        ('kind: webhook, url: "https://ops.example"', "missing_key"),
        ('kind: webhook, url: "https://ops.example", secret: "${S}", server: "x"', "unknown_key"),
        ("kind: email, server: smtp.example, from: a@b, to: [nobody]", "bad_value"),
        ('kind: email, server: "smtp.example:x", from: a@b, to: [c@d]', "bad_value"),
        ('kind: email, server: smtp.example, from: a@b, to: [c@d], security: none, password: "${S}"', "contradiction"),
        ("kind: pigeon", "bad_value"),
    ],
)
def test_a_channel_that_could_never_be_reached(tmp_path: Path, said: str, code: str) -> None:
    text = f"channels:\n  - {{channel: ops, {said}}}\n"
    found = told(tmp_path, text, URL="http://10.0.0.1/x", S=KEY)
    assert [(line, problem) for line, _, problem, _ in found] == [(2, code)]


def test_a_name_is_given_once(tmp_path: Path) -> None:
    one = "  - {alert: one, when: {lag: {above: 1}}}\n"
    log = "  - {channel: log, kind: log}\n"
    found = told(tmp_path, f"alerts:\n{one}{one}channels:\n{log}")
    assert [(line, code) for line, _, code, _ in found] == [(3, "duplicate_name"), (5, "duplicate_name")]


def test_a_secret_in_the_file_is_told_and_never_shown(tmp_path: Path) -> None:
    said = f'{{channel: ops, kind: webhook, url: "https://ops.example", secret: "{KEY}", networks: 7}}'
    made = smallproject.write(tmp_path, {"alerts/a.yaml": f"channels:\n  - {said}\n"})
    found = check(made, smallproject.ENV).problems
    assert "plain_secret" in {problem.code for problem in found}
    assert not any(KEY in str(problem) for problem in found)


def test_variables_that_are_not_set_close_the_channel_and_nothing_else(tmp_path: Path) -> None:
    text = 'channels:\n  - {channel: ops, kind: webhook, url: "${URL}", secret: "${S}"}\n'
    assert told(tmp_path, text) == []
    assert set(load(tmp_path, {"S": KEY}).channels["ops"].missing) == {"URL"}


def test_alerts_are_part_of_the_revision_and_of_what_is_applied(tmp_path: Path) -> None:
    before = smallproject.project(tmp_path).revision
    after = smallproject.project(tmp_path, {"alerts/a.yaml": alert("lag: {above: 1}")})
    assert after.revision != before
    assert pack(tmp_path).load(smallproject.ENV).alerts.rules.keys() == {"one"}


def test_what_ships_is_told_to_the_log_alone() -> None:
    shipped = load(Path(__file__).parents[2], {})
    assert {rule.to for rule in shipped.rules.values()} == {("log",)}
    assert len({rule.when.kind for rule in shipped.rules.values()}) == 8
