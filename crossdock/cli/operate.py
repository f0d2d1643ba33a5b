"""Commands of operators: `ledger` and `dlq`."""

import urllib.parse
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, TaskID

from crossdock.cli.output import JsonOption, confirm, counted, show, table, when, write_json
from crossdock.cli.remote import DATA, DataOption, OpsOption, Remote, TokenOption, fail

dlq_app = typer.Typer(no_args_is_help=True, help="Dead letters: list, look, send again.")


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(dlq_app, name="dlq")
    app.command()(ledger)


def ledger(
    deep: Annotated[bool, typer.Option("--deep", help="Read the streams from their beginning, trust no sums.")] = False,
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Prove that every event adds up, as of now; exit 1 and name those that do not.

    Example: crossdock ledger --json
    """
    remote = Remote(ops, token, data)
    found = _deep_ledger(remote) if deep else remote.call("GET", "/ops/v1/ledger")
    if json:
        write_json(found)
    else:
        _show_ledger(found)
    raise typer.Exit(0 if found["balanced"] else 1)


def _deep_ledger(remote: Remote) -> dict[str, Any]:
    """Return the ledger that comes after the lines on how much was read, which are shown on standard error."""
    with Progress(console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, TaskID] = {}
        line: dict[str, Any] = {}
        for line in remote.lines("/ops/v1/ledger?deep=true"):
            for stream, read in line.get("read", {}).items():
                if stream not in tasks:
                    tasks[stream] = progress.add_task(stream, total=None)
                task = tasks[stream]
                progress.update(task, completed=read["at"], total=read["of"])
    return line if "balanced" in line else fail("the answer ended before the ledger")


def _show_ledger(found: dict[str, Any]) -> None:
    for part, name in (("sources", "source"), ("routes", "route")):
        rows = found[part]
        columns = list(rows[0]) if rows else [name]
        table(columns, [[row[column] for column in columns] for row in rows])
    if found["balanced"]:
        typer.echo("Balanced: every event has an outcome or is on its way.")
        return
    typer.echo(f"NOT balanced: {found['missing']} events do not add up.", err=True)
    for item in found["unexplained"]:
        typer.echo(f"  {item['stream']} {item['seq']}  {item['event_id']}  {item['at']}  {item['why']}", err=True)


@dlq_app.command("list")
def dlq_list(  # noqa: PLR0913, PLR0917  an option for each thing to list by
    state: Annotated[str, typer.Option(help="open, replaying, resolved, discarded; empty for all.")] = "",
    route: Annotated[str, typer.Option(help="Only of this route.")] = "",
    reason: Annotated[str, typer.Option(help="Only with this reason.")] = "",
    problem: Annotated[str, typer.Option(help="Only of this problem, as `dlq groups` shows it.")] = "",
    partner: Annotated[str, typer.Option(help="Only of this partner.")] = "",
    text: Annotated[str, typer.Option(help="Only with this in the detail, in the id or in that of the event.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most to list.")] = 100,
    after: Annotated[str, typer.Option(help="List on from here: `next` of the page before.")] = "",
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """List dead letters, open ones first, and of these and of the others the newest first.

    Example: crossdock dlq list --state open --route sales-to-oms
    """
    wanted = {"state": state, "route": route, "reason": reason, "problem": problem, "partner": partner, "text": text}
    query = urllib.parse.urlencode({**wanted, "limit": limit, "after": after})
    found = Remote(ops, token, data).call("GET", f"/ops/v1/dead-letters?{query}")
    columns = ["id", "state", "event_id", "stage", "source", "route", "reason", "first_seen", "last_seen", "problem"]
    rows = [[when(item[c]) if c.endswith("_seen") else item[c] for c in columns] for item in found["items"]]
    show(found, json, columns, rows)
    if found["next"] and not json:
        typer.echo(f"There are more: --after {found['next']}", err=True)


_DONE = ["id", "event_id", "outcome", "reason"]


@dlq_app.command("replay")
def dlq_replay(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of dead letters.")] = None,
    route: Annotated[str, typer.Option(help="All open ones of this route.")] = "",
    reason: Annotated[str, typer.Option(help="All open ones with this reason.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Send dead letters through again.

    Example: crossdock dlq replay --route sales-to-oms --yes
    """
    if not ids and not route and not reason:
        raise typer.BadParameter("name ids, or a selection with --route or --reason")
    remote = Remote(ops, token, data)
    selection = {"ids": ids or [], "route": route, "reason": reason}
    if not yes:
        planned = remote.call("POST", "/ops/v1/replays", {**selection, "dry_run": True})
        if not planned["items"]:
            typer.echo("Nothing found that could be sent again.", err=True)
            return
        number = sum(item["outcome"] == "sent" for item in planned["items"])
        confirm(f"Send {number} of {counted(len(planned['items']), 'dead letter')} again?")
    done = remote.call("POST", "/ops/v1/replays", selection)
    show(done, json, _DONE, [[item.get(column, "") for column in _DONE] for item in done["items"]])
    if any(item["outcome"] == "gone" for item in done["items"]):
        fail("some dead letters are past their retention and cannot be sent again")


@dlq_app.command("discard")
def dlq_discard(
    ids: Annotated[list[str], typer.Argument(help="Ids of dead letters.")],
    why: Annotated[str, typer.Option("--reason", help="Why nobody needs them any more; the journal keeps it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Give dead letters up for good: they are never sent again, and the ledger counts them as discarded.

    Example: crossdock dlq discard dl-0123456789ab --reason "corrected by hand at the ERP"
    """
    if not yes:
        confirm(f"Give up {counted(len(ids), 'dead letter')} for good?")
    done = Remote(ops, token, data).call("POST", "/ops/v1/discards", {"ids": ids, "reason": why})
    if not asked_for(done, json):
        show(done, json, _DONE, [[item.get(column, "") for column in _DONE] for item in done["items"]])


def asked_for(done: Any, json: bool) -> bool:
    """Say so when an act waits for a second person, instead of what came of it."""
    if "approval" not in done:
        return False
    if json:
        write_json(done)
    else:
        told = done["approval"]
        typer.echo(f"Another person has to approve it until {when(told['expires'])}: approval approve {told['id']}")
    return True
