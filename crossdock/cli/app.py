"""The command line; `python -m crossdock` calls `main`."""

from pathlib import Path
from typing import Annotated

import typer

from crossdock import VERSION
from crossdock.cli import (
    alerts,
    apply,
    approvals,
    audit,
    bench,
    connector,
    content,
    drift,
    graph,
    init,
    keys,
    letters,
    operate,
    pack,
    partners,
    plan,
    plans,
    problems,
    process,
    promote,
    roles,
    route,
    run,
    schema,
    source,
    testing,
    trace,
    tryout,
    users,
)
from crossdock.cli.remote import AUTHORITY

app = typer.Typer(name="crossdock", no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False)


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


for module in (
    init,
    apply,
    run,
    roles,
    content,
    testing,
    tryout,
    graph,
    schema,
    plan,
    keys,
    trace,
    operate,
    letters,
    promote,
    problems,
    process,
    plans,
    approvals,
    audit,
    alerts,
    users,
    pack,
    route,
    source,
    partners,
    drift,
    connector,
    bench,
):
    module.register(app)


def main() -> None:
    """Run the command that the arguments name."""
    app()
