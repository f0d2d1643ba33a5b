"""The commands `try` and `explain`: one file through the content; `crossdock.cli.app` registers them."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl

import typer
from rich.text import Text

from crossdock.cli.output import PROBLEMS, JsonOption, ProjectOption, console, printable, write_json, write_problems
from crossdock.cli.projects import load_or_exit
from crossdock.contenttest import JSON, Arrival
from crossdock.kernel.event import STRUCTURED, Event
from crossdock.kernel.marked import marked
from crossdock.project import Project
from crossdock.trial.outcome import DEAD, QUARANTINED, REFUSED, Outcome, Sent
from crossdock.trial.rehearsal import Rehearsal
from routes.match import explain as explain_routes

Here = Path()
_FAILED = {REFUSED, QUARANTINED, DEAD}
_OF_CANONICAL = "canonical_invalid"
_OF_ENVELOPE = {"invalid_envelope", "type_not_accepted", "unknown_type", "unknown_version"}
FileArgument = Annotated[
    Path,
    typer.Argument(
        help="A CloudEvent in JSON, or with --source the body of a request.", exists=True, dir_okay=False, readable=True
    ),
]
SourceOption = Annotated[str, typer.Option("--source", help="The source that takes it.")]
HeaderOption = Annotated[
    list[str] | None, typer.Option("--header", "-H", help="A header of the request: 'Name: value'.")
]
QueryOption = Annotated[str, typer.Option("--query", help="The query of its address: 'a=1&b=2'.")]


def try_event(
    file: FileArgument,
    source: SourceOption = "",
    header: HeaderOption = None,
    query: QueryOption = "",
    project: ProjectOption = Here,
    json: JsonOption = False,
) -> None:
    """Run what comes in through gateway rules, transform and routes in memory, and show each step and request.

    Signatures and limits are not asked for. What fails is marked in the data; exit 1.

    Examples: crossdock try sale.json; crossdock try order.json --source shopify -H 'X-Shopify-Topic: orders/create'
    """
    loaded = load_or_exit(project, json, os.environ)
    outcomes = Rehearsal(loaded).play([_arrival(loaded, file, source, header or [], query)])
    if json:
        documents = [_document(outcome) for outcome in outcomes]
        write_json(documents[0] if len(documents) == 1 else {"events": documents})
    else:
        for outcome in outcomes:
            _show(outcome, loaded.root)
    if any(outcome.word in _FAILED or outcome.failures for outcome in outcomes):
        raise typer.Exit(PROBLEMS)


def explain(
    file: FileArgument,
    source: SourceOption = "",
    header: HeaderOption = None,
    query: QueryOption = "",
    project: ProjectOption = Here,
    json: JsonOption = False,
) -> None:
    """Say of what comes in, raw or canonical, why each route takes it or does not.

    Examples: crossdock explain sale.json; crossdock explain order.json --source square
    """
    loaded = load_or_exit(project, json, os.environ)
    outcomes = Rehearsal(loaded).play([_arrival(loaded, file, source, header or [], query)])
    if problems := [p for outcome in outcomes if outcome.word in _FAILED for p in outcome.problems]:
        _show_problems(problems, json)
        raise typer.Exit(PROBLEMS)
    routes, cast = loaded.routes.values(), loaded.as_asked
    found = [(event, explain_routes(routes, event, one.source, cast)) for one in outcomes if (event := one.event)]
    if json:
        documents = [{"id": made.id, "type": made.type, "routes": list(map(asdict, said))} for made, said in found]
        write_json(documents[0] if len(documents) == 1 else {"events": documents})
        return
    for made, verdicts in found:
        typer.echo(f"{made.id} is {made.type}")
        for verdict in verdicts:
            typer.echo(f"{'takes it ' if verdict.matched else 'passes by'}  {verdict.route}: {verdict.why}")


def _arrival(project: Project, file: Path, source: str, headers: list[str], query: str) -> Arrival:
    if source and source not in project.sources:
        known = ", ".join(project.sources)
        raise typer.BadParameter(f"there is no source {source}; known: {known}", param_hint="--source")
    named = dict(_header(text) for text in headers)
    if "content-type" not in named:
        binary = any(name.startswith("ce-") for name in named)
        webhook = source and project.sources[source].accept == "webhook"
        named["content-type"] = JSON if webhook or binary else STRUCTURED
    return Arrival(source, named, dict(parse_qsl(query, keep_blank_values=True)), file.read_bytes())


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise typer.BadParameter(f"{text!r} is not 'Name: value'", param_hint="--header")
    return name.strip().lower(), value.strip()


def _show_problems(problems: list[Any], json: bool) -> None:
    if json:
        write_json({"problems": [problem.as_dict() for problem in problems]})
    else:
        write_problems(problems, json)


def _document(outcome: Outcome) -> dict[str, Any]:
    return {
        "outcome": outcome.word,
        "source": outcome.source,
        "steps": list(map(asdict, outcome.steps)),
        "event": _event(outcome.event),
        "routes": [{"route": sent.route, "connector": sent.connector} for sent in outcome.sent],
        "requests": [{"route": sent.route, **sent.request.as_dict()} for sent in outcome.sent],
        "problems": [problem.as_dict() for problem in outcome.problems],
        "warnings": [problem.as_dict() for problem in outcome.warnings],
    }


def _event(event: Event | None) -> dict[str, Any] | None:
    return None if event is None else {**event.attributes(), "data": event.data}


def _show(outcome: Outcome, root: Path) -> None:
    for step in outcome.steps:
        typer.echo(f"{'ok  ' if step.ok else 'FAIL'}  {step.ms:9.3f} ms  {step.name}: {printable(step.detail)}")
    if outcome.event is not None and outcome.word not in _FAILED:
        _show_json(_event(outcome.event), [])
        for sent in outcome.sent:
            _show_request(sent)
    _show_broken(outcome, root)
    typer.echo(f"{outcome.word}" + (f" to {', '.join(s.route for s in outcome.sent)}" if outcome.sent else ""))


def _show_request(sent: Sent) -> None:
    request = sent.request
    typer.echo(f"\n{sent.route} -> {sent.connector}\n{request.method} {request.url}")
    for name, value in request.headers.items():
        typer.echo(f"{name}: {value}")
    typer.echo("")
    _show_json(request.body, [])


def _show_broken(outcome: Outcome, root: Path) -> None:
    """Show what is wrong, in the content and in the data that it is wrong in."""
    problems = [*outcome.problems, *outcome.warnings]
    if not problems:
        return
    write_problems(problems, False, root)
    placed = [problem for problem in problems if problem.pointer and problem.code not in _OF_ENVELOPE]
    event = outcome.event if any(p.code == _OF_CANONICAL for p in placed) else outcome.raw
    if event is not None and placed:
        _show_json(event.data, placed)


def _show_json(value: Any, problems: list[Any]) -> None:
    for wrong, line in marked(value, problems):
        console().print(
            Text(("> " if wrong else "  ") * bool(problems) + printable(line), style="bold red" if wrong else ""),
            soft_wrap=True,
        )


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("try")(try_event)
    app.command()(explain)
