"""`crossdock pack`: what there is, what a pack wants, and how it comes into a project."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from crossdock.cli.app import app
from crossdock.cli.pack import packs
from crossdock.kernel import yamlfile

ROOT = Path(__file__).parents[2]
TOGETHER = ("erpnext", "sap-s4hana", "sap-idoc", "shopify", "adyen", "square")


def pack(*words: str) -> Result:
    return CliRunner().invoke(app, ["pack", *words])


def answer(*words: str) -> Any:
    return json.loads(pack(*words, "--json").stdout)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    assert CliRunner().invoke(app, ["init", str(root)]).exit_code == 0
    return root


def test_every_pack_is_listed_with_what_it_is_for() -> None:
    listed = {one["pack"]: one["description"] for one in answer("list")["packs"]}
    assert set(listed) == {path.parent.name for path in ROOT.glob("connectors/packs/*/README.md")}
    assert all(listed.values())


def test_show_tells_files_and_variables_after_the_readme() -> None:
    shown = pack("show", "erpnext").stdout
    assert shown.startswith("# ERPNext")
    assert "  connectors/erpnext.yaml\n" in shown
    assert shown.rstrip().endswith("ERPNEXT_API_KEY, ERPNEXT_API_SECRET, ERPNEXT_URL")


def test_a_name_that_is_nearly_right_is_answered_with_the_right_one() -> None:
    result = pack("show", "shopyfi")
    assert result.exit_code == 2
    assert "shopify" in result.output


def test_a_source_is_made_for_the_types_that_nobody_sends_and_for_no_other(shop: Path) -> None:
    # given
    source = (
        "source: scanners\npartner: sites\naccept: cloudevents\ntypes: [inventory.moved]\nverify: {api_key: true}\n"
    )
    (shop / "gateway" / "scanners.yaml").write_text(source)
    # when
    written = answer("add", "odoo", "--project", str(shop))["written"]
    # then
    assert "gateway/odoo-events.yaml" in written
    made = yamlfile.read(shop / "gateway" / "odoo-events.yaml", shop).value
    assert made["types"] == ["inventory.received"]


def test_a_type_that_the_project_has_stays_as_it_is(shop: Path) -> None:
    # given
    mine = shop / "schemas" / "inventory.moved" / "2.0.json"
    mine.parent.mkdir()
    mine.write_text("{}")
    # when
    told = answer("add", "odoo", "--project", str(shop))
    # then
    assert told["kept"] == ["schemas/inventory.moved/1.0.json"]
    assert [path.name for path in mine.parent.iterdir()] == ["2.0.json"]


def test_a_file_that_somebody_has_changed_is_not_overwritten_and_nothing_else_is_written(shop: Path) -> None:
    # given
    assert pack("add", "odoo", "--project", str(shop)).exit_code == 0
    (shop / "connectors" / "odoo.yaml").write_text("connector: odoo\n")
    (shop / "routes" / "odoo.yaml").unlink()
    # when
    result = pack("add", "odoo", "--project", str(shop))
    # then
    assert result.exit_code == 1
    assert "connectors/odoo.yaml is there with another content" in result.output
    assert not (shop / "routes" / "odoo.yaml").exists()


def test_packs_get_along_in_one_project(shop: Path) -> None:
    # given
    for name in TOGETHER:
        assert pack("add", name, "--project", str(shop)).exit_code == 0, name
    # when
    checked = CliRunner().invoke(app, ["check", "--project", str(shop)])
    # then
    assert checked.exit_code == 0, checked.output


def test_packs_are_no_content_of_the_project_that_they_lie_in() -> None:
    checked = CliRunner().invoke(app, ["graph", "--format", "json", "--project", str(ROOT)])
    assert "erpnext" not in checked.stdout


def test_every_pack_stands_in_the_documents() -> None:
    content = (ROOT / "docs" / "content.md").read_text()
    assert [name for name in packs() if f"`{name}`" not in content] == []
