"""The commands `init` and `editor`: a first project, and what editors need; `crossdock.cli.app` registers them."""

import json as json_text
import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from connectors.kinds import editor_schema
from crossdock.cli.output import JsonOption, ProjectOption, write_json
from crossdock.cli.projects import require_content

_ENGINE = Path(__file__).parents[2]
_STARTER = _ENGINE / "crossdock" / "starter"
_SCHEMAS = ".crossdock"
_SETTINGS = ".vscode/settings.json"
_TESTS = "!*.test.yaml"
KINDS: Mapping[str, tuple[str, tuple[str, ...]]] = {  # what an editor's copy is called: the schema, and its files
    "alert": ("alerts/_schema.json", ("/alerts/*.yaml",)),
    "config": ("crossdock/kernel/settings_schema.json", ("/config.yaml",)),
    "connector": ("connectors/_schema.json", ("/connectors/*.yaml",)),
    "conformance": ("journal/_schema.json", ("/journal/*.yaml",)),
    "route": ("routes/_schema.json", ("/routes/*.yaml", _TESTS)),
    "source": ("gateway/_schema.json", ("/gateway/*.yaml", _TESTS)),
    "test": ("crossdock/_test_schema.json", ("/gateway/*.test.yaml", "/transforms/*.test.yaml", "/routes/*.test.yaml")),
    "transform": ("transforms/_schema.json", ("/transforms/*.yaml", _TESTS)),
    "type": ("schemas/_schema.json", ("/schemas/*/*.json",)),
    "type-about": ("schemas/_about_schema.json", ("/schemas/*/schema.yaml",)),
}
_NEXT = """\
{folder} holds a working integration: the orders of a web shop go to the ERP.

Check it, test it, and see what becomes of an event:
  {crossdock} check --project {folder}
  {crossdock} test --project {folder}
  {crossdock} try {folder}/examples/order.json --project {folder}

Run it, with a simulated ERP in another terminal:
  {python} -m simulators.targets --erp-port 9081
  ERP_URL=http://127.0.0.1:9081 {crossdock} up --project {folder} --data {folder}/data"""

NewFolder = Annotated[Path, typer.Argument(help="A folder that is empty or not there yet.", file_okay=False)]


def init(folder: NewFolder, json: JsonOption = False) -> None:
    """Make a small project that passes `check` and `test`, ready for editors, and say what to do next.

    Example: crossdock init shop
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise typer.BadParameter(f"{folder} is not empty", param_hint="FOLDER")
    shutil.copytree(_STARTER, folder, dirs_exist_ok=True)
    write_schemas(folder)
    (folder / _SETTINGS).parent.mkdir()
    (folder / _SETTINGS).write_text(_document(settings()))
    python = shlex.quote(_from_here(Path(sys.executable)))
    named = {"folder": shlex.quote(str(folder)), "python": python, "crossdock": f"{python} -m crossdock"}
    readme = folder / "README.md"
    readme.write_text(readme.read_text("utf-8").format(**named), "utf-8")
    if json:
        write_json({"files": sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())})
    else:
        typer.echo(_NEXT.format(**named))


def editor(project: ProjectOption = Path(), json: JsonOption = False) -> None:
    """Write the JSON Schemas of all kinds of files for editors, and the settings of VS Code unless there are some.

    Run it again after an update of Crossdock.

    Example: crossdock editor --project shop
    """
    require_content(project)
    write_schemas(project)
    path = project / _SETTINGS
    written = not path.exists()
    if written:
        path.parent.mkdir(exist_ok=True)
        path.write_text(_document(settings()))
    if json:
        write_json({"schemas": str(project / _SCHEMAS), "settings": settings(), "written": written})
        return
    typer.echo(f"{project / _SCHEMAS} holds the JSON Schemas of {', '.join(KINDS)}")
    if written:
        typer.echo(f"wrote {path}")
    else:
        typer.echo(f"{path} is there already; let it hold\n{_document(settings())}", nl=False)


def settings() -> dict[str, Any]:
    """Return the settings of VS Code that tie each file to its schema; other YAML language servers take the same."""
    tied = {f"./{_SCHEMAS}/{kind}.json": list(files) for kind, (_, files) in KINDS.items()}
    types = tied.pop(f"./{_SCHEMAS}/type.json")
    return {"yaml.schemas": tied, "json.schemas": [{"fileMatch": types, "url": f"./{_SCHEMAS}/type.json"}]}


def write_schemas(project: Path) -> None:
    """Copy the JSON Schema of every kind of file into a project, so that it needs no checkout to be edited."""
    (project / _SCHEMAS).mkdir(exist_ok=True)
    for kind, (schema, _) in KINDS.items():
        if kind == "connector":
            (project / _SCHEMAS / "connector.json").write_text(_document(editor_schema()))
        else:
            shutil.copyfile(_ENGINE / schema, project / _SCHEMAS / f"{kind}.json")


def _document(value: Mapping[str, Any]) -> str:
    return json_text.dumps(value, indent=2) + "\n"


def _from_here(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else os.fspath(path)


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(init)
    app.command()(editor)
