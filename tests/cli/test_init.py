"""A first project, and what editors need of every project."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from connectors import kinds
from connectors.kinds import editor_schema
from crossdock.cli.app import app
from crossdock.cli.init import KINDS
from crossdock.project import load
from tests.docs.blocks import ROOT
from tests.smallproject import write

SCHEMAS = sorted({*(ROOT / schema for schema, _ in KINDS.values()), *(ROOT / "connectors").glob("_*_schema.json")})


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def described(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what describes each property of a schema, references followed, by its name."""
    stack = [("", schema)]
    while stack:
        name, node = stack.pop()
        children = {**node.get("properties", {}), **node.get("patternProperties", {})}
        for key, child in children.items():
            named = schema["$defs"][child["$ref"].rpartition("/")[2]] if "$ref" in child else {}
            yield f"{name}/{key}", {**named, **child}
            stack.append((f"{name}/{key}", child))
        inner = [
            node[key] for key in ("items", "additionalProperties", "then", "else") if isinstance(node.get(key), dict)
        ]
        stack += [(name, child) for child in (*inner, *node.get("$defs", {}).values())]


def test_a_new_project_passes_check_and_test(tmp_path: Path) -> None:
    # when
    made = run("init", tmp_path / "shop")
    # then
    assert made.exit_code == 0
    command = f"-m crossdock check --project {tmp_path}/shop"
    assert command in made.stdout and command in (tmp_path / "shop/README.md").read_text()
    assert [run(word, "--project", tmp_path / "shop").exit_code for word in ("check", "test")] == [0, 0]
    assert run("try", tmp_path / "shop/examples/order.json", "--project", tmp_path / "shop").exit_code == 0


def test_a_new_project_may_go_into_an_empty_folder_and_a_script_hears_its_files(tmp_path: Path) -> None:
    files = json.loads(run("init", tmp_path, "--json").stdout)["files"]
    assert {"gateway/webshop.yaml", ".vscode/settings.json", ".crossdock/source.json"} < set(files)
    assert all((tmp_path / file).is_file() for file in files)


def test_a_new_project_has_alerts_that_are_in_force_and_its_readme_names_every_folder(tmp_path: Path) -> None:
    # when
    run("init", tmp_path)
    # then
    assert list(load(tmp_path, {}, strict_env=False).alerts.rules) == [
        "ledger-gap", "dead-letters", "erp-away",
    ]  # fmt: skip
    told = (tmp_path / "README.md").read_text()
    assert [one.name for one in tmp_path.iterdir() if one.is_dir() and f"`{one.name}/`" not in told] == []


def test_nothing_is_written_into_a_folder_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    assert run("init", tmp_path).exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_schemas_for_editors_are_those_that_check_uses(tmp_path: Path) -> None:
    assert run("editor", "--project", write(tmp_path)).exit_code == 0
    for kind, (schema, _) in KINDS.items():
        written = json.loads((tmp_path / f".crossdock/{kind}.json").read_bytes())
        assert written == (editor_schema() if kind == "connector" else json.loads((ROOT / schema).read_bytes()))


def test_settings_that_are_there_already_are_left_and_what_belongs_into_them_is_shown(tmp_path: Path) -> None:
    # given
    settings = write(tmp_path) / ".vscode/settings.json"
    settings.parent.mkdir()
    settings.write_text("{} // mine")
    # when
    result = run("editor", "--project", tmp_path)
    # then
    assert settings.read_text() == "{} // mine"
    shown = json.loads(result.stdout[result.stdout.index("{") :])
    assert shown["yaml.schemas"]["./.crossdock/config.json"] == ["/config.yaml"]


def test_every_kind_of_file_has_its_schema_for_editors() -> None:
    folders = ("crossdock", "gateway", "schemas", "transforms", "routes", "connectors")
    assert {path for folder in folders for path in (ROOT / folder).glob("_*.json")} <= set(SCHEMAS)


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_editors_can_say_of_every_key_what_it_means_with_an_example_where_it_is_free_text(path: Path) -> None:
    schema = json.loads(path.read_bytes())
    if path.parent.name == "connectors" and path.name.count("_") == 2:  # what a kind adds refers to what all have
        schema["$defs"] = kinds.schema(path.name.split("_")[1])["$defs"]
    keys = dict(described(schema))
    assert schema["title"] and schema["description"] and keys
    assert [key for key, about in keys.items() if "description" not in about] == []
    free = {key: about for key, about in keys.items() if about.get("type") == "string" and "enum" not in about}
    assert [key for key, about in free.items() if not {"examples", "default"} & about.keys()] == []
