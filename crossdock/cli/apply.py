"""The command `apply`; `crossdock.cli.app` registers it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from crossdock.bundle import pack
from crossdock.cli.output import PROBLEMS, JsonOption, ProjectOption, write_json, write_problems
from crossdock.cli.projects import require_content
from crossdock.cli.remote import DATA, DataOption, OpsOption, Remote, TokenOption
from crossdock.kernel.problems import Problem, Refused

Here = Path()


class Removed(StrEnum):
    """What becomes of the events that wait for a route that is gone."""

    drain = "drain"
    discard = "discard"


RemovedOption = Annotated[
    Removed | None,
    typer.Option(help="Of routes that are gone: drain delivers what waits for them first, discard gives it up."),
]


def apply(
    project: ProjectOption = Here, removed: RemovedOption = None,
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Put the content of a project in force in a running installation, whole or not at all.

    What is wrong is shown as `check` shows it, and what was in force goes on; exit 1.

    Example: crossdock apply --project shop
    """
    require_content(project)
    query = f"?removed={removed}" if removed else ""
    try:
        archive = pack(project).encode()
        status, told = Remote(ops, token, data).send("PUT", f"/ops/v1/content{query}", archive)
        if status == 422:
            raise Refused([Problem(**problem) for problem in told["problems"]])
    except Refused as error:
        write_problems(error.problems, json)
        raise typer.Exit(PROBLEMS) from None
    if json:
        write_json(told)
    elif told["waiting"]:
        typer.echo(f"Revision {told['revision']} is in force; not yet in {', '.join(told['waiting'])}.")
    else:
        typer.echo(
            f"Revision {told['revision']} {'is' if told['changed'] else 'was already'} in force in every process."
        )


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(apply)
