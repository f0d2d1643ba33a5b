"""A person who runs the architects' commands on a project."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from crossdock.cli.app import app
from crossdock.kernel.event import Event, encode_structured
from tests.smallproject import sale


def run(root: Path, *arguments: str, event: Event | None = None) -> Result:
    """Run a command; the word EVENT stands for a file with the event."""
    file = root / "event.json"
    file.write_bytes(encode_structured(event or sale("1", "2")))
    words = [str(file) if word == "EVENT" else word for word in arguments]
    return CliRunner().invoke(app, [*words, "--project", str(root)])


def answer(root: Path, *arguments: str, event: Event | None = None) -> Any:
    """Return what a command answers in JSON."""
    return json.loads(run(root, *arguments, "--json", event=event).stdout)
