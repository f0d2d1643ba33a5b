"""Commands for what the journal could not take: `journal unreadable` and `journal dismiss`."""

from typing import Annotated, Any

import typer

from crossdock.cli.output import JsonOption, printable, show, when, write_json
from crossdock.cli.remote import DATA, DataOption, OpsOption, Remote, TokenOption

journal_app = typer.Typer(no_args_is_help=True, help="What is recorded of events: what of it nobody can read.")


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(journal_app, name="journal")


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
        write_json(found) if json else typer.echo(printable(found["text"]))
        return
    found = remote.call("GET", "/ops/v1/journal/unreadable")
    show(found, json, *_rows(found["items"]))


@journal_app.command()
def dismiss(
    messages: Annotated[list[int], typer.Argument(min=1, help="Their numbers, as `journal unreadable` lists them.")],
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Take messages that were stepped over off the list, once you know of them; they stay in the stream.

    Example: crossdock journal dismiss 4711
    """
    remote = Remote(ops, token, data)
    done = [remote.call("DELETE", f"/ops/v1/journal/unreadable/{message}") for message in messages]
    show({"items": done}, json, *_rows(done))


def _rows(items: list[dict[str, Any]]) -> tuple[list[str], list[list[Any]]]:
    return ["seq", "at", "bytes", "why"], [[one["seq"], when(one["at"]), one["bytes"], one["why"]] for one in items]
