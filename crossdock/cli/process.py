"""Commands for figures of processes and for conformance: `process show` and `process conformance`."""

import urllib.parse
from enum import StrEnum
from typing import Annotated, Any

import typer

from crossdock.cli.output import PROBLEMS, JsonOption, show, when
from crossdock.cli.remote import DATA, DataOption, OpsOption, Remote, TokenOption

_FIGURES = ["count", "p50", "p95", "p99"]
_SHOWN = ["delivered", "p50 ms", "p95 ms", "p99 ms"]  # these figures
_REST = ["p95 ms week before", "time in", "dead letters", "rework"]
_DEVIATIONS = ["rule", "state", "key", "since", "closed", "partner", "store"]
FromOption = Annotated[str, typer.Option("--from", help="Since when; UTC unless it says otherwise.")]
ToOption = Annotated[str, typer.Option(help="Until when; now if left out.")]

process_app = typer.Typer(no_args_is_help=True, help="How fast events go, hop by hop, and whether they come in order.")


class By(StrEnum):
    """What figures are told by."""

    route = "route"
    type = "type"
    partner = "partner"
    store = "store"
    device = "device"
    channel = "channel"
    carrier = "carrier"


class State(StrEnum):
    """What became of a deviation."""

    open = "open"
    late = "late"
    wrong_order = "wrong_order"


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(process_app, name="process")


@process_app.command("show")
def process_show(
    by: Annotated[By, typer.Option(help="What the figures are told by.")] = By.type,
    since: FromOption = "", to: ToOption = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most to list.")] = 20,
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Show how many events there were, how long they took, where the time went and what was done twice.

    Milliseconds, within 2 %, of the last day unless `--from` says otherwise.

    Example: crossdock process show --by store --from 2026-11-01
    """
    query = urllib.parse.urlencode({"by": by, "from": since, "to": to, "limit": limit})
    found = Remote(ops, token, data).call("GET", f"/ops/v1/processes?{query}")
    columns = [by.value, "events", *_SHOWN, *_REST]
    show(found, json, columns, [_row(one) for one in found["items"]])
    if found["left_out"] and not json:
        typer.echo(f"and {found['left_out']} more")


@process_app.command("conformance")
def process_conformance(  # noqa: PLR0913, PLR0917  an option for each thing to look for
    rule: Annotated[str, typer.Option(help="Only of this rule.")] = "",
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    since: FromOption = "", to: ToOption = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most to list.")] = 100,
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """List what did not happen, or not in the order that the rules of `journal/*.yaml` ask for, newest first.

    Exit 1 if something is missing still.

    Example: crossdock process conformance --rule transfer-not-received --state open
    """
    asked = {"rule": rule, "state": state or "", "from": since, "to": to, "limit": limit}
    found = Remote(ops, token, data).call("GET", f"/ops/v1/conformance?{urllib.parse.urlencode(asked)}")
    rows = [
        [when(one[c]) if c in ("since", "closed") and one[c] else one[c] or "" for c in _DEVIATIONS]
        for one in found["items"]
    ]
    show(found, json, _DEVIATIONS, rows)
    raise typer.Exit(PROBLEMS if any(one["open"] for one in found["rules"]) else 0)


def _row(one: dict[str, Any]) -> list[Any]:
    spent = ", ".join(f"{hop['hop']} {hop['share']:.0%}" for hop in one["hops"] if hop["share"] is not None)
    rework = ", ".join(f"{count} {name}" for name, count in one["rework"].items() if count)
    figures = ["" if one[column] is None else one[column] for column in _FIGURES]
    before = one["before"]["p95"]
    week_before = "" if before is None else before
    return [one["value"], one["events"] or "", *figures, week_before, spent, one["dead_letters"], rework]
