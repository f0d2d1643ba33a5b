"""How commands read a project: whole, or they end; apart from `output`, as most commands need none of it."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import typer

from crossdock.cli.output import PROBLEMS, counted, write_problems
from crossdock.kernel.problems import Problem, Refused
from crossdock.project import FOLDERS, Project, load
from gateway.sources import problems as source_problems

_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


def require_content(root: Path) -> None:
    """End the command as wrong use when a folder is no project."""
    if not any((root / folder).is_dir() for folder in FOLDERS):
        raise typer.BadParameter(f"{root} holds none of the folders {', '.join(FOLDERS)}", param_hint="--project")


def load_or_exit(root: Path, as_json: bool, env: Mapping[str, str] = _NO_VARIABLES) -> Project:
    """Return the project with these variables, or write its problems; a placeholder stands for all others."""
    require_content(root)
    problems: list[Problem] = []
    try:
        project = load(root, env, strict_env=False)
        problems += source_problems(project)
    except Refused as error:
        problems += error.problems
    if not problems:
        return project
    write_problems(problems, as_json, root)
    if not as_json:
        typer.echo(f"{counted(len(problems), 'problem')} in {root}", err=True)
    raise typer.Exit(PROBLEMS)
