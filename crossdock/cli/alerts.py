"""Commands for alerts: `alert list`, `alert acknowledge` and `alert test`."""

import urllib.parse
from typing import Annotated, Any

import typer

from crossdock.cli.output import PROBLEMS, JsonOption, counted, show, when, write_json
from crossdock.cli.remote import DATA, DataOption, OpsOption, Remote, TokenOption

_COLUMNS = ["id", "state", "severity", "alert", "text", "since", "acknowledged"]

alert_app = typer.Typer(no_args_is_help=True, help="What is wrong now, and who is told of it.")


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(alert_app, name="alert")


@alert_app.command("list")
def alert_list(
    recent: Annotated[bool, typer.Option("--recent", help="Also what has ended lately.")] = False,
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """List what is wrong now, then the channels; exit 1 if something fires. With --json all of it.

    Example: crossdock alert list --recent
    """
    found = Remote(ops, token, data).call("GET", "/ops/v1/alerts")
    listed = [*found["firing"], *found["pending"], *(found["recent"] if recent else [])]
    if json:
        write_json(found)
    elif listed:
        show(found, False, _COLUMNS, [_row(one) for one in listed])
    else:
        typer.echo(f"Nothing is wrong by {counted(len(found['rules']), 'alert')}.")
    for text in () if json else _faults(found):
        typer.echo(text, err=True)
    raise typer.Exit(PROBLEMS if found["firing"] else 0)


@alert_app.command("acknowledge")
def alert_acknowledge(
    alert: Annotated[str, typer.Argument(help="The id, as `alert list` shows it.")],
    span: Annotated[str, typer.Option("--for", help="Tell nothing at all for so long: 2h; 0s takes it back.")] = "",
    note: Annotated[str, typer.Option(help="What others should know.")] = "",
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Say that you know: it is not told again until it has ended, or not at all for some time.

    Example: crossdock alert acknowledge al-0123456789ab --note "the ERP team is on it"
    """
    said: dict[str, Any] = {"note": note, **({"for": span} if span else {})}
    path = f"/ops/v1/alerts/{urllib.parse.quote(alert, safe='')}/acknowledge"
    found = Remote(ops, token, data).call("POST", path, said)
    if "state" in found or json:
        show(found, json, _COLUMNS, [_row(found)] if "state" in found else [])
    else:
        typer.echo(f"{alert} has ended.")


@alert_app.command("test")
def alert_test(
    channel: Annotated[str, typer.Argument(help="The name of the channel.")],
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Send a notice that is none to a channel; exit 1 if it does not arrive.

    Example: crossdock alert test on-call
    """
    found = Remote(ops, token, data).call("POST", "/ops/v1/alerts/test", {"channel": channel})
    if json:
        write_json(found)
    else:
        typer.echo(f"{channel}: {found['detail']}", err=not found["ok"])
    raise typer.Exit(0 if found["ok"] else PROBLEMS)


def _row(one: dict[str, Any]) -> list[Any]:
    by = one["acknowledged"]
    until = f" until {when(by['until'])}" if by and by["until"] else ""
    shown = one | {"since": when(one["since"]), "acknowledged": f"{by['who']}{until}" if by else ""}
    return [shown[column] for column in _COLUMNS]


def _faults(found: dict[str, Any]) -> list[str]:
    """Return what keeps alerts from being judged or told."""
    faults = [f"alert {one['alert']} cannot be judged: {one['fault']}" for one in found["rules"] if one["fault"]]
    for one in found["channels"]:
        if one["missing"]:
            faults.append(f"channel {one['channel']} is closed: not set: {', '.join(one['missing'])}")
        elif one["last"] and not one["last"]["ok"]:
            faults.append(f"channel {one['channel']}: {one['last']['detail']}; {one['waiting']} waiting")
    return faults
