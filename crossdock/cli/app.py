"""The command line; `python -m crossdock` calls `main`."""

from pathlib import Path
from typing import Annotated

import typer

from crossdock import VERSION
from crossdock.cli.commands import Commands
from crossdock.cli.remote import AUTHORITY

app = typer.Typer(
    name="crossdock", cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"crossdock {VERSION}")
        raise typer.Exit


@app.callback()
def crossdock(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
    ca: Annotated[
        Path | None,
        typer.Option(
            envvar="CROSSDOCK_OPS_CA", exists=True, dir_okay=False, help="Who vouches for an https --ops address (PEM)."
        ),
    ] = None,
) -> None:
    """Integration middleware for retail: events in, checked, mapped, routed, delivered or kept as dead letters."""
    AUTHORITY.set(ca)


def main() -> None:
    """Run the command that the arguments name."""
    app()
