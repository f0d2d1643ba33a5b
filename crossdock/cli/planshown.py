"""How far a replay plan is, and what it would do, as commands show it; called by `crossdock.cli.plans`."""

import sys
import time
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from crossdock.cli.output import printable
from crossdock.cli.remote import Remote

LOOK_EVERY = 0.5  # seconds until a running plan is looked at again
INTERRUPTED = 130


def followed(remote: Remote, path: str, begun: dict[str, Any]) -> dict[str, Any]:
    """Show how far a plan is until it is not running; the plan goes on when this is ended before."""
    shown = begun
    bar = Progress(
        BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}/s {task.fields[waits]}"),
        TimeRemainingColumn(), console=Console(stderr=True), disable=not sys.stderr.isatty(),
    )  # fmt: skip
    try:
        with bar:
            task, since = bar.add_task("", total=begun["total"], rate=0, waits=""), time.monotonic()
            while shown["state"] == "running":
                time.sleep(LOOK_EVERY)
                shown = remote.call("GET", f"{path}?report=false")
                rate = round((shown["done"] - begun["done"]) / (time.monotonic() - since))
                waits = f"waits for {shown['waits_for']}" if shown["waits_for"] else ""
                bar.update(task, completed=shown["done"], rate=rate, waits=waits)
    except KeyboardInterrupt:
        typer.echo(f"Plan {begun['id']} goes on; `crossdock dlq pause {begun['id']}` stops it.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    return shown


def show_dry_run(found: dict[str, Any]) -> None:
    """Write what a plan would do."""
    typer.echo(f"{found['passes']} of {found['looked_at']} pass by revision {found['revision'][:12]}.")
    for one in found["fails"]:
        typer.echo(printable(f"{one['count']} fail: {one['why']}"))
    for one in found["targets"]:
        typer.echo(f"{one['count']} requests of {one['route']} to {one['connector']}")
    for one in found["examples"]:
        typer.echo(f"{found['effects'][one['effect']]} {one['effect'].replace('_', ' ')}, such as {one['id']}:")
        for change in one["changes"]:
            typer.echo(printable(f"  {change}"))
    for one in found["patch_unfit"]["examples"]:
        typer.echo(printable(f"the patch does not fit {one['id']}: {one['why']}"))
    if found["delivered_already"]["count"]:
        typer.echo(
            f"{found['delivered_already']['count']} were delivered already; a target that knows the key ignores them"
        )
    if found["order_conflicts"]["count"]:
        typer.echo(f"{found['order_conflicts']['count']} come after a later event of their key that was delivered")
    if found["maybe_known_to_target"]["count"]:
        typer.echo(f"{found['maybe_known_to_target']['count']} may be known to their target, which ignores a repeat")
