"""The commands for architects: check, test, try, explain, graph; `crossdock.cli.app` registers them."""

from collections import defaultdict
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.table import Table

from crossdock.cli import graph as content_graph
from crossdock.cli import testrun, trial
from crossdock.cli.output import (
    PROBLEMS,
    EventFile,
    JsonOption,
    ProjectOption,
    console,
    counted,
    load_or_exit,
    write_json,
    write_problems,
)
from crossdock.kernel import settings
from crossdock.kernel.event import Event, decode_structured
from crossdock.kernel.problems import Refused
from routes.match import explain as explain_routes

Here = Path()


class Format(StrEnum):
    """How `check` answers."""

    text = "text"
    json = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="json is for scripts and editors.")]


def check(project: ProjectOption = Here, output: FormatOption = Format.text, json: JsonOption = False) -> None:
    """Check all content files, how they fit together, and config.yaml.

    Every problem is shown as `file:line:column  code  message  hint`; exit 1 if there is one.

    Example: crossdock check --project shop --format json
    """
    as_json = json or output is Format.json
    loaded = load_or_exit(project, as_json, settings.problems(project))
    if as_json:
        write_problems([], as_json)
        return
    parts = [
        counted(len(loaded.sources), "source"),
        counted(len(loaded.registry.types()), "type"),
        counted(len(loaded.transforms), "transform"),
        counted(len(loaded.routes), "route"),
        counted(len(loaded.connectors), "connector"),
    ]
    typer.echo(f"no problems: {', '.join(parts)}; revision {loaded.revision}")


def test(project: ProjectOption = Here, json: JsonOption = False) -> None:
    """Run the tests beside the content, all `*.test.yaml`; exit 1 if one fails.

    Example: crossdock test --project shop
    """
    loaded = load_or_exit(project, json)
    results = [testrun.run(loaded, one) for one in loaded.tests]
    failed = [result for result in results if result.differences]
    if json:
        write_json({"passed": len(results) - len(failed), "failed": len(failed), "tests": list(map(asdict, results))})
    else:
        _show_results(results)
    if failed:
        raise typer.Exit(PROBLEMS)


def _show_results(results: list[testrun.Result]) -> None:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for result in results:
        counts[result.file][bool(result.differences)] += 1
        if result.differences:
            typer.echo(f"{result.file}:{result.line}  {result.name}")
            typer.echo("".join(f"    {difference}\n" for difference in result.differences))
    table = Table("file", "passed", "failed")
    for file, (passed, failed) in counts.items():
        table.add_row(file, str(passed), str(failed))
    if counts:
        console().print(table)
    failures = sum(bool(result.differences) for result in results)
    typer.echo(f"{counted(len(results), 'test')}, {failures} failed")


def try_event(file: EventFile, project: ProjectOption = Here, json: JsonOption = False) -> None:
    """Run one event through schema, transform and routes in memory and show each step.

    Example: crossdock try sale.json
    """
    loaded = load_or_exit(project, json)
    tried = trial.run(loaded, _read(file, json))
    if json:
        write_json(
            {
                "steps": list(map(asdict, tried.steps)),
                "event": _document(tried.event),
                "routes": [{"route": route.name, "connector": route.connector} for route in tried.routes],
                "problems": [problem.as_dict() for problem in tried.problems],
            }
        )
    else:
        _show_trial(tried)
    if tried.problems:
        raise typer.Exit(PROBLEMS)


def _show_trial(tried: trial.Trial) -> None:
    for step in tried.steps:
        typer.echo(f"{'ok  ' if step.ok else 'FAIL'}  {step.ms:9.3f} ms  {step.name}: {step.detail}")
    if tried.event is not None:
        typer.echo(orjson.dumps(_document(tried.event), option=orjson.OPT_INDENT_2).decode())
    write_problems(tried.problems, False)


def explain(file: EventFile, project: ProjectOption = Here, json: JsonOption = False) -> None:
    """Say for one event, raw or canonical, why each route takes it or does not.

    Example: crossdock explain sale.json
    """
    loaded = load_or_exit(project, json)
    event = _read(file, json)
    try:
        made = loaded.canonical(event, loaded.check(event))
    except Refused as error:
        raise _refused(error, json) from None
    verdicts = explain_routes(loaded.routes.values(), made)
    if json:
        write_json({"id": made.id, "type": made.type, "routes": list(map(asdict, verdicts))})
        return
    typer.echo(f"{made.id} is {made.type}")
    for verdict in verdicts:
        typer.echo(f"{'takes it ' if verdict.matched else 'passes by'}  {verdict.route}: {verdict.why}")


def graph(project: ProjectOption = Here, json: JsonOption = False) -> None:
    """Draw sources, types, transforms, routes and connectors as a Mermaid flowchart.

    Example: crossdock graph > content.mmd
    """
    hops = content_graph.edges(load_or_exit(project, json))
    if json:
        write_json({"edges": [{"from": ":".join(start), "to": ":".join(end)} for start, end in hops]})
    else:
        typer.echo(content_graph.mermaid(hops))


def _read(file: Path, as_json: bool) -> Event:
    try:
        return decode_structured(file.read_bytes())
    except Refused as error:
        raise _refused(error, as_json) from None


def _refused(error: Refused, as_json: bool) -> typer.Exit:
    if as_json:
        write_json({"problems": [problem.as_dict() for problem in error.problems]})
    else:
        write_problems(error.problems, as_json)
    return typer.Exit(PROBLEMS)


def _document(event: Event | None) -> object:
    return None if event is None else {**event.attributes(), "data": event.data}


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(check)
    app.command()(test)
    app.command("try")(try_event)
    app.command()(explain)
    app.command()(graph)
