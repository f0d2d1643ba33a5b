"""The command `up`; `crossdock.cli.app` registers it."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from crossdock.cli.projects import require_content
from crossdock.supervisor import up as supervisor

Port = Annotated[int | None, typer.Option(min=0, max=65535, help="0 picks a free one; else as in config.yaml.")]


def up(
    project: Annotated[Path, typer.Option(exists=True, file_okay=False, help="The project's folder.")] = Path(),
    data: Annotated[Path, typer.Option(file_okay=False, help="Where this installation keeps its data.")] = Path("data"),
    gateway_port: Port = None,
    console_port: Port = None,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="Else as in config.yaml.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document a line.")] = False,
    watch: Annotated[bool, typer.Option(help="Put changes of the project's folder in force as they are saved.")] = True,
) -> None:
    """Run everything: servers, gateway, workers and console, until Ctrl-C or SIGTERM.

    Example: crossdock up --project shop --data shop/data --gateway-port 0
    """
    require_content(project)
    running = supervisor.up(project, data, gateway_port, console_port, workers, json, watch=watch)
    raise typer.Exit(asyncio.run(running))


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(up)
