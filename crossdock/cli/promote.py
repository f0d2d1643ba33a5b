"""The command `dlq promote`: a dead letter becomes a content test."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from crossdock.cli.letters import LetterId, RevealOption, path_of
from crossdock.cli.operate import dlq_app
from crossdock.cli.output import JsonOption, ProjectOption, printable, write_json
from crossdock.cli.remote import DATA, DataOption, OpsOption, Remote, TokenOption, fail
from crossdock.kernel import yamlfile
from crossdock.kernel.problems import Refused

promote_app = typer.Typer()
Here = Path()


def register(_: typer.Typer) -> None:
    """Add the command of this file to those of `dlq`."""
    dlq_app.add_typer(promote_app)


@promote_app.command("promote")
def dlq_promote(  # noqa: PLR0913, PLR0917  an option for each thing to say
    letter_id: LetterId,
    to: Annotated[str, typer.Option(help="The file under --project; named beside the content without it.")] = "",
    expect: Annotated[str, typer.Option(help='"routes A B": which it must reach, whatever happens now.')] = "",
    name: Annotated[str, typer.Option(help="What holds, as a sentence.")] = "",
    project: ProjectOption = Here, reveal: RevealOption = "",
    data: DataOption = DATA, ops: OpsOption = "", token: TokenOption = "", json: JsonOption = False,
) -> None:  # fmt: skip
    """Make a dead letter a test of the project's content, with what becomes of it now as what is expected.

    Personal fields get placeholders of the same shape, unless --reveal says why not. A file that is there gets one test
    more.

    Example: crossdock dlq promote dl-0123456789ab --name "a sale without lines is refused" --expect "routes stock"
    """
    wish = {"name": name, "routes": _routes(expect), "reveal": reveal}
    made = Remote(ops, token, data).call("POST", f"{path_of(letter_id)}/promote", wish)
    file = project / (to or made["file"])
    _write(file, made, project)
    if json:
        write_json({**made, "file": file.as_posix()})
        return
    typer.echo(f"{file}: {made['case']['name']}")
    for told in [
        *made["notes"],
        *(() if made["passes"] else ("it fails by the content in force:", *made["differences"])),
    ]:
        typer.echo(printable(told), err=True)


def _routes(expect: str) -> list[str] | None:
    if not expect:
        return None
    word, *names = expect.replace(",", " ").split()
    if word != "routes":
        raise typer.BadParameter('say "routes" and the names of the routes', param_hint="--expect")
    return names


def _write(file: Path, made: Mapping[str, Any], root: Path) -> None:
    """Write the test, or add it to those of the file; what stands there stays as it is."""
    if not file.resolve().is_relative_to(root.resolve()) or not file.name.endswith(".test.yaml"):
        raise typer.BadParameter("a test is a file *.test.yaml of the project", param_hint="--to")
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(made["yaml"])
        return
    before = file.read_text()
    lines = made["yaml"].splitlines(keepends=True)
    case = "".join(lines[lines.index("tests:\n") + 1 :])
    after = f"{before.rstrip()}\n{case}"
    if not _is_added(before, after, made, file.name):
        fail(f"{file} cannot take it: its `about` is another, or its tests are written in another way; name a new file")
    file.write_text(after)


def _is_added(before: str, after: str, made: Mapping[str, Any], name: str) -> bool:
    try:
        old, new = (yamlfile.parse(text.encode(), name).value for text in (before, after))
    except Refused:
        return False
    tests: Iterable[Any] = old["tests"]
    return bool(new == {**old, "tests": [*tests, made["case"]]} and old.get("about", []) == made["about"])
