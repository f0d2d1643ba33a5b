"""Commands for drift: what sources send beyond their schemas or their past, and schemas that would allow it."""

import json as text
import urllib.parse
from pathlib import Path
from typing import Annotated, Any

import typer

from crossdock.cli.output import JsonOption, show, when, write_json
from crossdock.cli.problems import said
from crossdock.cli.remote import DATA, DataOption, OpsOption, Remote, TokenOption

_COLUMNS = ["id", "state", "kind", "source", "type", "pointer", "what", "share", "last_seen", "sample"]
_MOST_SHOWN = 60
Finding = Annotated[str, typer.Argument(help="The id, as `drift list` shows it.")]

drift_app = typer.Typer(no_args_is_help=True, help="What sources send beyond their schemas, or unlike before.")


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(drift_app, name="drift")


@drift_app.command("list")
def drift_list(
    state: Annotated[str, typer.Option(help="open, acknowledged, resolved, ignored, settled; empty for all.")] = "",
    partner: Annotated[str, typer.Option(help="Only of this partner.")] = "",
    source: Annotated[str, typer.Option(help="Only of this source.")] = "",
    kind: Annotated[str, typer.Option(help="unknown_field, new_value, null, type, missing, rule.")] = "",
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """List what drifted, open findings first.

    Example: crossdock drift list --state open
    """
    query = urllib.parse.urlencode({"state": state, "partner": partner, "source": source, "kind": kind})
    found = Remote(ops, token, data).call("GET", f"/ops/v1/drift?{query}")
    show(found, json, _COLUMNS, [_row(one) for one in found["items"]])


@drift_app.command("show")
def drift_show(
    finding: Finding,
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Show one finding: what came, what was usual, since when, and what people said of it.

    Example: crossdock drift show dr-0123456789ab
    """
    _tell(Remote(ops, token, data).call("GET", _path(finding)), json)


@drift_app.command("mark")
def drift_mark(  # noqa: PLR0913, PLR0917  an option for each thing to say
    finding: Finding,
    state: Annotated[str, typer.Option(help="open, acknowledged, resolved, ignored.")] = "",
    owner: Annotated[str | None, typer.Option(help="Who looks after it; empty for nobody.")] = None,
    due: Annotated[str, typer.Option(help="When it must be solved: 8h, 2d, a day, a time, or never.")] = "",
    note: Annotated[str, typer.Option(help="What others should know.")] = "",
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Say what becomes of a finding; a resolved one comes back when it is seen again.

    Example: crossdock drift mark dr-0123456789ab --state ignored --note "a field of theirs that we do not need"
    """
    _tell(Remote(ops, token, data).call("PATCH", _path(finding), said(state, owner, due, note)), json)


@drift_app.command("propose")
def drift_propose(
    findings: Annotated[list[str], typer.Argument(metavar="ID...", help="Findings of one type.")],
    to: Annotated[Path | None, typer.Option(help="The project to write the version into.", file_okay=False)] = None,
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Show the next minor version of a schema that allows what drifted and is compatible, or write it into a project.

    Example: crossdock drift propose dr-0123456789ab --to .
    """
    query = urllib.parse.urlencode([("also", one) for one in findings[1:]])
    made = Remote(ops, token, data).call("GET", f"{_path(findings[0])}/proposal?{query}")
    if to is not None:
        _write(to / made["file"], made["schema"])
    if json:
        write_json(made)
        return
    typer.echo(f"{made['type']} {made['version']}, after {made['base']}:")
    for change in made["changes"]:
        typer.echo(f"  {change['pointer']}  {change['change']}")
    typer.echo(
        f"wrote {to / made['file']}; now `crossdock schema check {made['type']}`" if to else "write it with --to"
    )


def _write(path: Path, schema: dict[str, Any]) -> None:
    """Write a version that must not be there."""
    if not path.parent.is_dir():
        raise typer.BadParameter(f"there is no {path.parent}: not the project of this installation", param_hint="--to")
    try:
        with path.open("x") as file:
            file.write(text.dumps(schema, indent=2, ensure_ascii=False) + "\n")
    except FileExistsError:
        raise typer.BadParameter(f"{path} is there already; put it in force first", param_hint="--to") from None


def _path(finding: str) -> str:
    return f"/ops/v1/drift/{urllib.parse.quote(finding, safe='')}"


def _tell(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        write_json(found)
        return
    show(found, False, _COLUMNS, [_row(found)])
    usual = ", ".join(map(str, found["usual"])) or "nothing else"
    often = f"{found['count']} refused" if found["refused"] else f"{found['count']} of {found['of']} events"
    typer.echo(f"{often} since {when(found['first_seen'])}; usual: {usual}")
    for one in found["notes"]:
        typer.echo(f"{when(one['at'])}  {one['who']}  {one['text']}")


def _row(one: dict[str, Any]) -> list[Any]:
    what = one["rule"] or ", ".join(map(str, one["values"])) or ", ".join(map(str, one["usual"]))
    early = " (always so)" if one["early"] else " (refused)" if one["refused"] else ""
    shown = one | {
        "state": f"{one['state']} again" if one["regressed"] else f"{one['state']}{early}",
        "type": f"{one['type']}@{one['version']}",
        "what": what if len(what) <= _MOST_SHOWN else f"{what[:_MOST_SHOWN]}...",
        "share": f"{one['count']} refused" if one["refused"] else f"{one['share']:.2%}",
        "last_seen": when(one["last_seen"]),
        "sample": one["sample"] or one["letter"],
    }
    return [shown[column] for column in _COLUMNS]
