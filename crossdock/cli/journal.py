"""Command for what the journal could not take: `journal unreadable`."""

from typing import Annotated

import typer

from crossdock.cli.output import JsonOption, show, when, write_json
from crossdock.cli.remote import DATA, DataOption, OpsOption, Remote, TokenOption

journal_app = typer.Typer(no_args_is_help=True, help="What is recorded of events: what of it nobody can read.")


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(journal_app, name="journal")


@journal_app.callback()
def journal() -> None:
    """Keep the one command a command of its own."""


@journal_app.command()
def unreadable(
    message: Annotated[int, typer.Argument(min=0, help="Show this one as it is stored.")] = 0,
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """List the messages of the journal that were stepped over, newest first, or show one.

    Example: crossdock journal unreadable --json
    """
    remote = Remote(ops, token, data)
    if message:
        found = remote.call("GET", f"/ops/v1/journal/unreadable/{message}")
        write_json(found) if json else typer.echo(found["text"])
        return
    found = remote.call("GET", "/ops/v1/journal/unreadable")
    rows = [[one["seq"], when(one["at"]), one["bytes"], one["why"]] for one in found["items"]]
    show(found, json, ["seq", "at", "bytes", "why"], rows)
