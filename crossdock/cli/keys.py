"""The `key` commands: API keys of partners."""

import time
import urllib.parse
from typing import Annotated, Any

import typer

from crossdock.cli.output import JsonOption, show, when, write_json
from crossdock.cli.remote import DATA, DataOption, OpsOption, Remote, TokenOption

PATH = "/ops/v1/keys"
key_app = typer.Typer(no_args_is_help=True, help="API keys of partners.")
KeyId = Annotated[str, typer.Argument(metavar="ID", help="The id of the key, as `key list` shows it.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(key_app, name="key")


@key_app.command("create")
def key_create(  # noqa: PLR0913, PLR0917  an option for each scope
    partner: Annotated[str, typer.Option(help="A partner that a source in gateway/ belongs to.")],
    source: Annotated[list[str] | None, typer.Option(help="Only this source; may be given again.")] = None,
    type_: Annotated[list[str] | None, typer.Option("--type", help="Only this type; may be given again.")] = None,
    no_status: Annotated[bool, typer.Option("--no-status", help="It may not ask what became of events.")] = False,
    expires: Annotated[str, typer.Option(help="When it ends: 90d, or 2031-12-31 (0:00 UTC).")] = "",
    rate: Annotated[str, typer.Option(help="Its own limit beside the source's: 50/s.")] = "",
    note: Annotated[str, typer.Option(help="For people: who holds it.")] = "",
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Make a key and show it, this once.

    Example: crossdock key create --partner stores --source tills --expires 90d
    """
    wanted = {
        "partner": partner, "sources": source or [], "types": type_ or [], "status": not no_status,
        "expires": expires, "rate": rate, "note": note,
    }  # fmt: skip
    made = Remote(ops, token, data).call("POST", PATH, wanted)
    _show_key(made, json)


@key_app.command("list")
def key_list(data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False) -> None:
    """List keys by id; the keys themselves are not kept.

    Example: crossdock key list
    """
    found = Remote(ops, token, data).call("GET", PATH)
    now = time.time_ns() // 1_000_000
    rows = [
        [key["id"], key["partner"], scopes(key), when(key["created"]), end(key), last_use(key, now), key["note"]]
        for key in found["items"]
    ]
    show(found, json, ["id", "partner", "scopes", "created", "expires", "last used", "note"], rows)


@key_app.command("roll")
def key_roll(
    key_id: KeyId,
    overlap: Annotated[str, typer.Option(help="How long the old key works beside the new one; 0s ends it.")] = "24h",
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Make a successor with the same rights and show it, this once.

    Example: crossdock key roll ID --overlap 7d
    """
    made = Remote(ops, token, data).call("POST", f"{PATH}/{_quoted(key_id)}/roll", {"overlap": overlap})
    _show_key(made, json)
    if not json:
        typer.echo(f"Key {key_id} ends {when(made['old']['expires'])}.", err=True)


@key_app.command("revoke")
def key_revoke(
    key_id: KeyId, data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False
) -> None:
    """Revoke a key; it stops working at all gateways within a second.

    Example: crossdock key revoke ID
    """
    done = Remote(ops, token, data).call("DELETE", f"{PATH}/{_quoted(key_id)}")
    write_json(done) if json else typer.echo(f"Key {key_id} is revoked.")


def scopes(key: dict[str, Any]) -> str:
    """Return what a key may do, in words."""
    parts = [f"{name} {', '.join(key[name])}" for name in ("sources", "types") if key[name]]
    parts += [] if key["status"] else ["no status"]
    parts += [f"{key['rate']}/s"] if key["rate"] else []
    return "; ".join(parts) or "all"


def end(key: dict[str, Any]) -> str:
    """Return when a key ends, and what came after it."""
    at = when(key["expires"]) if key["expires"] else "never"
    after = f", rolled to {key['rolled_to']}" if key["rolled_to"] else ""
    return f"{'EXPIRED ' if key['expired'] else ''}{at}{after}"


def last_use(key: dict[str, Any], now: int) -> str:
    """Return how long ago a key was used; both times are Unix milliseconds."""
    if not key["last_used"]:
        return "unknown" if key["last_used"] is None else "never"
    seconds = max(0, now - key["last_used"]) // 1000
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit} ago"
    return f"{seconds} s ago"


def _show_key(made: dict[str, Any], as_json: bool) -> None:
    if as_json:
        write_json(made)
    else:
        typer.echo(made["key"])
        typer.echo(f"Key {made['id']} of {made['partner']}; keep it now, it is not shown again.", err=True)


def _quoted(key_id: str) -> str:
    return urllib.parse.quote(key_id, safe="")
