"""Commands for replays that are planned: `dlq plan`, `plans`, `dry-run`, `run`, `report`, `pause` and `cancel`."""

import urllib.parse
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from crossdock.cli.operate import dlq_app
from crossdock.cli.output import (
    PROBLEMS,
    JsonOption,
    confirm,
    counted,
    printable,
    show,
    table,
    when,
    write_json,
    write_problems,
)
from crossdock.cli.planshown import followed, show_dry_run
from crossdock.cli.remote import DATA, DataOption, OpsOption, Remote, TokenOption, fail
from crossdock.kernel import jsontext
from crossdock.kernel.problems import Problem, Refused

PATH = "/ops/v1/plans"
STOPPED = ("paused", "cancelled")  # states of a plan that was not sent to its end
_COLUMNS = ["id", "state", "of", "total", "done", "sent", "skipped", "gone", "who", "at", "reason"]

Targets = Literal["failed", "all"]

plans_app = typer.Typer()
PlanId = Annotated[str, typer.Argument(help="The id, as `dlq plans` shows it.")]


def register(_: typer.Typer) -> None:
    """Add the commands of this file to those of `dlq`."""
    dlq_app.add_typer(plans_app)


@plans_app.command("plan")
def dlq_plan(  # noqa: PLR0913, PLR0917  an option for each way to select
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of dead letters.")] = None,
    route: Annotated[str, typer.Option(help="All open ones of this route; of events, those that came to it.")] = "",
    reason: Annotated[str, typer.Option(help="All open ones with this reason; of events, a part of it.")] = "",
    problem: Annotated[str, typer.Option(help="All open ones of this problem.")] = "",
    since: Annotated[str, typer.Option("--from", help="Past events since this time, whatever became of them.")] = "",
    to: Annotated[str, typer.Option(help="Past events before this time; UTC unless it says.")] = "",
    key: Annotated[str, typer.Option(help="Past events with this id, business key or other key.")] = "",
    partner: Annotated[str, typer.Option(help="Past events of this partner.")] = "",
    source: Annotated[str, typer.Option(help="Past events of this source.")] = "",
    type_: Annotated[str, typer.Option("--type", help="Past events of this type, as it came or canonical.")] = "",
    targets: Annotated[Targets, typer.Option(help="Send to targets that failed, or to all that match.")] = "failed",
    target: Annotated[list[str] | None, typer.Option(help="To this route only; give it again for more.")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Through the process step again.")] = False,
    patch: Annotated[Path | None, typer.Option(help="A file with a JSON Patch for each.", dir_okay=False)] = None,
    why: Annotated[str, typer.Option(help="Why they are sent again; the audit log keeps it.")] = "",
    rate: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many a second.")] = 500,
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Select dead letters or past events to send again, count them, and keep the selection; nothing is sent.

    Example: crossdock dlq plan --route sales-to-oms --why "the OMS is back"
    """
    past = {"from": since, "to": to, "key": key, "partner": partner, "source": source, "type": type_}
    letters: dict[str, Any] = {"ids": ids or [], "route": route, "reason": reason, "problem": problem}
    selected: dict[str, Any] = letters
    if any(past.values()):
        if ids or problem:
            raise typer.BadParameter("name dead letters, or past events, not both")
        selected = {"events": {**past, "route": route, "reason": reason}}
    elif not any(letters.values()):
        raise typer.BadParameter("name ids, or a selection with --route, --reason, --problem, --key, --from ...")
    how = {"to": targets, "routes": target or [], "from_stage": "raw" if raw else "canonical", "rate": rate}
    change = {"patch": _patch(patch)} if patch else {}
    made = Remote(ops, token, data).call("POST", PATH, {**selected, **how, **change, "why": why})
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
    body = _packed(project) if project is not None else b""
    path = f"{PATH}/{urllib.parse.quote(plan, safe='')}/dry-run"
    status, found = Remote(ops, token, data).send("POST", path, body, "application/zip")
    if status != 200:
        write_problems([Problem(**one) for one in found.get("problems", ())], json)
        fail(str(found["detail"]))
    if json:
        write_json(found)
    else:
        show_dry_run(found)
    raise typer.Exit(PROBLEMS if found["fails"] else 0)


@plans_app.command("run")
def dlq_run(
    plan: PlanId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Send what a plan has selected, or go on after a pause; Ctrl-C ends this command and not the plan.

    Exit 1 if somebody pauses or cancels it before its end; `state` has which.

    Example: crossdock dlq run rp-0123456789abcdef --yes
    """
    remote, path = Remote(ops, token, data), f"{PATH}/{urllib.parse.quote(plan, safe='')}"
    if not yes:
        found = remote.call("GET", f"{path}?report=false")
        for warning in found["warnings"]:
            typer.echo(printable(f"Note: {warning}."), err=True)
        confirm(f"Send {counted(found['total'] - found['done'], _noun(found))} again?")
    begun = remote.call("POST", f"{path}/run")
    if "approval" in begun:
        write_json(begun) if json else typer.echo(f"It waits for another person: {begun['approval']['id']}")
        return
    done = followed(remote, path, begun)
    _show([done], done, json)
    if done["state"] in STOPPED:
        typer.echo(f"The plan was {done['state']} at {done['done']} of {done['total']}.{_on(done)}", err=True)
        raise typer.Exit(PROBLEMS)
    raise typer.Exit(PROBLEMS if done["gone"] else 0)


@plans_app.command("report")
def dlq_report(
    plan: PlanId,
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Say what came of a plan by target, and which failed again; exit 1 if any did.

    Example: crossdock dlq report rp-0123456789abcdef
    """
    remote, path = Remote(ops, token, data), f"{PATH}/{urllib.parse.quote(plan, safe='')}"
    found = remote.call("GET", path)
    failed = remote.call("GET", f"{path}/items?outcome=failed_again&limit=1000")["items"]
    if json:
        write_json({**found, "failed_again": failed})
    else:
        _show([found], found, json)
        names = list(dict.fromkeys(name for one in found["report"]["targets"] for name in one))
        table(names, [[one.get(name, 0) for name in names] for one in found["report"]["targets"]])
        for one in failed:
            typer.echo(printable(f"{one['id']} {one['event_id']} {one['target']}: {one['reason']} {one['detail']}"))
    raise typer.Exit(PROBLEMS if failed else 0)


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


def _packed(project: Path) -> bytes:
    from crossdock.bundle import pack  # noqa: PLC0415  half a second that no other command of `dlq` needs
    from crossdock.cli.projects import require_content  # noqa: PLC0415

    require_content(project)
    return pack(project).encode()


def _patch(file: Path) -> Any:
    try:
        return jsontext.loads(file.read_bytes())
    except (OSError, Refused) as error:
        raise typer.BadParameter(f"{file}: {error}", param_hint="--patch") from None


def _on(plan: dict[str, Any]) -> str:
    return f" `crossdock dlq run {plan['id']}` goes on." if plan["state"] == "paused" else ""


def _noun(plan: dict[str, Any]) -> str:
    return "dead letter" if plan["of"] == "letters" else "event"


def _turn(remote: Remote, plan: str, act: str, json: bool) -> None:
    done = remote.call("POST", f"{PATH}/{urllib.parse.quote(plan, safe='')}/{act}")
    _show([done], done, json)


def _show(plans: list[dict[str, Any]], document: Any, json: bool) -> None:
    rows = [[when(plan[c]) if c == "at" else plan[c] for c in _COLUMNS] for plan in plans]
    show(document, json, _COLUMNS, rows)
