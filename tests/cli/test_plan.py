"""`crossdock plan`: what differs, whom it touches, and what becomes of past events by it."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from crossdock.bundle import pack
from crossdock.cli.app import app
from crossdock.kernel.event import STRUCTURED, Event, encode_structured
from crossdock.plan.base import base_folder
from crossdock.project import load
from tests.smallproject import POLLED, SALE, edited, sale, write, write_schema


def planned(root: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["plan", "--project", str(root), *words])


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write(tmp_path / "base")


def plan(base: Path, changes: dict[str, str | None], *events: Event) -> tuple[Any, int]:
    """Return the plan of a changed copy of the base, and the exit code."""
    candidate = write(base.parent / "candidate", changes)
    file = base.parent / "events.jsonl"
    file.write_bytes(b"\n".join(map(encode_structured, events)))
    words = ["--events", str(file)] if events else []
    result = planned(candidate, "--against", str(base), "--json", *words)
    return json.loads(result.stdout), result.exit_code


def test_what_was_changed_is_told_by_pointer_and_whom_it_touches(base: Path) -> None:
    # when
    made, code = plan(base, edited("routes/stock.yaml", "> 1", "> 0"))
    # then
    assert code == 0
    assert made["changes"] == [
        {
            "kind": "route", "name": "stock", "change": "changed",
            "differences": [
                {"what": "", "pointer": "/when", "before": "$count(lines) > 1", "after": "$count(lines) > 0"}
            ],
        }
    ]  # fmt: skip
    assert made["affected"] == {
        "partners": ["stores"], "sources": ["tills"], "types": ["inventory.sold", "pos.sale"],
        "transforms": ["sale"], "routes": ["stock"], "connectors": ["erp"],
    }  # fmt: skip
    assert made["base"] != made["candidate"]


def test_what_is_new_and_what_is_gone_is_told(base: Path) -> None:
    renamed = edited("routes/stock.yaml", "route: stock", "route: store") | {"routes/stock.test.yaml": None}
    made, _ = plan(base, renamed)
    assert [(one["kind"], one["name"], one["change"]) for one in made["changes"]] == [
        ("route", "stock", "removed"), ("route", "store", "added"),
    ]  # fmt: skip
    assert made["affected"]["routes"] == ["stock", "store"]


def test_a_changed_row_of_a_lookup_touches_the_transforms_that_read_it(base: Path) -> None:
    made, _ = plan(base, edited("transforms/lookups/items.csv", "COFFEE", "KAFFEE"))
    (change,) = made["changes"]
    assert (change["kind"], change["name"]) == ("lookup", "lookups/items.csv")
    assert [one["pointer"] for one in change["differences"]] == ["/1"]
    assert made["affected"]["transforms"] == ["sale"]


def test_a_new_version_of_a_schema_says_whether_it_is_compatible(base: Path) -> None:
    # given
    candidate = base.parent / "candidate"
    write_schema(candidate, "pos.sale", "1.1", SALE | {"required": ["store", "receipt", "lines", "till"]})
    # when
    made, _ = plan(base, {})
    # then
    (change,) = made["changes"]
    assert (change["kind"], change["name"], change["compared_with"]) == ("schema", "pos.sale@1.1", "1.0")
    assert not change["backward"]
    assert [one["witness"] for one in change["changes"] if "backward" in one["breaks"]]


def test_a_schema_that_apply_would_refuse_exits_1_and_is_placed(base: Path) -> None:
    # given
    schema = {**SALE, "required": ["store", "receipt", "lines", "till"]}
    write_schema(base.parent / "candidate", "pos.sale", "1.1", schema)
    # when
    made, code = plan(base, {})
    # then
    assert (code, [one["code"] for one in made["problems"]]) == (1, ["incompatible_version"])
    shown = planned(base.parent / "candidate", "--against", str(base))
    assert "it cannot go live:\nschemas/pos.sale/1.1.json:" in shown.stdout


def test_a_connector_that_is_polled_touches_what_comes_from_it(base: Path) -> None:
    # given
    write(base, POLLED)
    polled = POLLED["connectors/inbox.yaml"]
    # when
    made, _ = plan(base, {**POLLED, "connectors/inbox.yaml": f"{polled}timeout: 5s\n"})
    # then
    assert made["affected"]["sources"] == ["dropped"]
    assert "inbox" in made["affected"]["connectors"]


def test_past_events_go_through_both_revisions(base: Path) -> None:
    # given a route that now takes sales of one line, and an item under another name
    changes = edited("routes/stock.yaml", "> 1", "> 0") | edited("transforms/lookups/items.csv", "1,COFFEE", "1,KAFFEE")
    # when
    made, code = plan(base, changes, sale("2", "2"), sale("1", id="s-2"), sale("1", "2", id="s-3"))
    # then
    assert code == 0
    assert made["events"] == {
        "same": 1, "different": 1, "other_targets": 1, "newly_failing": 0, "newly_passing": 0,
    }  # fmt: skip
    different, other = made["examples"]["different"], made["examples"]["other_targets"]
    assert (different["id"], different["of"]) == ("s-3", {"tills pos.sale": 1})
    assert different["differences"] == [
        {"what": "body of stock", "pointer": "/lines/0/item", "before": "COFFEE", "after": "KAFFEE"}
    ]
    assert [one["what"] for one in other["differences"]] == ["request of stock"]


def test_an_event_that_fails_by_the_change_exits_1_and_is_shown(base: Path) -> None:
    # given an item that is gone, and one that comes
    changes = edited("transforms/lookups/items.csv", "1,COFFEE,Coffee 1 kg", "3,COCOA,Cocoa")
    # when
    made, code = plan(base, changes, sale("1", "2"), sale("2", "3", id="s-2"))
    # then
    assert code == 1
    assert (made["events"]["newly_failing"], made["events"]["newly_passing"]) == (1, 1)
    failing = made["examples"]["newly_failing"]["differences"]
    assert failing[0] == {"what": "outcome", "pointer": "", "before": "routed", "after": "dead_lettered"}
    text = planned(base.parent / "candidate", "--against", str(base), "--events", str(base.parent / "events.jsonl"))
    assert "        1  newly failing: tills pos.sale 1\n           such as s-1\n" in text.stdout


def test_repeats_are_repeats_in_both_revisions(base: Path) -> None:
    made, _ = plan(base, {}, sale("1", "2"), sale("1", "2"))
    assert made["events"]["same"] == 2


def test_items_of_the_operations_api_are_taken_from_a_file(base: Path) -> None:
    # given
    headers = {"content-type": "application/json", "ce-specversion": "1.0", "ce-id": "r-1", "ce-source": "/t",
               "ce-type": "pos.sale", "Crossdock-Version": "1.0"}  # fmt: skip
    body = json.dumps(sale("1", "2").data)
    file = base.parent / "raw.jsonl"
    file.write_text(json.dumps({"seq": 7, "source": "tills", "partner": "stores", "headers": headers, "body": body}))
    # when the source takes it no more
    words = edited("gateway/tills.yaml", "source: tills", "source: registers")
    candidate = write(base.parent / "candidate", words)
    made = json.loads(planned(candidate, "--against", str(base), "--events", str(file), "--json").stdout)
    # then
    assert made["events"]["newly_failing"] == 1
    assert made["examples"]["newly_failing"]["id"] == "r-1"


def git(root: Path, *words: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
    subprocess.run(["git", *identity, *words], cwd=root, check=True, capture_output=True)


def test_the_last_commit_is_what_a_change_is_compared_with(tmp_path: Path) -> None:
    # given a project that is a part of a repository
    root = write(tmp_path / "shop")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    # when
    write(root, edited("routes/stock.yaml", "> 1", "> 0"))
    # then
    text = planned(root).stdout
    assert '  changed  route stock\n           /when: "$count(lines) > 1" became "$count(lines) > 0"\n' in text
    assert "touches partners: stores\n" in text
    assert "no events were replayed" in text
    assert planned(root, "--against", "git:nowhere").exit_code == 1


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--against", "/nowhere"], 1),
        (["--against", ".", "--events", "tomorrow"], 2),
        (["--against", ".", "--events", "2026-11-20T00:00:00"], 2),
    ],
)
def test_what_cannot_be_planned_is_told(base: Path, words: list[str], code: int) -> None:
    assert planned(base, *[str(base) if word == "." else word for word in words]).exit_code == code


def test_a_line_that_is_no_event_is_placed(base: Path) -> None:
    file = base.parent / "bad.jsonl"
    file.write_text("{}\n{")
    result = planned(base, "--against", str(base), "--events", str(file))
    assert (result.exit_code, "bad.jsonl, line 2" in result.stdout) == (1, True)


def test_what_an_installation_has_in_force_is_compared_with_too(base: Path) -> None:
    # given the answer of a running installation
    archive = base64.b64encode(pack(base).encode()).decode()
    # when
    with base_folder(base, "running", lambda path: {"/ops/v1/content/files": {"archive": archive}}[path]) as folder:
        found = load(folder, {}, strict_env=False)
    # then
    assert found.revision == load(base, {}, strict_env=False).revision
    assert not folder.exists()


def test_events_of_an_installation_beyond_the_most_are_left_out_and_that_is_said(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    item = {"source": "tills", "headers": {"content-type": STRUCTURED}, "body": encode_structured(sale("1")).decode()}
    answer = {"items": [item] * 3, "last": 3}
    monkeypatch.setattr("crossdock.cli.plan.MOST", 2)
    monkeypatch.setattr("crossdock.cli.remote.Remote.call", lambda *_: answer)
    # when
    result = planned(base, "--against", str(base), "--events", "1h", "--ops", "http://ops.example", "--token", "t")
    # then
    assert "2 events through both; there are more, which are left out:" in result.stdout
