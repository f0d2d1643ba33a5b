"""Commands for routes: `route list`, `pause`, `resume` and `backfill`."""

import time
import urllib.parse
from typing import Annotated, Any

import typer

from crossdock.cli.output import JsonOption, confirm, counted, show, table, when, write_json
from crossdock.cli.remote import DATA, DataOption, OpsOption, Remote, TokenOption

LOOK_EVERY = 1.0  # seconds until a backfill is looked at again
_TWICE = (
    "{delivered} of the events stored then were delivered to {route} already, as far as the journal goes back. "
    "They go again: a target that knows no idempotency keys books them again."
)

route_app = typer.Typer(no_args_is_help=True, help="List, pause and resume routes, send past events through one.")
RouteName = Annotated[str, typer.Argument(help="The name of the route.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the audit log.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(route_app, name="route")


@route_app.command("list")
def route_list(
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False
) -> None:  # fmt: skip
    """Show the routes: state, what waits, and the keys that a failing event holds up.

    Example: crossdock route list
    """
    routes = Remote(ops, token, data).call("GET", "/ops/v1/overview")["routes"]
    if json:
        write_json({"routes": routes})
        return
    columns = ["route", "connector", "breaker", "behind", "lag", "held", "waiting"]
    table(columns, [[route.get(column, "") for column in columns] for route in routes])
    keys = [[route["route"], *_parked(one)] for route in routes for one in route.get("parked", ())]
    if keys:
        table(["route", "key", "since", "event", "why", "behind it"], keys)


def _parked(one: dict[str, Any]) -> list[Any]:
    return [one["key"], when(one["since"]), one["event_id"], one["why"], one["behind"]]


@route_app.command("pause")
def route_pause(
    name: RouteName,
    reason: Reason = "",
    data: DataOption = DATA,
    ops: OpsOption = "",
    token: TokenOption = "",
    json: JsonOption = False,
) -> None:
    """Stop delivering a route; it keeps its place.

    Example: crossdock route pause sales-to-erp --reason "the ERP is maintained"
    """
    done = Remote(ops, token, data).call("POST", _path(name, "pause"), {"reason": reason})
    write_json(done) if json else typer.echo(f"Route {name} is paused.")


@route_app.command("resume")
def route_resume(
    name: RouteName,
    reason: Reason = "",
    data: DataOption = DATA,
    ops: OpsOption = "",
    token: TokenOption = "",
    json: JsonOption = False,
) -> None:
    """Deliver a paused route again, from where it stood.

    Example: crossdock route resume sales-to-erp
    """
    done = Remote(ops, token, data).call("POST", _path(name, "resume"), {"reason": reason})
    write_json(done) if json else typer.echo(f"Route {name} delivers.")


@route_app.command("backfill")
def route_backfill(
    name: RouteName,
    since: Annotated[str, typer.Option("--from", help="`beginning`, or a time: events stored from then on.")] = "",
    to: Annotated[str, typer.Option(help="A time: only events stored before it.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Send past events through a route, with the keys they had: a target that knows one has it once.

    It goes on when this command is ended; `route stop-backfill` ends it.

    Example: crossdock route backfill sales-to-erp --from 2026-11-01T00:00Z
    """
    remote, path = Remote(ops, token, data), _path(name, "backfill")
    if not since:
        raise typer.BadParameter("say --from when, or --from beginning", param_hint="--from")
    span = {"from": since, "to": to}
    if not yes:
        planned = remote.call("POST", path, {**span, "dry_run": True})
        if planned["delivered"]:
            typer.echo(_TWICE.format(**planned), err=True)
        confirm(f"Send {counted(planned['total'], 'past event')} through {name}?")
    done = remote.call("POST", path, span)
    while done["state"] == "running":
        if not json:
            typer.echo(f"{done['sent']} of {done['total']} sent", err=True)
        time.sleep(LOOK_EVERY)
        done = remote.call("GET", path)
    _show_backfill(done, json)


@route_app.command("stop-backfill")
def route_stop_backfill(
    name: RouteName, data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False
) -> None:
    """Stop the backfill of a route; what it has sent is delivered.

    Example: crossdock route stop-backfill sales-to-erp
    """
    _show_backfill(Remote(ops, token, data).call("DELETE", _path(name, "backfill")), json)


def _show_backfill(done: dict[str, Any], json: bool) -> None:
    columns = ["route", "state", "sent", "total", "id"]
    show(done, json, columns, [[done[column] for column in columns]])


def _path(name: str, act: str) -> str:
    return f"/ops/v1/routes/{urllib.parse.quote(name, safe='')}/{act}"
