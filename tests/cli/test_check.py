"""How `check` answers: text with the line and a mark, JSON, workflow commands of GitHub; and its exit codes."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

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
