"""Commands for partners: how well what they send fits."""

import urllib.parse
from typing import Annotated, Any

import typer

from crossdock.cli.output import JsonOption, show, table, when, write_json
from crossdock.cli.remote import DATA, DataOption, OpsOption, Remote, TokenOption

_COUNTS = ["sent", "accepted", "refused", "unverified", "duplicates", "id_conflicts", "unusable", "dead_letters"]
_COLUMNS = ["partner", "score", *_COUNTS, "late", "drift", "silent", "lost most by"]
_DAYS = Annotated[int, typer.Option(help="Of how many days, today among them.", min=1, max=7)]

partner_app = typer.Typer(no_args_is_help=True, help="How well what partners send fits.")


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(partner_app, name="partner")


@partner_app.command("list")
def partner_list(
    days: _DAYS = 7,
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Show the scorecards of all partners, those with the lowest score first.

    Example: crossdock partner list
    """
    found = Remote(ops, token, data).call("GET", f"/ops/v1/partners?days={days}")
    show(found, json, _COLUMNS, [_row(one) for one in found["items"]])


@partner_app.command("show")
def partner_show(
    partner: Annotated[str, typer.Argument(help="Its name.")],
    days: _DAYS = 7,
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Show one partner: what lost points, counts against those before, sources and open drift.

    Example: crossdock partner show stores
    """
    path = f"/ops/v1/partners/{urllib.parse.quote(partner, safe='')}?days={days}"
    found = Remote(ops, token, data).call("GET", path)
    if json:
        write_json(found)
        return
    before = found["before"]
    typer.echo(f"{found['partner']}: {_points(found['score'])}, before that {_points(before['score'])}")
    for one in found["lost"]:
        typer.echo(f"  -{one['points']:g}  {one['reason']}")
    names = [name for name in found["change"] if found[name] or before[name]]
    table(["", "now", "before", "change"], [[name, found[name], before[name], _grown(found, name)] for name in names])
    table(["source", "last event", "quiet", "silent", "drift"], [_source(found, one) for one in found["sources"]])


def _row(one: dict[str, Any]) -> list[Any]:
    lost = one["lost"][0]["reason"] if one["lost"] else ""
    shown = one | {"silent": ", ".join(one["silent"]), "lost most by": lost}
    return [shown[column] for column in _COLUMNS]


def _grown(found: dict[str, Any], name: str) -> str:
    change = found["change"][name]
    return "" if change is None else f"{change:+.1%}"


def _source(found: dict[str, Any], one: dict[str, Any]) -> list[Any]:
    drift = sum(finding["source"] == one["source"] for finding in found["drift"])
    return [one["source"], _at(one["last_event"]), f"{one['quiet']:g}s", one["silent"], drift]


def _at(milliseconds: int) -> str:
    return when(milliseconds) if milliseconds else "never"


def _points(score: float | None) -> str:
    return "nothing came" if score is None else f"{score:g} of 100 points"
