"""The command line; `python -m crossdock` calls `main`."""

from typing import Annotated

import typer

from crossdock import VERSION
from crossdock.cli import (
    apply,
    audit,
    bench,
    connector,
    content,
    graph,
    init,
    keys,
    operate,
    pack,
    plan,
    plans,
    problems,
    roles,
    route,
    run,
    schema,
    source,
    testing,
    trace,
    tryout,
)

app = typer.Typer(name="crossdock", no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"crossdock {VERSION}")
        raise typer.Exit


@app.callback()
def crossdock(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
) -> None:
    """Integration middleware for retail: events in, checked, mapped, routed, delivered or kept as dead letters."""


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
    problems,
    plans,
    audit,
    pack,
    route,
    source,
    connector,
    bench,
):
    module.register(app)


def main() -> None:
    """Run the command that the arguments name."""
    app()
