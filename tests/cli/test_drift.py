"""The commands of drift and partners, against an operations API that answers as ours does."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from crossdock.cli import drift, partners
from crossdock.cli.app import app
from crossdock.cli.remote import Remote

FOUND = {
    "id": "dr-1", "partner": "stores", "source": "tills", "type": "pos.sale", "version": "1.0", "kind": "new_value",
    "pointer": "/lines/*/unit", "rule": "", "count": 3, "of": 400, "share": 0.0075, "first_seen": 1_790_000_000_000,
    "last_seen": 1_790_000_060_000, "sample": "e-7", "letter": "", "refused": False,
    "breaks": True, "early": False, "values": ["\x1b[2Jbox"],
    "usual": ["each"], "state": "open", "regressed": True, "owner": "", "due": 0, "overdue": False,
    "notes": [{"who": "ann", "at": 1_790_000_000_000, "text": "asked them"}],
}  # fmt: skip
MADE = {
    "type": "pos.sale", "base": "1.0", "version": "1.1", "file": "schemas/pos.sale/1.1.json",
    "changes": [{"pointer": "/properties/unit/enum", "change": "widened", "why": ""}], "schema": {"$id": "x:/y"},
}  # fmt: skip
COUNTS = dict.fromkeys(
    ("sent", "accepted", "refused", "unverified", "duplicates", "id_conflicts", "unusable", "dead_letters", "late"), 0
)
CARD = {
    "partner": "stores", "score": 91.5, "lost": [{"rule": "refused", "points": 8.5, "reason": "17 refused"}], **COUNTS,
    "sent": 200, "drift": 1, "silent": ["tills"], "before": {**COUNTS, "score": None}, "change": {"sent": None},
}  # fmt: skip
SOURCE = {"source": "tills", "last_event": 0, "quiet": 0.0, "silent": True}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Be the operations API: answers by method and path, and what was asked under `asked`."""
    known: dict[str, Any] = {"asked": []}

    def call(_: Remote, method: str, path: str, body: Any = None) -> Any:
        known["asked"].append((method, path, body))
        return known[f"{method} {path.partition('?')[0]}"]

    monkeypatch.setattr(Remote, "call", call)
    yield known


def run(*words: str) -> tuple[int, str]:
    ran = CliRunner().invoke(app, [*words, "--ops", "http://ops", "--token", "t"], env={"COLUMNS": "300"})
    return ran.exit_code, ran.output


def test_findings_are_listed_with_what_came_and_how_often(answers: dict[str, Any]) -> None:
    answers["GET /ops/v1/drift"] = {"items": [FOUND, FOUND | {"early": True, "regressed": False}]}
    code, out = run("drift", "list", "--state", "open", "--source", "tills")
    assert (code, "open again" in out, "open (always so)" in out, "0.75%" in out, "\x1b" in out) == (
        0,
        True,
        True,
        True,
        False,
    )
    assert answers["asked"][-1][1] == "/ops/v1/drift?state=open&partner=&source=tills&kind="
    assert json.loads(run("drift", "list", "--json")[1])["items"][0] == FOUND


def test_what_was_refused_is_counted_without_a_share_of_what_came(answers: dict[str, Any]) -> None:
    found = FOUND | {"refused": True, "count": 33, "of": 33, "share": 1.0}
    answers["GET /ops/v1/drift"], answers["GET /ops/v1/drift/dr-1"] = {"items": [found]}, found
    for out in (run("drift", "list")[1], run("drift", "show", "dr-1")[1]):
        assert ("33 refused" in out, "%" in out, "33 of 33" in out) == (True, False, False)


def test_one_finding_is_shown_with_what_was_usual_and_what_people_said(answers: dict[str, Any]) -> None:
    answers["GET /ops/v1/drift/dr-1"] = FOUND
    out = run("drift", "show", "dr-1")[1]
    assert "3 of 400 events since" in out
    assert "usual: each" in out
    assert "asked them" in out


def test_marking_sends_only_what_is_said(answers: dict[str, Any]) -> None:
    answers["PATCH /ops/v1/drift/dr-1"] = FOUND | {"state": "ignored"}
    assert run("drift", "mark", "dr-1", "--state", "ignored", "--note", "not needed")[0] == 0
    assert answers["asked"][-1][2] == {"state": "ignored", "note": "not needed"}


def test_a_proposed_version_is_shown_and_written_once(answers: dict[str, Any], tmp_path: Path) -> None:
    answers["GET /ops/v1/drift/dr-1/proposal"] = MADE
    code, out = run("drift", "propose", "dr-1", "dr-2")
    assert (code, "/properties/unit/enum  widened" in out, "write it with --to" in out) == (0, True, True)
    assert answers["asked"][-1][1] == "/ops/v1/drift/dr-1/proposal?also=dr-2"
    # when
    code, out = run("drift", "propose", "dr-1", "--to", str(tmp_path))
    assert (code, "not the project of this installation" in out.replace("\n", " ")) == (2, True)
    (tmp_path / "schemas/pos.sale").mkdir(parents=True)
    assert run("drift", "propose", "dr-1", "--to", str(tmp_path))[0] == 0
    # then
    assert json.loads((tmp_path / MADE["file"]).read_text()) == MADE["schema"]  # type: ignore[operator]
    assert run("drift", "propose", "dr-1", "--to", str(tmp_path))[0] == 2


def test_partners_are_listed_with_what_cost_most(answers: dict[str, Any]) -> None:
    answers["GET /ops/v1/partners"] = {"items": [CARD, CARD | {"partner": "new", "score": None, "lost": []}]}
    code, out = run("partner", "list", "--days", "1")
    assert (code, "17 refused" in out, "91.5" in out) == (0, True, True)
    assert answers["asked"][-1][1] == "/ops/v1/partners?days=1"


@pytest.mark.parametrize(
    ("score", "said"), [(91.5, "stores: 91.5 of 100 points, before that nothing came"), (None, "stores: nothing came")]
)
def test_a_partner_is_shown_against_the_days_before(answers: dict[str, Any], score: float | None, said: str) -> None:
    answers["GET /ops/v1/partners/stores"] = CARD | {"score": score, "sources": [SOURCE], "drift": [FOUND]}
    code, out = run("partner", "show", "stores")
    assert (code, said in out, "-8.5  17 refused" in out, "never" in out) == (0, True, True, True)


def test_every_command_shows_an_example() -> None:
    commands = [*drift.drift_app.registered_commands, *partners.partner_app.registered_commands]
    assert all("Example:" in (one.callback.__doc__ or "") for one in commands if one.callback)
