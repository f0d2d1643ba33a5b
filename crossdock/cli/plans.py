"""Commands for replays that are planned: `dlq plan`, `plans`, `run`, `pause` and `cancel`."""

import time
import urllib.parse
from pathlib import Path
from typing import Annotated, Any

import typer

from crossdock.bundle import pack
from crossdock.cli.operate import dlq_app
from crossdock.cli.output import (
    PROBLEMS,
    JsonOption,
    counted,
    printable,
    require_content,
    show,
    when,
    write_json,
    write_problems,
)
from crossdock.cli.remote import DATA, DataOption, OpsOption, Remote, TokenOption, fail
from crossdock.kernel.problems import Problem

LOOK_EVERY = 0.5  # seconds until a running plan is looked at again
PATH = "/ops/v1/plans"
_COLUMNS = ["id", "state", "total", "done", "sent", "skipped", "gone", "who", "at", "reason"]

plans_app = typer.Typer()
PlanId = Annotated[str, typer.Argument(help="The id, as `dlq plans` shows it.")]


def register(_: typer.Typer) -> None:
    """Add the commands of this file to those of `dlq`."""
    dlq_app.add_typer(plans_app)


@plans_app.command("plan")
def dlq_plan(  # noqa: PLR0913, PLR0917  an option for each way to select
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of dead letters.")] = None,
    route: Annotated[str, typer.Option(help="All open ones of this route.")] = "",
    reason: Annotated[str, typer.Option(help="All open ones with this reason.")] = "",
    problem: Annotated[str, typer.Option(help="All open ones of this problem.")] = "",
    why: Annotated[str, typer.Option(help="Why they are sent again; the audit log keeps it.")] = "",
    rate: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many a second.")] = 500,
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Select dead letters to send again, count them, and keep the selection; nothing is sent.

    Example: crossdock dlq plan --route sales-to-oms --why "the OMS is back"
    """
    if not (ids or route or reason or problem):
        raise typer.BadParameter("name ids, or a selection with --route, --reason or --problem")
    wanted = {"ids": ids or [], "route": route, "reason": reason, "problem": problem, "why": why, "rate": rate}
    made = Remote(ops, token, data).call("POST", PATH, wanted)
    _show([made], made, json)
    if made["past_retention"]:
        typer.echo(f"{made['past_retention']} more are past their retention and cannot be sent.", err=True)


@plans_app.command("plans")
def dlq_plans(
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False
) -> None:  # fmt: skip
    """List plans, newest first.

    Example: crossdock dlq plans
    """
    found = Remote(ops, token, data).call("GET", PATH)
    _show(found["items"], found, json)


@plans_app.command("dry-run")
def dlq_dry_run(
    plan: PlanId,
    project: Annotated[
        Path | None, typer.Option(help="The folder of a changed project, instead of what is in force.", file_okay=False)
    ] = None,
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Say what a plan would do, without doing it: what passes, what fails and why, and what targets would get.

    Example: crossdock dlq dry-run rp-0123456789abcdef --project .
    """
    if project is not None:
        require_content(project)
    body = pack(project).encode() if project is not None else b""
    path = f"{PATH}/{urllib.parse.quote(plan, safe='')}/dry-run"
    status, found = Remote(ops, token, data).send("POST", path, body, "application/zip")
    if status != 200:
        write_problems([Problem(**one) for one in found.get("problems", ())], json)
        fail(str(found["detail"]))
    if json:
        write_json(found)
    else:
        _show_dry_run(found)
    raise typer.Exit(PROBLEMS if found["fails"] else 0)


@plans_app.command("run")
def dlq_run(
    plan: PlanId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Send what a plan has selected, or go on after a pause; it goes on when this command is ended.

    Example: crossdock dlq run rp-0123456789abcdef --yes
    """
    remote, path = Remote(ops, token, data), f"{PATH}/{urllib.parse.quote(plan, safe='')}"
    if not yes:
        found = remote.call("GET", path)
        typer.confirm(f"Send {counted(found['total'] - found['done'], 'dead letter')} again?", abort=True, err=True)
    done = remote.call("POST", f"{path}/run")
    while done["state"] == "running":
        typer.echo(f"\r{done['done']} of {done['total']}", nl=False, err=True)
        time.sleep(LOOK_EVERY)
        done = next(one for one in remote.call("GET", f"{PATH}?limit=1000")["items"] if one["id"] == plan)
    typer.echo("", err=True)
    _show([done], done, json)
    raise typer.Exit(PROBLEMS if done["gone"] else 0)


@plans_app.command("pause")
def dlq_pause(
    plan: PlanId, data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False
) -> None:  # fmt: skip
    """Stop sending for a while; `dlq run` goes on.

    Example: crossdock dlq pause rp-0123456789abcdef
    """
    _turn(Remote(ops, token, data), plan, "pause", json)


@plans_app.command("cancel")
def dlq_cancel(
    plan: PlanId, data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False
) -> None:  # fmt: skip
    """End a plan; what it has not sent stays an open dead letter.

    Example: crossdock dlq cancel rp-0123456789abcdef
    """
    _turn(Remote(ops, token, data), plan, "cancel", json)


def _show_dry_run(found: dict[str, Any]) -> None:
    typer.echo(f"{found['passes']} of {found['looked_at']} pass by revision {found['revision'][:12]}.")
    for one in found["fails"]:
        typer.echo(printable(f"{one['count']} fail: {one['why']}"))
    for one in found["targets"]:
        typer.echo(f"{one['count']} requests of {one['route']} to {one['connector']}")
    for one in found["examples"]:
        typer.echo(f"{found['effects'][one['effect']]} {one['effect'].replace('_', ' ')}, such as {one['id']}:")
        for change in one["changes"]:
            typer.echo(printable(f"  {change}"))
    if found["order_conflicts"]["count"]:
        typer.echo(f"{found['order_conflicts']['count']} come after a later event of their key that was delivered")
    if found["maybe_known_to_target"]["count"]:
        typer.echo(f"{found['maybe_known_to_target']['count']} may be known to their target, which ignores a repeat")


def _turn(remote: Remote, plan: str, act: str, json: bool) -> None:
    done = remote.call("POST", f"{PATH}/{urllib.parse.quote(plan, safe='')}/{act}")
    _show([done], done, json)


def _show(plans: list[dict[str, Any]], document: Any, json: bool) -> None:
    rows = [[when(plan[c]) if c == "at" else plan[c] for c in _COLUMNS] for plan in plans]
    show(document, json, _COLUMNS, rows)
