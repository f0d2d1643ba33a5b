"""The architects' commands: what they print, in text and JSON, and how they exit."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crossdock.cli.app import app
from crossdock.kernel.event import Event
from tests.cli.architect import answer, run
from tests.smallproject import edited, write, write_schema

COMMANDS = (["check"], ["test"], ["try", "EVENT"], ["explain", "EVENT"], ["graph"], ["plan"])


def test_check_of_good_content_says_what_there_is(tmp_path: Path) -> None:
    result = run(write(tmp_path), "check")
    assert result.exit_code == 0
    assert result.stdout.startswith("no problems: 1 source, 2 types, 1 transform, 1 route, 1 connector; revision ")


def test_check_shows_place_code_message_and_hint_and_exits_1(tmp_path: Path) -> None:
    result = run(write(tmp_path, edited("routes/stock.yaml", "to: erp", "to: epr")), "check")
    assert result.exit_code == 1
    line = "routes/stock.yaml:4:5  unknown_connector  there is no connector 'epr'  did you mean erp?\n"
    assert result.stdout.startswith(line)
    assert result.stderr.startswith("1 problem in ")


def test_check_shows_the_problems_of_the_settings_beside_those_of_the_content(tmp_path: Path) -> None:
    # given
    write(tmp_path, edited("routes/stock.yaml", "to: erp", "to: epr"))
    (tmp_path / "config.yaml").write_text("nats: {url: '${NATS_URL}'}\nworkers: 1\ngateway:\n  prot: 80\n")
    # when
    result = run(tmp_path, "check")
    # then
    assert result.exit_code == 1
    assert result.stdout.startswith("config.yaml:4:3  unknown_key  'prot' is not known here")
    assert "routes/stock.yaml:4:5  unknown_connector" in result.stdout
    assert result.stderr.startswith("2 problems in ")


def test_check_in_json_has_the_shape_scripts_rely_on(tmp_path: Path) -> None:
    write(tmp_path, edited("routes/stock.yaml", "to: erp", "to: epr"))
    result = run(tmp_path, "check", "--format", "json")
    assert result.exit_code == 1
    (problem,) = json.loads(result.stdout)["problems"]
    assert list(problem) == ["file", "line", "column", "code", "message", "hint"]
    assert json.loads(run(tmp_path, "check", "--json").stdout) == {"problems": [problem]}


def test_check_of_good_content_in_json_has_no_problems(tmp_path: Path) -> None:
    assert answer(write(tmp_path), "check") == {"problems": []}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_every_command_shows_the_problems_of_broken_content(tmp_path: Path, command: list[str]) -> None:
    write(tmp_path, edited("routes/stock.yaml", "to: erp", "to: epr"))
    result = run(tmp_path, *command)
    assert result.exit_code == 1
    assert "routes/stock.yaml:4:5  unknown_connector  there is no connector 'epr'" in result.stdout


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_a_folder_without_content_is_wrong_use(tmp_path: Path, command: list[str]) -> None:
    assert run(tmp_path, *command).exit_code == 2


def test_wrong_use_exits_2() -> None:
    for words in (["chekc"], ["check", "--project", "/nowhere"], ["try", "/nowhere"], ["check", "--format", "xml"]):
        assert CliRunner().invoke(app, words).exit_code == 2


def test_version_and_help_are_there() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout.startswith("crossdock ")
    assert "Example" in CliRunner().invoke(app, ["try", "--help"]).stdout


def test_a_file_that_is_no_event_is_a_problem(tmp_path: Path) -> None:
    write(tmp_path)
    file = tmp_path / "no.json"
    file.write_text('{"id": "1"}')
    result = CliRunner().invoke(app, ["try", str(file), "--project", str(tmp_path)])
    assert result.exit_code == 1
    assert "invalid_envelope" in result.stdout


def test_explain_of_a_canonical_type_without_a_route_names_the_routes_all_the_same(tmp_path: Path) -> None:
    files = {"routes/stock.yaml": "routes: [{route: sales, from: [pos.void], to: erp}]", "routes/stock.test.yaml": None}
    files |= edited("gateway/tills.yaml", "[pos.sale]", "[pos.sale, pos.void]")
    write_schema(tmp_path, "pos.void", "1.0", {})
    sold = Event(id="c-1", source="/s", type="inventory.sold", data={"location": "A", "lines": [1, 2]})
    verdicts = answer(write(tmp_path, files), "explain", "EVENT", event=sold)["routes"]
    assert verdicts == [
        {
            "route": "sales",
            "matched": False,
            "why": "takes pos.void, not inventory.sold",
            "code": "type",
            "expression": "",
            "value": "inventory.sold",
        }
    ]
