"""The command `graph`; `crossdock.cli.app` registers it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer

from crossdock.cli.output import JsonOption, ProjectOption
from crossdock.cli.projects import load_or_exit
from crossdock.drawing.hops import Hop, hops
from crossdock.drawing.mermaid import mermaid
from crossdock.drawing.svg import svg

Here = Path()


class Format(StrEnum):
    """How `graph` draws."""

    mermaid = "mermaid"
    svg = "svg"
    json = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="svg is a picture, json is for scripts.")]
OutputOption = Annotated[Path | None, typer.Option("--output", "-o", dir_okay=False, help="Write to this file.")]


def graph(
    project: ProjectOption = Here,
    output: FormatOption = Format.mermaid,
    file: OutputOption = None,
    json: JsonOption = False,
) -> None:
    """Draw the way of events: sources, types, transforms, canonical types, routes and connectors.

    Examples: crossdock graph > content.mmd; crossdock graph --format svg -o content.svg
    """
    found = hops(load_or_exit(project, json or output is Format.json))
    text = _DRAWN[Format.json if json else output](found)
    if file:
        file.write_text(text + "\n", encoding="utf-8")
    else:
        typer.echo(text)


def _document(found: list[Hop]) -> str:
    document = {"edges": [{"from": str(start), "to": str(end)} for start, end in found]}
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()


_DRAWN = {Format.mermaid: mermaid, Format.svg: svg, Format.json: _document}


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(graph)
