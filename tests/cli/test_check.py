"""How `check` answers: text with the line and a mark, JSON, workflow commands of GitHub; and its exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from crossdock import checking
from crossdock.cli.app import app
from tests.smallproject import SALE_MAP, STOCK, TILLS, edited, write


def run(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["check", *arguments, "--project", str(root)])


def test_the_line_is_shown_with_a_mark_below_the_place(tmp_path: Path) -> None:
    result = run(write(tmp_path, edited(SALE_MAP, "qty}", "qtty}")))
    assert result.exit_code == 1
    first, line, mark = result.stdout.splitlines()
    assert first == "transforms/sale.yaml:6:97  unknown_field  there is no field 'qtty' here  did you mean qty?"
    assert line[mark.index("^") :].startswith("qtty}")


def test_a_line_that_may_hold_a_secret_is_not_shown(tmp_path: Path) -> None:
    result = run(write(tmp_path, edited(TILLS, "{api_key: true}", "{shopify: {secret: hunter22, x: 1}}")))
    assert {"plain_secret", "unknown_key"} <= set(result.stdout.split())
    assert "hunter22" not in result.stdout


def test_a_value_that_may_be_a_secret_is_shown_in_no_line_either(tmp_path: Path) -> None:
    text = "connector: erp\nkind: http\nurl: https://erp.example/x\nquery:\n  k: [hunter22]\n"
    result = run(write(tmp_path, {"connectors/erp.yaml": text}))
    assert "connectors/erp.yaml:5:3  bad_value  the value does not fit" in result.stdout
    assert "hunter22" not in result.stdout


def test_nothing_of_what_a_link_leads_to_is_shown(tmp_path: Path) -> None:
    # given
    root = write(tmp_path / "shop")
    (tmp_path / "hidden").write_text("hunter22: {\n")
    for name in ("routes/more.yaml", "schemas/pos.sale/1.9.json", "transforms/lookups.csv", "gateway/more.yml"):
        (root / name).symlink_to(tmp_path / "hidden")
    # when
    result = run(root)
    # then
    told = [line.split("  ")[:2] for line in result.stdout.splitlines()]
    assert ["routes/more.yaml:1:1", "outside"] in told and ["schemas/pos.sale/1.9.json:1:1", "outside"] in told
    assert "hunter22" not in result.stdout and "invalid_json" not in result.stdout


def test_what_has_no_end_or_no_writer_is_not_opened(tmp_path: Path) -> None:
    # given
    root = write(tmp_path)
    for name in ("routes/a.yaml", "connectors/a.yaml", "transforms/a.csv", "config.yaml", "schemas/pos.sale/1.8.json"):
        (root / name).symlink_to("/dev/zero")
    for name in ("routes/b.yaml", "gateway/b.yaml", "transforms/b.yaml", "schemas/pos.sale/1.9.json"):
        os.mkfifo(root / name)
    (root / "routes/c.yaml").symlink_to("c.yaml")
    # when
    command = [sys.executable, "-m", "crossdock", "check", "--project", str(root), "--format", "json"]
    limited = ["prlimit", f"--as={2 << 30}", *command]  # a file without an end would fill the memory
    found = subprocess.run(limited, capture_output=True, text=True, timeout=60, check=False)
    # then
    told = {(one["file"], one["code"]) for one in json.loads(found.stdout)["problems"]}
    assert {
        ("routes/a.yaml", "outside"),
        ("connectors/a.yaml", "outside"),
        ("schemas/pos.sale/1.8.json", "outside"),
    } <= told
    assert {(f"{name}/b.yaml", "unreadable") for name in ("routes", "gateway")} <= told
    assert {("schemas/pos.sale/1.9.json", "unreadable"), ("routes/c.yaml", "unreadable")} <= told


def test_github_marks_the_lines_of_a_pull_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    write(tmp_path / "shop", edited(STOCK, "to: erp", "to: 'e,r:p%'"))
    (tmp_path / "shop/connectors/spare.yaml").write_text("connector: spare\nkind: http\nurl: https://a.example\n")
    monkeypatch.chdir(tmp_path)
    # when
    result = run(Path("shop"), "--format", "github")
    # then
    assert result.exit_code == 1
    place = "file=shop/routes/stock.yaml,line=4,col=5,title=unknown_connector"
    assert f"::error {place}::there is no connector 'e,r:p%25'" in result.stdout
    assert "::warning file=shop/connectors/spare.yaml,line=1,col=1,title=unused_connector::" in result.stdout


def test_content_without_problems_exits_0_and_wrong_use_2(tmp_path: Path) -> None:
    assert run(write(tmp_path / "shop"), "--format", "github").exit_code == 0
    assert run(tmp_path / "shop", "--format", "xml").exit_code == 2
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / "empty").exit_code == 2


def test_variables_that_are_not_set_hide_nothing_and_look_like_no_mistake(tmp_path: Path) -> None:
    # given
    text = "connector: erp\nkind: http\nurl: ${ERP_URL}/x\ntimeout: ${WAIT}\nlimits: {in_flight: '${MANY}'}\n"
    write(tmp_path, {"connectors/erp.yaml": text})
    # then
    assert run(tmp_path).exit_code == 0
    (tmp_path / "connectors/erp.yaml").write_text(text + "networks: [10.0.0.0/99]\n")
    assert "bad_network" in run(tmp_path).stdout


def test_variables_that_are_set_are_checked_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    write(tmp_path, edited("connectors/erp.yaml", "networks: [127.0.0.0/8]\n", ""))
    assert run(tmp_path).exit_code == 0
    # when
    monkeypatch.setenv("ERP_URL", "http://127.0.0.1:9301")
    result = run(tmp_path)
    # then
    assert "connectors/erp.yaml:3:1  private_address" in result.stdout


WARNED = edited(TILLS, "{api_key: true}", "{shopify: {secret: hunter22}}")


def test_what_up_would_start_with_is_a_warning_that_fails_only_where_it_is_asked_to(tmp_path: Path) -> None:
    # given
    root = write(tmp_path, WARNED)
    # when
    lenient, strict = run(root), run(root, "--strict")
    # then
    assert checking.check(root, {}, strict_env=False).obstacles == ()
    assert (lenient.exit_code, strict.exit_code) == (0, 1)
    assert "plain_secret" in lenient.stdout and "no problems, 1 warning: " in lenient.stdout
    assert strict.stderr.splitlines()[-1] == f"1 warning in {root}"
    assert json.loads(run(root, "--json").stdout)["problems"][0]["code"] == "plain_secret"


def test_problems_and_warnings_are_counted_apart(tmp_path: Path) -> None:
    result = run(write(tmp_path, WARNED | edited(STOCK, "to: erp", "to: epr")))
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith(("1 problem and 1 warning in", "1 problem and 2 warnings in"))
