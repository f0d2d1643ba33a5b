"""Commands for problems, the dead letters of one cause: `dlq groups` and `dlq mark`."""

import re
import time
import urllib.parse
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from crossdock.cli.operate import dlq_app
from crossdock.cli.output import JsonOption, show, when, write_json
from crossdock.cli.remote import DATA, DataOption, OpsOption, Remote, TokenOption
from crossdock.kernel import units

_COLUMNS = ["id", "state", "open", "last_hour", "stage", "where", "reason", "place", "owner", "last_seen", "sample"]


problems_app = typer.Typer()


def register(_: typer.Typer) -> None:
    """Add the commands of this file to those of `dlq`."""
    dlq_app.add_typer(problems_app)


@problems_app.command("groups")
def dlq_groups(
    state: Annotated[str, typer.Option(help="open, acknowledged, resolved, ignored; empty for all.")] = "",
    route: Annotated[str, typer.Option(help="Only of this route.")] = "",
    reason: Annotated[str, typer.Option(help="Only with this reason.")] = "",
    owner: Annotated[str, typer.Option(help="Only of this person.")] = "",
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """List problems: dead letters of one cause, those with most open ones first.

    Example: crossdock dlq groups --state open
    """
    query = urllib.parse.urlencode({"state": state, "route": route, "reason": reason, "owner": owner})
    found = Remote(ops, token, data).call("GET", f"/ops/v1/problems?{query}")
    show(found, json, _COLUMNS, [_row(one) for one in found["items"]])


@problems_app.command("mark")
def dlq_mark(  # noqa: PLR0913, PLR0917  an option for each thing to say
    problem: Annotated[str, typer.Argument(help="The id, as `dlq groups` shows it.")],
    state: Annotated[str, typer.Option(help="open, acknowledged, resolved, ignored.")] = "",
    owner: Annotated[str | None, typer.Option(help="Who looks after it; empty for nobody.")] = None,
    due: Annotated[str, typer.Option(help="When it must be solved: 8h, 2d, a day, a time, or never.")] = "",
    note: Annotated[str, typer.Option(help="What others should know.")] = "",
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Say what becomes of a problem: its state, who looks after it, until when, and why.

    Example: crossdock dlq mark pr-0123456789ab --state acknowledged --owner ann --due 8h
    """
    path = f"/ops/v1/problems/{urllib.parse.quote(problem, safe='')}"
    found = Remote(ops, token, data).call("PATCH", path, said(state, owner, due, note))
    if json:
        write_json(found)
    else:
        show(found, False, _COLUMNS, [_row(found)])
        for one in found["notes"]:
            typer.echo(f"{when(one['at'])}  {one['who']}  {one['text']}")


def said(state: str, owner: str | None, due: str, note: str) -> dict[str, Any]:
    """Return what a person says of a problem or finding; what is left out stays as it is."""
    given: dict[str, Any] = {name: text for name, text in (("state", state), ("note", note)) if text}
    given |= {} if owner is None else {"owner": owner}
    return given | ({"due": _moment(due)} if due else {})


def _row(one: dict[str, Any]) -> list[Any]:
    shown = one | {
        "state": f"{one['state']} again" if one["regressed"] else one["state"],
        "where": one["route"] or one["source"],
        "last_seen": when(one["last_seen"]),
        "owner": f"{one['owner']} (overdue)" if one["overdue"] else one["owner"],
    }
    return [shown[column] for column in _COLUMNS]


def _moment(text: str) -> int:
    """Return Unix milliseconds, 0 for never; a time that does not say is in UTC."""
    if text == "never":
        return 0
    if re.fullmatch(units.DURATION, text):
        return int((time.time() + units.seconds(text)) * 1000)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text} is no duration, day or time", param_hint="--due") from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
