"""The documents say what is true: their files load, their commands exist, and nothing that exists is left out."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from crossdock.cli.app import app
from crossdock.kernel import settings
from crossdock.kernel.metrics import Metrics
from crossdock.project import FOLDERS, load
from crossdock.trial import testrun
from crossdock.trial.rehearsal import Rehearsal
from gateway import answers
from tests.docs.blocks import DOCUMENTS, ROOT, Block, blocks, commands, write_files

DOCS = ROOT / "docs"
COMMAND: Any = typer.main.get_command(app)
ENV = {
    "ERP_URL": "https://erp.example",
    "MASTER_DATA_URL": "sqlite:///m.db",
    "ERP_TOKEN": "t",
    "NATS_PASSWORD": "n",
    "DEDUPE_PASSWORD": "d",
    "OIDC_SECRET": "o",
}
OF_CONTENT = {  # what `crossdock check` says of a source; no sender hears it
    "bad_expression", "bad_network", "bad_secret", "bad_url", "bad_value", "private_address", "unknown_function",
}  # fmt: skip
PATHS = re.compile(r'"(/ops/v1/[^"]*|/metrics)"')
PRODUCT = [p for folder in ("crossdock", "gateway", "console") for p in sorted((ROOT / folder).rglob("*.py"))]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def codes_in(*files: str) -> set[str]:
    text = "".join((ROOT / file).read_text() for file in files)
    return set(re.findall(r'(?:refuse|Problem)\(\s*"([a-z_]+)"', text))


def commands_of(group: Any, *before: str) -> Iterator[str]:
    for word, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands_of(command, *before, word)
        else:
            yield " ".join(("crossdock", *before, word))


def keys_of(schema: dict[str, Any], *before: str) -> Iterator[str]:
    for key, child in schema["properties"].items():
        if "properties" in child:
            yield from keys_of(child, *before, key)
        else:
            yield ".".join((*before, key))


def test_the_content_that_is_shown_loads_and_its_own_tests_pass(tmp_path: Path) -> None:
    # given
    written = write_files(DOCS / "content.md", tmp_path)
    # when
    project = load(tmp_path, ENV)
    # then
    assert {Path(file).parts[0] for file in written} == set(FOLDERS)
    assert project.tests
    rehearsal = Rehearsal(project)
    assert [found for test in project.tests for found in testrun.run(rehearsal, test).differences] == []


def test_the_files_that_the_readme_shows_are_those_that_init_makes() -> None:
    shown = {block.file: block.text.partition("\n")[2] for block in blocks(ROOT / "README.md") if block.file}
    starter = ROOT / "crossdock" / "starter"
    assert shown == {file: (starter / file.removeprefix("shop/")).read_text() for file in shown}


def test_every_config_that_is_shown_is_accepted_and_the_first_shows_the_defaults(tmp_path: Path) -> None:
    # given
    shown = [block for block in blocks(DOCS / "configuration.md") if block.file == settings.FILE]
    # when
    loaded = [load_settings(block, tmp_path) for block in shown]
    # then
    assert loaded[0] == settings.Settings()
    assert loaded[1].nats.url == "nats://crossdock:n@nats.internal:4222"


def load_settings(block: Block, folder: Path) -> settings.Settings:
    (folder / settings.FILE).write_text(block.text)
    return settings.load(folder, ENV)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_yaml_block_names_its_file_so_that_it_is_checked(document: Path) -> None:
    assert [block.text for block in blocks(document) if block.language == "yaml" and not block.file] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_command_that_is_shown_exists_with_its_options(document: Path) -> None:
    for shown in commands(document):
        group, words = COMMAND, list(shown)
        while hasattr(group, "commands"):
            group = group.commands[words.pop(0)]
        known = {option for parameter in group.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, shown


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_make_target_that_is_shown_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", document.read_text(), re.MULTILINE)) <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_link_and_path_leads_somewhere(document: Path) -> None:
    text = document.read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    paths = re.findall(r"`((?:tests|crossdock|console|gateway|docs)/[\w./-]+)`", text)
    assert [link for link in links if not (document.parent / link).exists()] == []
    assert [path for path in paths if not path.endswith(".yaml") and not (ROOT / path).exists()] == []


@pytest.mark.parametrize("key", [*keys_of(settings.schema())])
def test_every_setting_is_documented(key: str) -> None:
    assert f"`{key}`" in (DOCS / "configuration.md").read_text()


@pytest.mark.parametrize(
    "variable", sorted({v for p in PRODUCT for v in re.findall("CROSSDOCK_[A-Z_]+", p.read_text())})
)
def test_every_variable_of_the_environment_is_documented(variable: str) -> None:
    assert variable.endswith("_") or f"`{variable}`" in (DOCS / "configuration.md").read_text()


def test_every_error_of_the_gateway_is_documented_with_its_status() -> None:
    # given
    sources = [*(f"gateway/{p.name}" for p in (ROOT / "gateway").glob("*.py")), "crossdock/kernel/event.py"]
    kernel = [f"crossdock/kernel/{name}.py" for name in ("jsontext", "expression")]
    codes = (codes_in(*sources, *kernel) | set(answers._TITLES)) - OF_CONTENT
    # when
    rows = re.findall(r"^\| (\d{3}) \| `(\w+)` \|", (DOCS / "gateway.md").read_text(), re.MULTILINE)
    # then
    assert {code: int(status) for status, code in rows} == {code: answers._STATUS.get(code, 400) for code in codes}


@pytest.mark.parametrize("command", [*commands_of(COMMAND)])
def test_every_command_is_documented(command: str) -> None:
    assert f"`{command}" in (DOCS / "operations.md").read_text()


@pytest.mark.parametrize("metric", sorted(family.name for family in Metrics().registry.collect()))
def test_every_metric_is_documented(metric: str) -> None:
    assert f"`{metric}" in (DOCS / "operations.md").read_text()


@pytest.mark.parametrize(
    "path", sorted({path for file in (ROOT / "console").glob("*.py") for path in PATHS.findall(file.read_text())})
)
def test_every_path_of_the_operations_api_is_documented(path: str) -> None:
    assert path in (DOCS / "operations.md").read_text()


@pytest.mark.parametrize("folder", ["gateway", "transforms", "routes", "connectors", "alerts"])
def test_every_key_of_a_content_file_is_documented(folder: str) -> None:
    schema = json.loads((ROOT / folder / "_schema.json").read_bytes())
    listed = {"routes": ["route"], "alerts": ["alert", "channel"]}.get(folder, [])
    keys = [key for name in listed for key in schema["$defs"][name]["properties"]] or schema["properties"]
    assert [key for key in keys if f"`{key}`" not in (DOCS / "content.md").read_text()] == []
