"""The command `source list`; `crossdock.cli.app` registers it."""

from typing import Any

import typer

from crossdock.cli.output import JsonOption, show, when
from crossdock.cli.remote import DATA, DataOption, OpsOption, Remote, TokenOption

_COLUMNS = ["source", "partner", "accepted", "duplicate", "dead_lettered", "polls", "last heard of", "away"]

source_app = typer.Typer(no_args_is_help=True, help="What sources took, and whether those that are polled answer.")


@source_app.command("list")
def source_list(
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False
) -> None:  # fmt: skip
    """Show the sources: what came of them, and of polled ones when their connector answered last and why it is away.

    Example: crossdock source list
    """
    sources = Remote(ops, token, data).call("GET", "/ops/v1/overview")["sources"]
    show({"sources": sources}, json, _COLUMNS, [_row(one) for one in sources])


def _row(one: dict[str, Any]) -> list[Any]:
    poll = one.get("poll", {})
    heard = when(poll["last_success"]) if poll.get("last_success") else "never" if poll else ""
    counts = [one[name] for name in ("accepted", "duplicate", "dead_lettered")]
    return [one["source"], one["partner"], *counts, poll.get("connector", ""), heard, poll.get("away", "")]


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.add_typer(source_app, name="source")
