"""The commands of `bench`; `crossdock.cli.app` registers them."""

import asyncio
from collections.abc import Iterable
from typing import Annotated

import typer
from rich.console import Console

from crossdock.cli.output import JsonOption, write_json, write_problems
from crossdock.kernel.problems import Refused

bench_app = typer.Typer(help="Measure this machine's Crossdock; see docs/performance.md.")
MEASURES = ("ingest", "route", "latency")

RepsOption = Annotated[int, typer.Option(min=1, max=100, help="How often each measure is taken.")]
EventsOption = Annotated[int, typer.Option(min=100, max=1_000_000, help="Events preloaded for `route`.")]
AloneOption = Annotated[bool, typer.Option("--alone", help="Hold the workers still, so that only the gateway runs.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(bench_app, name="bench")


@bench_app.callback(invoke_without_command=True)
def bench(
    context: typer.Context, reps: RepsOption = 3, events: EventsOption = 60_000, json: JsonOption = False
) -> None:
    """Take all measures, or the one that is named."""
    if context.invoked_subcommand is None:
        _take(MEASURES, reps, json, events=events)
    elif any(getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE" for name in context.params):
        raise typer.BadParameter(f"give options after the measure: bench {context.invoked_subcommand} …")


@bench_app.command()
def ingest(reps: RepsOption = 3, alone: AloneOption = False, json: JsonOption = False) -> None:
    """Events a second through the gateway, 32 connections, stored and acknowledged."""
    _take(["ingest"], reps, json, alone=alone)


@bench_app.command()
def route(reps: RepsOption = 3, events: EventsOption = 60_000, json: JsonOption = False) -> None:
    """Events a second from a full stream to three targets."""
    _take(["route"], reps, json, events=events)


@bench_app.command()
def latency(reps: RepsOption = 3, json: JsonOption = False) -> None:
    """Milliseconds from POST to a target at 500 events a second."""
    _take(["latency"], reps, json)


def _take(names: Iterable[str], reps: int, as_json: bool, *, events: int = 60_000, alone: bool = False) -> None:
    from bench import figures, suite, wrk  # noqa: PLC0415  other commands start faster without the roles' code
    from bench.size import Size  # noqa: PLC0415

    size = Size(events=events, alone=alone, own_loader=not wrk.present())
    try:
        runs = asyncio.run(suite.take(names, reps, size, lambda text: typer.echo(text, err=True)))
    except Refused as error:
        write_problems(error.problems, as_json)
        raise typer.Exit(1) from None
    except asyncio.CancelledError:  # SIGTERM
        raise typer.Abort from None
    found = figures.document(runs)
    path = figures.save(found, figures.RESULTS)
    if as_json:
        write_json(found)
    else:
        for table in figures.tables(runs):
            Console().print(table)
        typer.echo(f"Written to {path}")
    for run in runs:
        for wrong in run.wrong:
            typer.echo(f"VOID {run.measure} {run.rep}: {wrong}", err=True)
    raise typer.Exit(0 if found["valid"] else 1)
