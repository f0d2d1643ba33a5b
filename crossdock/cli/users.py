"""The `user` and `token` commands: who may sign in at the console, and API tokens of scripts."""

import sys
import urllib.parse
from enum import StrEnum
from typing import Annotated, Any

import typer

from crossdock.cli.output import JsonOption, show, when, write_json
from crossdock.cli.remote import DATA, DataOption, OpsOption, Remote, TokenOption, fail

USERS, TOKENS = "/ops/v1/users", "/ops/v1/tokens"


class Role(StrEnum):
    """The roles of people and tokens."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ARCHITECT = "architect"
    ADMIN = "admin"


user_app = typer.Typer(no_args_is_help=True, help="People who sign in at the console, and their roles.")
token_app = typer.Typer(no_args_is_help=True, help="API tokens of scripts and dashboards.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The name that the person signs in with.")]
RoleOption = Annotated[Role, typer.Option(help="What the holder may do; each role may do what those before it may.")]
FromInput = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(user_app, name="user")
    app.add_typer(token_app, name="token")


@user_app.command("add")
def user_add(
    name: Name, role: RoleOption = Role.VIEWER, password_stdin: FromInput = False,
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Add a user; asks for the password.

    Example: crossdock user add anna --role operator
    """
    remote = Remote(ops, token, data)
    made = remote.call("POST", USERS, {"name": name, "role": role.value, "password": _password(password_stdin)})
    write_json(made) if json else typer.echo(f"{name} may sign in as {role.value}.")


@user_app.command("list")
def user_list(data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False) -> None:
    """List users.

    Example: crossdock user list
    """
    found = Remote(ops, token, data).call("GET", USERS)
    rows = [[u["name"], u["role"], u["disabled"], when(u["created"]), when(u["changed"])] for u in found["items"]]
    show(found, json, ["name", "role", "disabled", "created", "changed"], rows)


@user_app.command("role")
def user_role(
    name: Name, role: Annotated[Role, typer.Argument(help="What that person may do.")],
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Give a user another role; ends the sessions of that person.

    Example: crossdock user role anna architect
    """
    _change(Remote(ops, token, data), name, {"role": role.value}, f"{name} is {role.value} now.", json)


@user_app.command("password")
def user_password(
    name: Name, password_stdin: FromInput = False,
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Set another password; ends the sessions of that person.

    Example: crossdock user password anna
    """
    remote = Remote(ops, token, data)
    _change(remote, name, {"password": _password(password_stdin)}, f"{name} has another password.", json)


@user_app.command("disable")
def user_disable(
    name: Name, data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False
) -> None:
    """Let a user sign in no more; ends the sessions of that person.

    Example: crossdock user disable anna
    """
    _change(Remote(ops, token, data), name, {"disabled": True}, f"{name} may not sign in any more.", json)


@user_app.command("enable")
def user_enable(
    name: Name, data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False
) -> None:
    """Let a disabled user sign in again.

    Example: crossdock user enable anna
    """
    _change(Remote(ops, token, data), name, {"disabled": False}, f"{name} may sign in again.", json)


@user_app.command("remove")
def user_remove(
    name: Name, data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False
) -> None:
    """Remove a user; ends the sessions of that person.

    Example: crossdock user remove anna
    """
    done = Remote(ops, token, data).call("DELETE", f"{USERS}/{_quoted(name)}")
    write_json(done) if json else typer.echo(f"{name} is removed.")


@token_app.command("create")
def token_create(
    name: Annotated[str, typer.Option(help="What it is for; the audit log shows token:NAME.")],
    role: RoleOption = Role.VIEWER,
    expires: Annotated[str, typer.Option(help="When it ends: 90d, or 2031-12-31 (0:00 UTC).")] = "",
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Make an API token and show it, this once.

    Example: crossdock token create --name grafana --role viewer --expires 90d
    """
    made = Remote(ops, token, data).call("POST", TOKENS, {"name": name, "role": role.value, "expires": expires})
    if json:
        write_json(made)
    else:
        typer.echo(made["token"])
        typer.echo(f"Token {made['id']} of {name}; keep it now, it is not shown again.", err=True)


@token_app.command("list")
def token_list(data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False) -> None:
    """List API tokens by id; the tokens themselves are not kept.

    Example: crossdock token list
    """
    found = Remote(ops, token, data).call("GET", TOKENS)
    rows = [[t["id"], t["name"], t["role"], when(t["created"]), t["by"], _end(t)] for t in found["items"]]
    show(found, json, ["id", "name", "role", "created", "by", "expires"], rows)


@token_app.command("revoke")
def token_revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="The id of the token, as `token list` shows it.")],
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Revoke an API token, and the sessions that began with it, within two seconds.

    Example: crossdock token revoke ID
    """
    done = Remote(ops, token, data).call("DELETE", f"{TOKENS}/{_quoted(token_id)}")
    write_json(done) if json else typer.echo(f"Token {token_id} is revoked.")


def _change(remote: Remote, name: str, change: dict[str, Any], words: str, as_json: bool) -> None:
    done = remote.call("PATCH", f"{USERS}/{_quoted(name)}", change)
    write_json(done) if as_json else typer.echo(words)


def _password(from_input: bool) -> str:
    """Return the password that is typed or given on standard input; arguments are seen by everybody on a machine."""
    if from_input:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        fail("no terminal to type the password at: give it on standard input with --password-stdin")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


def _end(token: dict[str, Any]) -> str:
    ends = when(token["expires"]) if token["expires"] else "never"
    return f"EXPIRED {ends}" if token["expired"] else ends


def _quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="")
