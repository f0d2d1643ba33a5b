"""How commands answer: problems and tables as text or JSON, and the exit codes; used by every command module."""

import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crossdock.cli.excerpt import excerpt
from crossdock.kernel.problems import Problem, Refused
from crossdock.project import FOLDERS, Project, load
from gateway.sources import problems as source_problems

_WIDTH = 100_000  # columns of what is no terminal
_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})
PROBLEMS = 1  # exit code when a command found problems; 2 is Typer's own for wrong use

ProjectOption = Annotated[
    Path, typer.Option("--project", help="The folder of the content.", exists=True, file_okay=False, show_default=True)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON, for scripts.")]


def write_json(value: Mapping[str, Any]) -> None:
    """Write one JSON document on standard output."""
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def write_problems(problems: Iterable[Problem], as_json: bool, root: Path | None = None) -> None:
    """Write problems as `check` does: a line each and what stands there under `root`, or the JSON of scripts."""
    if as_json:
        keys = ("file", "line", "column", "code", "message", "hint")
        write_json({"problems": [{key: problem.as_dict()[key] for key in keys} for problem in problems]})
    else:
        for problem in problems:
            typer.echo(printable(str(problem)))
            if root and (shown := excerpt(problem, root)):
                typer.echo(shown)


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


def console() -> Console:
    """Return standard output for tables; a file or a pipe gets each row whole."""
    return Console() if sys.stdout.isatty() else Console(width=_WIDTH)


def counted(number: int, noun: str) -> str:
    """Return `1 route` or `2 routes`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def show(found: Any, as_json: bool, columns: list[str], rows: list[list[Any]]) -> None:
    """Answer with JSON or a table."""
    if as_json:
        write_json(found)
    else:
        table(columns, rows)


def table(columns: list[str], rows: list[list[Any]]) -> None:
    """Print a table, a truth value as yes or no; control characters of partners' texts are made visible."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    for name in columns:
        made.add_column(name, overflow="fold", no_wrap=name != "detail")
    for row in rows:
        made.add_row(*(Text(printable(_cell(cell))) for cell in row))
    console().print(made)


def _cell(value: Any) -> str:
    return {True: "yes", False: "no", None: ""}[value] if value is None or isinstance(value, bool) else str(value)


def when(milliseconds: int) -> str:
    """Return a time as people read it, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + "Z"


def printable(text: str) -> str:
    """Return text that cannot steer the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
