"""What `up` tells the person or script that started it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import typer

from crossdock.kernel import jsontext
from crossdock.kernel.problems import Problem


@dataclass(frozen=True, slots=True)
class Ready:
    """Where a running installation is reached; `cert` is the file of the console's certificate, if it has one."""

    gateway: str
    console: str
    ops_token: str
    data: str
    cert: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Writes one JSON document a line, or text for people."""

    json: bool

    def ready(self, at: Ready) -> None:
        """Say that everything is up; the first line that scripts wait for."""
        if self.json:
            self._line(
                {
                    "event": "ready",
                    "gateway": at.gateway,
                    "console": at.console,
                    "ops_token": at.ops_token,
                    "data": at.data,
                }
            )
        else:
            typer.echo(f"Crossdock is up.\n  gateway  {at.gateway}\n  console  {at.console}\n  data     {at.data}")
            typer.echo("  token    in run.json of the data folder; or `crossdock user add NAME --role admin`")
            typer.echo("Ctrl-C stops it.")

    def stopping(self, names: Iterable[str]) -> None:
        """Say what is being drained."""
        if not self.json:
            typer.echo(f"Stopping {', '.join(names)} …")

    def content(self, revision: str) -> None:
        """Say that other content is in force."""
        if self.json:
            self._line({"event": "content", "revision": revision})
        else:
            typer.echo(f"Revision {revision} is in force.")

    def rejected(self, problems: Iterable[Problem]) -> None:
        """Show why a change of the folder was not put in force."""
        if self.json:
            self._line({"event": "content_rejected", "problems": [problem.as_dict() for problem in problems]})
        else:
            typer.echo("The change is not put in force:", err=True)
            for problem in problems:
                typer.echo(str(problem), err=True)

    def problems(self, problems: Iterable[Problem]) -> None:
        """Show why nothing was started."""
        if self.json:
            self._line({"event": "refused", "problems": [problem.as_dict() for problem in problems]})
        else:
            for problem in problems:
                typer.echo(str(problem), err=True)

    def advice(self, problems: Iterable[Problem]) -> None:
        """Show on standard error what is wrong and does not keep anything from starting."""
        for problem in problems:
            typer.echo(str(problem), err=True)

    def gave_up(self, name: str, log: Path, tail: list[str]) -> None:
        """Show what a child wrote last that never became ready."""
        if self.json:
            self._line({"event": "gave_up", "child": name, "log": str(log), "tail": tail})
        else:
            typer.echo("\n".join([f"{name} crashed before it was ready; the end of {log}:", *tail]), err=True)

    def _line(self, document: object) -> None:
        typer.echo(jsontext.dumps(document))
