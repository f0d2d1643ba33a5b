"""`trace`: what became of an event, or which events something is true of."""

import urllib.parse
from typing import Annotated, Any

import typer

from crossdock.cli.output import JsonOption, show, when
from crossdock.cli.remote import DATA, DataOption, OpsOption, Remote, TokenOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(trace)


def trace(  # noqa: PLR0913, PLR0917  what may be looked for
    key: Annotated[
        str, typer.Argument(help="An event id, a business key, or what a schema names a key (PO, GTIN, store ...).")
    ] = "",
    kind: Annotated[str, typer.Option(help="List events with the key of this kind, such as po or store.")] = "",
    partner: Annotated[str, typer.Option(help="List events of this partner.")] = "",
    source: Annotated[str, typer.Option(help="List events of this source.")] = "",
    route: Annotated[str, typer.Option(help="List events that this route has to do with.")] = "",
    outcome: Annotated[str, typer.Option(help="List events with this outcome, such as dead_lettered.")] = "",
    reason: Annotated[str, typer.Option(help="List events whose reason or detail says this.")] = "",
    since: Annotated[str, typer.Option("--from", help="List events since this date and time.")] = "",
    to: Annotated[str, typer.Option(help="List events before this date and time.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most to list.")] = 100,
    after: Annotated[str, typer.Option(help="List on from here: `next` of the page before.")] = "",
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Show every hop of an event, or with an option list the events that fit, newest first.

    Example: crossdock trace 0007/R-1
    """
    search = {"kind": kind, "partner": partner, "source": source, "route": route, "outcome": outcome, "reason": reason}
    search |= {"from": since, "to": to, "after": after}
    remote = Remote(ops, token, data)
    if any(search.values()):
        query = urllib.parse.urlencode({name: text for name, text in search.items() if text} | {"limit": limit})
        named = f"key={urllib.parse.quote(key, safe='')}&" if key else ""
        _list(remote.call("GET", f"/ops/v1/events?{named}{query}"), json)
    elif key:
        _show(remote.call("GET", f"/ops/v1/events/{urllib.parse.quote(key, safe='')}"), json)
    else:
        raise typer.BadParameter("name an event id, a business key or another key, or say what to look for")


def _show(found: dict[str, Any], json: bool) -> None:
    rows = [
        [when(hop["at"]), hop["stage"], hop.get("route", ""), hop["outcome"], hop.get("id", ""), hop["detail"]]
        for hop in found["hops"]
    ]
    show(found, json, ["at", "stage", "route", "outcome", "event", "detail"], rows)


def _list(found: dict[str, Any], json: bool) -> None:
    names = ["partner", "type", "id", "key", "route", "outcome", "detail"]
    rows = [[when(item["at"]), *(item.get(name, "") for name in names)] for item in found["items"]]
    show(found, json, ["at", *names], rows)
    if found["next"] and not json:
        typer.echo(f"There may be more: --after {found['next']}", err=True)
