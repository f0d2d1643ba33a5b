"""The commands `pack list|show|add`: ready-made content for systems of others; `crossdock.cli.app` registers them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from crossdock.cli.adding import Addition, effect
from crossdock.cli.output import (
    PROBLEMS,
    JsonOption,
    ProjectOption,
    counted,
    printable,
    show,
    write_json,
    write_problems,
)
from crossdock.kernel import yamlfile
from crossdock.kernel.nearest import did_you_mean
from crossdock.kernel.problems import Problem

_ENGINE = Path(__file__).parents[2]
_PACKS = _ENGINE / "connectors" / "packs"
_OWN = {"pack.yaml", "README.md"}  # what a project does not get
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")

NameArgument = Annotated[str, typer.Argument(help="The name of a pack, as `crossdock pack list` shows it.")]

app = typer.Typer(no_args_is_help=True)


@dataclass(frozen=True, slots=True)
class Pack:
    """Content for one system.

    `needs` are the types that its routes take; `takes` names what else comes along of the shipped content, such as
    transforms. The schema of a type comes along if it is a shipped one, else it is a file of the pack.
    """

    name: str
    description: str
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return _PACKS / self.name

    def own(self) -> dict[str, Path]:
        """Return the files of the pack itself by their names in a project."""
        paths = [path for path in sorted(self.folder.rglob("*")) if path.is_file()]
        named = {path.relative_to(self.folder).as_posix(): path for path in paths}
        return {name: path for name, path in named.items() if name not in _OWN}

    def along(self) -> dict[str, Path]:
        """Return the shipped files that it takes along by their names in a project."""
        names = [*(f"schemas/{type_}" for type_ in self.needs), *self.takes]
        paths = [path for name in names if (_ENGINE / name).exists() for path in _files(_ENGINE / name)]
        return {path.relative_to(_ENGINE).as_posix(): path for path in paths}

    def variables(self) -> list[str]:
        """Return the variables that its files want."""
        texts = [path.read_text() for path in {**self.own(), **self.along()}.values() if path.suffix == ".yaml"]
        return sorted({name for text in texts for name in _VARIABLE.findall(text)})


@app.command("list")
def list_(json: JsonOption = False) -> None:
    """List the packs: content for ERPs, warehouses, shops, payments, carriers and workforce.

    Example: crossdock pack list
    """
    found = [(pack.name, pack.description) for pack in packs().values()]
    show(
        {"packs": [{"pack": name, "description": description} for name, description in found]},
        json,
        ["pack", "description"],
        [list(row) for row in found],
    )


@app.command("show")
def show_(name: NameArgument, json: JsonOption = False) -> None:
    """Show what a pack does, what it was written to, its files and the variables to set.

    Example: crossdock pack show erpnext
    """
    pack = _pack(name)
    readme = (pack.folder / "README.md").read_text()
    if json:
        write_json({**_facts(pack), "readme": readme})
        return
    typer.echo(readme.rstrip())
    typer.echo("\nFiles:\n" + "".join(f"  {file}\n" for file in sorted({**pack.own(), **pack.along()})))
    typer.echo(f"Variables to set: {', '.join(pack.variables()) or 'none'}")


@app.command()
def add(
    name: NameArgument,
    project: ProjectOption = Path(),
    no_routes: Annotated[
        bool, typer.Option("--no-routes", help="Leave its routes and connectors as files that end in .example.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Copy a pack into a project, which passes `check` with it; tests of the project that its routes touch are named.

    Types of the shipped content come along unless the project has them; a source is made for those that nothing there
    sends yet. If a file of the pack is there with another content, or `check` would find a new problem, nothing is
    copied; exit 1.

    Example: crossdock pack add erpnext --project shop
    """
    pack = _pack(name)
    addition = Addition(name, pack.own(), pack.along(), pack.needs)
    addition = addition.without_routes() if no_routes else addition
    if other := addition.differing(project):
        _refuse(other, (), json)
    found = effect(addition, project)
    if found.problems:
        _refuse([], found.problems, json)
    kept = addition.kept(project)
    written = addition.place(project)
    if json:
        touched = [{"test": test, "message": why} for test, why in found.touched.items()]
        write_json({"written": written, "kept": kept, "variables": pack.variables(), "touched": touched})
        return
    typer.echo("".join(f"wrote {file}\n" for file in written) + "".join(f"kept {file}\n" for file in kept), nl=False)
    typer.echo(f"\n{counted(len(written), 'file')} written. Variables to set: {', '.join(pack.variables()) or 'none'}")
    typer.echo(f"What to fill in: crossdock pack show {name}")
    _tell(found.touched)


def packs() -> dict[str, Pack]:
    """Return all packs by name."""
    return {path.parent.name: _read(path) for path in sorted(_PACKS.glob("*/pack.yaml"))}


def _read(path: Path) -> Pack:
    value = yamlfile.read(path, _PACKS).value
    return Pack(path.parent.name, value["description"], tuple(value.get("needs", ())), tuple(value.get("takes", ())))


def _pack(name: str) -> Pack:
    known = packs()
    if name not in known:
        raise typer.BadParameter(f"there is no pack {name!r}. {did_you_mean(name, known)}", param_hint="NAME")
    return known[name]


def _facts(pack: Pack) -> dict[str, Any]:
    files = sorted({**pack.own(), **pack.along()})
    return {"pack": pack.name, "description": pack.description, "files": files, "variables": pack.variables()}


def _files(path: Path) -> Iterator[Path]:
    yield from (one for one in sorted(path.rglob("*")) if one.is_file()) if path.is_dir() else [path]


def _tell(touched: Mapping[str, str]) -> None:
    if touched:
        typer.echo(f"\nRoutes of the pack take events of {counted(len(touched), 'test')} of the project:")
        typer.echo("".join(f"  {test}\n    {printable(why)}\n" for test, why in touched.items()), nl=False)
        typer.echo("Name the routes there, say with `about` what those tests look at, or take the routes out again")
        typer.echo("(`pack add --no-routes` leaves them as examples).")


def _refuse(differ: Sequence[str], problems: Sequence[Problem], json: bool) -> None:
    if json:
        told = [problem.as_dict() for problem in problems]
        write_json({"written": [], "differ": [*differ], "problems": told})
    else:
        typer.echo("".join(f"{file} is there with another content\n" for file in differ), nl=False, err=True)
        write_problems(problems, False)
        typer.echo("nothing was copied", err=True)
    raise typer.Exit(PROBLEMS)


def register(root: typer.Typer) -> None:
    """Add the commands of this file."""
    root.add_typer(app, name="pack", help="Ready-made content for systems of others.")
