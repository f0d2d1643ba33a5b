"""How commands answer: problems and tables as text or JSON, and the exit codes; used by every command module."""

import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crossdock.cli.excerpt import excerpt
from crossdock.kernel.problems import Problem

_WIDTH = 100_000  # columns of what is no terminal
PROBLEMS = 1  # exit code when a command found problems
WRONG_USE = 2  # Typer's own

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


def console() -> Console:
    """Return standard output for tables; a file or a pipe gets each row whole."""
    return Console() if sys.stdout.isatty() else Console(width=_WIDTH)


def counted(number: int, noun: str) -> str:
    """Return `1 route` or `2 routes`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def show(found: Any, as_json: bool, columns: list[str], rows: list[list[Any]]) -> None:
    """Answer with JSON or a table; where there is nothing to put into one, say so on standard error."""
    if as_json:
        write_json(found)
    elif rows:
        table(columns, rows)
    else:
        typer.echo("Nothing found.", err=True)


def confirm(question: str) -> None:
    """Ask a person whether to go on; end the command when they do not want to, or when nobody is there to answer."""
    try:
        wanted = typer.confirm(question, err=True)
    except typer.Abort:
        if sys.stdin.isatty():
            raise
        typer.echo("\nNobody is there to answer: say --yes to go on without a question.", err=True)
        raise typer.Exit(WRONG_USE) from None
    if not wanted:
        raise typer.Abort


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
