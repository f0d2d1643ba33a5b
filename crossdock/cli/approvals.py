"""Commands for acts that take a second person: `approval list`, `approve` and `refuse`."""

import urllib.parse
from typing import Annotated, Any

import typer

from crossdock.cli.output import JsonOption, show, when
from crossdock.cli.remote import DATA, DataOption, OpsOption, Remote, TokenOption

PATH = "/ops/v1/approvals"
_COLUMNS = ["id", "state", "act", "letters", "who", "at", "why", "by", "outcome"]

approval_app = typer.Typer(no_args_is_help=True, help="Acts that wait for a second person.")
ApprovalId = Annotated[str, typer.Argument(help="The id, as `approval list` shows it.")]
WhyOption = Annotated[str, typer.Option(help="What you have to say; the audit log keeps it.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(approval_app, name="approval")


@approval_app.command("list")
def approval_list(
    state: Annotated[str, typer.Option(help="asked, done, failed, refused, expired; empty for all.")] = "",
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """List what was asked for, newest first.

    Example: crossdock approval list --state asked
    """
    found = Remote(ops, token, data).call("GET", f"{PATH}?{urllib.parse.urlencode({'state': state})}")
    _show(found["items"], found, json)


@approval_app.command("approve")
def approval_approve(
    approval: ApprovalId, why: WhyOption = "",
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Allow what another person asked for; it is done at once.

    Example: crossdock approval approve ap-0123456789ab --why "looked at the dry run"
    """
    _decide(Remote(ops, token, data), approval, "approve", why, json)


@approval_app.command("refuse")
def approval_refuse(
    approval: ApprovalId, why: WhyOption = "",
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Refuse what was asked for, or take back what you asked for yourself.

    Example: crossdock approval refuse ap-0123456789ab --why "the till is right"
    """
    _decide(Remote(ops, token, data), approval, "refuse", why, json)


def _decide(remote: Remote, approval: str, word: str, why: str, json: bool) -> None:
    found = remote.call("POST", f"{PATH}/{urllib.parse.quote(approval, safe='')}/{word}", {"why": why})
    _show([found], found, json)


def _show(items: list[dict[str, Any]], document: Any, json: bool) -> None:
    rows = [[when(one[c]) if c == "at" else one[c] for c in _COLUMNS] for one in items]
    show(document, json, _COLUMNS, rows)
