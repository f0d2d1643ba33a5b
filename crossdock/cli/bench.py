"""The commands of `bench`; `crossdock.cli.app` registers them."""

import asyncio
import os
from collections.abc import Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.table import Table

from crossdock.cli.output import JsonOption, console, write_json, write_problems
from crossdock.kernel.problems import Refused

if TYPE_CHECKING:
    from bench.figures import Run
    from bench.size import Size

bench_app = typer.Typer(help="Measure this machine's Crossdock, beside its peers; see docs/performance.md.")
MEASURES = ("ingest", "route", "latency", "down", "kill")
SYNCS = "2m,always"
_T = TypeVar("_T")

RepsOption = Annotated[int, typer.Option(min=1, max=100, help="How often each measure is taken.")]
EventsOption = Annotated[int, typer.Option(min=100, max=1_000_000, help="Events that fill RAW.")]
SyncOption = Annotated[str, typer.Option(help="Values of nats.sync_interval to measure Crossdock with.")]
PeersOption = Annotated[
    str, typer.Option(help="ceiling,camel,python,handwritten or none; auto: those that are ready here.")
]
CORES = os.cpu_count() or 1
WorkersOption = Annotated[int, typer.Option(min=1, max=64, help="Worker processes of Crossdock.")]
GatewaysOption = Annotated[int, typer.Option(min=1, max=64, help="Gateway processes of Crossdock.")]
BusyOption = Annotated[bool, typer.Option("--busy", help="Let the workers run beside the gateway.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(bench_app, name="bench")


@bench_app.callback(invoke_without_command=True)
def bench(
    context: typer.Context,
    reps: RepsOption = 3,
    events: EventsOption = 60_000,
    sync: SyncOption = SYNCS,
    peers: PeersOption = "auto",
    workers: WorkersOption = CORES,
    gateways: GatewaysOption = 1,
    json: JsonOption = False,
) -> None:
    """Take all measures of Crossdock and its peers by turns, or the one that is named."""
    if context.invoked_subcommand is None:
        _take(MEASURES, reps, sync, peers, json, events=events, workers=workers, gateways=gateways)
    elif any(getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE" for name in context.params):
        raise typer.BadParameter(f"give options after the measure: bench {context.invoked_subcommand} …")


@bench_app.command()
def ingest(
    reps: RepsOption = 3,
    sync: SyncOption = SYNCS,
    peers: PeersOption = "none",
    busy: BusyOption = False,
    gateways: GatewaysOption = 1,
    json: JsonOption = False,
) -> None:
    """Events a second through the gateway, stored and acknowledged.

    Example: crossdock bench ingest --busy
    """
    _take(["ingest"], reps, sync, peers, json, busy=busy, gateways=gateways)


def _filled(name: str, help_: str) -> None:
    def command(
        reps: RepsOption = 3,
        events: EventsOption = 60_000,
        sync: SyncOption = SYNCS,
        peers: PeersOption = "none",
        workers: WorkersOption = CORES,
        json: JsonOption = False,
    ) -> None:
        _take([name], reps, sync, peers, json, events=events, workers=workers)

    bench_app.command(name, help=f"{help_}\n\nExample: crossdock bench {name}")(command)


_filled("route", "Events a second from a full stream to three targets.")
_filled("down", "The same while one target is down, and what becomes of its events.")
_filled("kill", "The same with the worker killed in the middle: nothing may be lost.")


@bench_app.command()
def latency(
    reps: RepsOption = 3,
    sync: SyncOption = SYNCS,
    peers: PeersOption = "none",
    rate: Annotated[float, typer.Option(min=1, max=100_000, help="Events a second.")] = 500,
    workers: WorkersOption = CORES,
    json: JsonOption = False,
) -> None:
    """Milliseconds from POST to a target at a constant rate.

    Example: crossdock bench latency --rate 500
    """
    _take(["latency"], reps, sync, peers, json, rate=rate, workers=workers)


@bench_app.command()
def scale(
    only: Annotated[str, typer.Option(help="backlog,routes,sources,size,keys,journal: some of them.")] = "",
    reps: RepsOption = 1,
    workers: WorkersOption = 1,
    json: JsonOption = False,
) -> None:
    """What an event costs with a longer backlog, more routes, sources and keys, larger events, a longer journal.

    Example: crossdock bench scale
    """
    from bench import scale as measures  # noqa: PLC0415
    from bench import scale_table, toolchain  # noqa: PLC0415  as below
    from bench.scale_cases import DIMENSIONS, Stretch  # noqa: PLC0415
    from bench.size import Size  # noqa: PLC0415

    names = only.split(",") if only else [*DIMENSIONS]
    if unknown := [name for name in names if name not in DIMENSIONS]:
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(DIMENSIONS)}", param_hint="--only")
    size = Size(workers=workers, sink=toolchain.find(os.environ).sink, quiet=False, within=900)
    points = _wait(measures.take(names, reps, size, Stretch(), _tell), json)
    found = scale_table.document(points)
    _show(found, scale_table.tables(points), json)
    for point in points:
        for wrong in point.wrong:
            _tell(f"VOID {point.dimension} {point.name}: {wrong}")
    _keep(found)


def _take(names: Sequence[str], reps: int, sync: str, peers: str, as_json: bool, **sizes: float) -> None:
    from bench import wrk  # noqa: PLC0415  other commands start faster without the roles' code
    from bench.size import Size  # noqa: PLC0415

    size = Size(**sizes, own_loader=not wrk.present())  # type: ignore[arg-type]
    runs = _wait(_runs(names, reps, sync, peers, size), as_json)
    found = _report(runs, as_json)
    for run in runs:
        for wrong in run.wrong:
            _tell(f"VOID {run.measure} {run.rep} {run.entry.label}: {wrong}")
    _keep(found)


def _wait(measures: Coroutine[Any, Any, _T], as_json: bool) -> _T:
    try:
        return asyncio.run(measures)
    except Refused as error:
        write_problems(error.problems, as_json)
        raise typer.Exit(1) from None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    except asyncio.CancelledError:  # SIGTERM
        raise typer.Abort from None


def _keep(found: Mapping[str, Any]) -> None:
    from bench import figures  # noqa: PLC0415

    _tell(f"Written to {figures.save(found, figures.RESULTS)}")
    raise typer.Exit(0 if found["valid"] else 1)


async def _runs(names: Sequence[str], reps: int, sync: str, peers: str, size: "Size") -> "list[Run]":
    from dataclasses import replace  # noqa: PLC0415

    from bench import suite, toolchain  # noqa: PLC0415

    tools = toolchain.find(os.environ)
    plan = suite.Plan(names, reps, suite.syncs(sync), await suite.others(peers, tools, _tell))
    return await suite.take(plan, replace(size, sink=tools.sink), tools, _tell)


def _tell(text: str) -> None:
    typer.echo(text, err=True)


def _report(runs: "Sequence[Run]", as_json: bool) -> dict[str, Any]:
    from bench import comparison, figures  # noqa: PLC0415

    summaries = comparison.summaries(runs)
    found = figures.document(runs, [one.as_dict() for one in summaries], comparison.kept_while_down(summaries))
    alone = figures.details(runs) if len({run.measure for run in runs}) == 1 else ()
    _show(found, [*alone, comparison.table(summaries)], as_json)
    if as_json:
        return found
    out = console()
    for label, share in comparison.kept_while_down(summaries).items():
        out.print(f"{label} keeps {share:.0%} of its rate while one target is down")
    return found


def _show(found: Mapping[str, Any], tables: Sequence[Table], as_json: bool) -> None:
    if as_json:
        write_json(found)
        return
    for table in tables:
        console().print(table)
