"""The command `check`; `crossdock.cli.app` registers it."""

import os
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from crossdock.checking import ADVICE, Check
from crossdock.checking import check as check_project
from crossdock.cli.output import PROBLEMS, JsonOption, ProjectOption, counted, write_problems
from crossdock.cli.projects import require_content
from crossdock.kernel.problems import Problem

Here = Path()


class Format(StrEnum):
    """How `check` answers."""

    text = "text"
    json = "json"
    github = "github"


FormatOption = Annotated[
    Format, typer.Option("--format", help="json is for scripts and editors, github marks lines in pull requests.")
]

StrictOption = Annotated[bool, typer.Option("--strict", help="Fail for warnings too, with which `up` would start.")]


def check(
    project: ProjectOption = Here, output: FormatOption = Format.text, strict: StrictOption = False,
    json: JsonOption = False,
) -> None:  # fmt: skip
    """Check all content files, how they fit together, and config.yaml.

    Every problem is shown as `file:line:column  code  message  hint`; exit 1 if there is one that keeps `up` from
    starting, or with `--strict` any.
    Variables that are set are taken as they are; the others need not be.

    Example: crossdock check --project shop --format json
    """
    require_content(project)
    checked = check_project(project, os.environ, strict_env=False)
    fails = bool(checked.problems if strict else checked.obstacles)
    if json or output is Format.json:
        write_problems(checked.problems, True)
    elif output is Format.github:
        _write_commands(checked.problems, project)
    else:
        write_problems(checked.problems, False, project)
        typer.echo(_counts(checked, project) if fails else _summary(checked), err=fails)
    if fails:
        raise typer.Exit(PROBLEMS)


def _counts(checked: Check, root: Path) -> str:
    warnings = len(checked.problems) - len(checked.obstacles)
    parts = [(len(checked.obstacles), "problem"), (warnings, "warning")]
    return f"{' and '.join(counted(number, noun) for number, noun in parts if number)} in {root}"


def _summary(checked: Check) -> str:
    loaded = checked.project
    parts = [
        counted(len(loaded.sources), "source"),
        counted(len(loaded.registry.types()), "type"),
        counted(len(loaded.transforms), "transform"),
        counted(len(loaded.routes), "route"),
        counted(len(loaded.connectors), "connector"),
    ]
    warnings = f", {counted(len(checked.problems), 'warning')}" if checked.problems else ""
    return f"no problems{warnings}: {', '.join(parts)}; revision {loaded.revision}"


def _write_commands(problems: Iterable[Problem], root: Path) -> None:
    """Write workflow commands, which GitHub Actions shows beside the lines; files are relative to where this runs."""
    for problem in problems:
        level = "warning" if problem.code in ADVICE else "error"
        file = Path(os.path.relpath(root / problem.file)).as_posix()
        place = f"file={_property(file)},line={problem.line},col={problem.column},title={_property(problem.code)}"
        text = problem.message + (f" ({problem.hint})" if problem.hint else "")
        typer.echo(f"::{level} {place}::{_escaped(text)}")


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(check)
