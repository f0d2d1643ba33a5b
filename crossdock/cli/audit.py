"""Commands for the log of what people did: `audit list` and `audit verify`."""

import json as jsonlib
import urllib.parse
from typing import Annotated

import typer

from crossdock.cli.output import PROBLEMS, JsonOption, show, when, write_json
from crossdock.cli.remote import DATA, DataOption, OpsOption, Remote, TokenOption
from dlq.audit import NO_HASH, is_hash

audit_app = typer.Typer(no_args_is_help=True, help="What people did, and the proof that the log of it is whole.")


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(audit_app, name="audit")


@audit_app.command("list")
def audit_list(
    who: Annotated[str, typer.Option(help="Only of this person.")] = "",
    act: Annotated[str, typer.Option(help="Only this act, such as `replay`.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most to list.")] = 100,
    before: Annotated[int, typer.Option(min=0, help="Only those before this number; 0 for the newest.")] = 0,
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """List what people did, newest first.

    Example: crossdock audit list --act discard
    """
    query = urllib.parse.urlencode({"who": who, "act": act, "limit": limit, "before": before})
    found = Remote(ops, token, data).call("GET", f"/ops/v1/audit?{query}")
    rows = [
        [e["number"], when(e["at"]), e["who"], e["address"], e["act"], e["on"], jsonlib.dumps(e["detail"])]
        for e in found["items"]
    ]
    show(found, json, ["number", "at", "who", "address", "act", "on", "detail"], rows)
    if found["next"] and not json:
        typer.echo(f"Older ones: --before {found['next']}", err=True)


@audit_app.command("verify")
def audit_verify(
    known: Annotated[str, typer.Option(help="The hash that an earlier run printed: it must be in the log.")] = "",
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Prove that no entry was changed, removed, moved or put between; exit 1 and name those that were.

    Example: crossdock audit verify --json
    """
    if known and not is_hash(known):
        raise typer.BadParameter(NO_HASH, param_hint="--known")
    query = urllib.parse.urlencode({"known": known})
    found = Remote(ops, token, data).call("GET", f"/ops/v1/audit/verify?{query}")
    if json:
        write_json(found)
    elif found["valid"]:
        typer.echo(f"Whole: {found['entries']} entries. Keep this hash elsewhere for `--known`: {found['hash']}")
    for problem in () if json else found["problems"]:
        typer.echo(f"entry {problem['number']}  {problem['code']}  {problem['message']}", err=True)
    raise typer.Exit(0 if found["valid"] else PROBLEMS)
