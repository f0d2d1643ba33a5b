"""A pack that is added to a project says what its routes do to the tests there, and breaks nothing unsaid."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crossdock import checking
from crossdock.cli.adding import Addition
from crossdock.cli.app import app
from crossdock.cli.pack import packs
from crossdock.contentfiles import FOLDERS
from crossdock.trial import testrun
from crossdock.trial.rehearsal import Rehearsal
from tests.packs.test_packs import ROOT, run


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Return a project with the shipped content."""
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("packs", "*.py", "__pycache__"))
    shutil.copyfile(ROOT / "config.yaml", tmp_path / "config.yaml")
    return tmp_path


def content(root: Path) -> set[Path]:
    return {path for path in root.rglob("*") if path.is_file()}


def test_the_tests_of_all_packs_pass_in_one_project_with_routes_of_others(shop: Path) -> None:
    # given
    own: set[str] = set()
    for pack in packs().values():
        if pack.name not in ("odoo-rpc", "adyen"):  # in the place of odoo; of a source that is there
            Addition(pack.name, pack.own(), pack.along(), pack.needs).place(shop)
            own |= pack.own().keys()
    # when
    checked = checking.check(shop, {}, strict_env=False)
    rehearsal = Rehearsal(checked.project)
    results = [testrun.run(rehearsal, test) for test in checked.project.tests]
    # then
    assert [str(problem) for problem in checked.problems] == []
    assert [one for one in results if one.differences and one.file in own] == []
    assert {one.file for one in results} >= {file for file in own if file.endswith(".test.yaml")}


def test_a_pack_names_the_tests_of_the_project_that_its_routes_touch(shop: Path) -> None:
    # when
    added = run("pack", "add", "odoo", "--project", str(shop), "--json")
    # then
    assert added.exit_code == 0, added.output
    touched = {one["test"]: one["message"] for one in json.loads(added.stdout)["touched"]}
    tested = json.loads(run("test", "--project", str(shop), "--json").stdout)
    failing = [f"{one['file']}:{one['line']}  {one['name']}" for one in tested["tests"] if one["differences"]]
    assert [*touched] == failing != []
    assert any("receipts-to-odoo" in why for why in touched.values())


def test_a_pack_without_its_routes_leaves_them_as_examples_and_touches_no_test(shop: Path) -> None:
    # when
    added = run("pack", "add", "odoo", "--no-routes", "--project", str(shop), "--json")
    # then
    assert json.loads(added.stdout)["touched"] == []
    assert "routes/odoo.yaml.example" in json.loads(added.stdout)["written"]
    assert run("check", "--project", str(shop)).exit_code == 0
    assert run("test", "--project", str(shop)).exit_code == 0


def test_a_pack_with_which_check_would_fail_is_not_copied(shop: Path) -> None:
    # given
    before = content(shop)
    # when
    added = run("pack", "add", "adyen", "--project", str(shop))
    # then
    assert added.exit_code == 1
    assert "unknown_type" in added.output
    assert "nothing was copied" in added.output
    assert content(shop) == before


def test_a_test_that_is_about_some_routes_leaves_aside_what_others_do(shop: Path) -> None:
    # given
    file = shop / "routes" / "erp.test.yaml"
    text = file.read_text()
    run("pack", "add", "odoo", "--project", str(shop))
    # when
    file.write_text("about: [stock-to-erp, shipments-to-erp]\n" + text.replace(", shipments-to-oms]", "]"))
    tested = json.loads(run("test", "--name", "routes/erp.test.yaml", "--project", str(shop), "--json").stdout)
    # then
    assert (tested["failed"], tested["passed"] > 0) == (0, True)


def test_a_route_that_tests_are_about_and_that_is_none_is_a_problem(shop: Path) -> None:
    file = shop / "routes" / "erp.test.yaml"
    file.write_text("about: [stock-to-erpp]\n" + file.read_text())

    checked = run("check", "--project", str(shop))

    assert "routes/erp.test.yaml:1:9  unknown_route  there is no route 'stock-to-erpp'" in checked.output


def test_a_command_serves_the_system_of_a_pack_and_says_the_variables_that_lead_to_it(tmp_path: Path) -> None:
    # given
    command = [sys.executable, "-m", "simulators.systems", "odoo"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as served:
        assert served.stdout
        try:
            said = [served.stdout.readline() for _ in range(3)]
            variables = dict(line.removeprefix("export ").strip().split("=", 1) for line in said)
            run("pack", "add", "odoo", "--project", str(tmp_path))
            connector = tmp_path / "connectors" / "odoo.yaml"
            connector.write_text(connector.read_text() + "networks: [127.0.0.0/8]\n")
            # when
            checked = CliRunner(env=variables).invoke(app, ["connector", "check", "odoo", "--project", str(tmp_path)])
        finally:
            served.terminate()
    # then
    assert checked.exit_code == 0, checked.output
