"""The command `test`; `crossdock.cli.app` registers it."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from crossdock.cli.output import PROBLEMS, JsonOption, ProjectOption, console, counted, printable, write_json
from crossdock.cli.projects import load_or_exit
from crossdock.trial import testrun
from crossdock.trial.coverage import Cover, coverage, percent
from crossdock.trial.junit import junit
from crossdock.trial.rehearsal import Rehearsal
from crossdock.trial.testrun import Result

Here = Path()
NameOption = Annotated[str, typer.Option("--name", help="Only tests with this in their name or file.")]
JunitOption = Annotated[Path | None, typer.Option("--junit", dir_okay=False, help="Write JUnit XML to this file.")]
CoverOption = Annotated[int, typer.Option("--cover-min", min=0, max=100, help="Fail when less is covered, in percent.")]


def test(
    project: ProjectOption = Here,
    name: NameOption = "",
    junit_file: JunitOption = None,
    cover_min: CoverOption = 0,
    json: JsonOption = False,
) -> None:
    """Run the tests beside the content, all `*.test.yaml`: from what comes in to the requests that would go out.

    Shows what differs, by JSON pointer, and which sources, transforms, routes and connectors no test goes through. Exit
    1 if a test fails or too little is covered, 2 if no test has the name.

    Examples: crossdock test --name refund; crossdock test --junit tests.xml --cover-min 90
    """
    loaded = load_or_exit(project, json)
    rehearsal = Rehearsal(loaded)
    chosen = [one for one in loaded.tests if name in one.name or name in str(one.spot)]
    if name and not chosen:
        raise typer.BadParameter(f"no test has {name!r} in its name or file", param_hint="--name")
    results = [testrun.run(rehearsal, one) for one in chosen]
    covers = coverage(loaded, [outcome for result in results for outcome in result.outcomes])
    if junit_file:
        junit_file.write_bytes(junit(results))
    failed = sum(bool(result.differences) for result in results)
    if json:
        write_json(_document(results, covers, failed))
    else:
        _show(results, covers if not name else (), failed)
    if failed or percent(covers) < cover_min:
        raise typer.Exit(PROBLEMS)


def _document(results: Sequence[Result], covers: Sequence[Cover], failed: int) -> dict[str, object]:
    return {
        "passed": len(results) - failed,
        "failed": failed,
        "tests": [result.as_dict() for result in results],
        "coverage": {"percent": percent(covers), "kinds": list(map(asdict, covers))},
    }


def _show(results: Sequence[Result], covers: Sequence[Cover], failed: int) -> None:
    for result in results:
        if result.differences:
            typer.echo(f"{result.file}:{result.line}  {result.name}")
            typer.echo("".join(f"    {printable(str(difference))}\n" for difference in result.differences))
    if results:
        console().print(_by_file(results))
    if covers:
        console().print(_covered(covers))
    said = f", {percent(covers)}% covered" if covers else ""
    typer.echo(f"{counted(len(results), 'test')}, {failed} failed{said}")


def _by_file(results: Sequence[Result]) -> Table:
    table = Table("file", "passed", "failed", "ms")
    for file in dict.fromkeys(result.file for result in results):
        of_file = [result for result in results if result.file == file]
        failed = sum(bool(result.differences) for result in of_file)
        ms = sum(result.seconds for result in of_file) * 1000
        table.add_row(file, str(len(of_file) - failed), str(failed), f"{ms:.1f}")
    return table


def _covered(covers: Sequence[Cover]) -> Table:
    table = Table("", "covered", "not covered")
    for cover in covers:
        table.add_row(f"{cover.kind}s", f"{cover.covered} of {cover.total}", ", ".join(cover.missing))
    return table


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(test)
