"""The command `source list`; `crossdock.cli.app` registers it."""

from typing import Any

import typer

from crossdock.cli.output import JsonOption, show, when
from crossdock.cli.remote import DATA, DataOption, OpsOption, Remote, TokenOption

_COUNTS = ["accepted", "duplicates", "unusable"]
_COLUMNS = ["source", "partner", *_COUNTS, "last event", "silent", "polls", "heard of", "away"]

source_app = typer.Typer(no_args_is_help=True, help="What sources took, and whether those that are polled answer.")


@source_app.command("list")
def source_list(
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False
) -> None:  # fmt: skip
    """Show the sources: what came today, when last, and of polled ones when their origin answered and why it is away.

    Example: crossdock source list
    """
    found = Remote(ops, token, data).call("GET", "/ops/v1/sources")
    show(found, json, _COLUMNS, [_row(one) for one in found["items"]])


def _row(one: dict[str, Any]) -> list[Any]:
    poll, today = one.get("poll", {}), one["today"]
    heard = when(poll["last_success"]) if poll.get("last_success") else "never" if poll else ""
    counts = [today["accepted"], today["duplicates"], today["quarantined"] + today["refused_later"]]
    last = when(one["last_event"]) if one["last_event"] else "never"
    polled = [poll.get("connector", ""), heard, poll.get("away", "")]
    return [one["source"], one["partner"], *counts, last, one["silent"], *polled]


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.add_typer(source_app, name="source")
