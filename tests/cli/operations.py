"""An operations API that gives commands the answers of a test, and remembers what it was asked."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from typer.testing import CliRunner

from crossdock.cli.app import app
from crossdock.cli.remote import Remote


@dataclass
class Operations:
    """Answers by method and path without its query, one after the other, the last for ever."""

    answers: dict[str, list[Any]] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Be `Remote.call`."""
        self.asked.append((f"{method} {path}", body))
        known = self.answers[f"{method} {path.partition('?')[0]}"]
        return known.pop(0) if len(known) > 1 else known[0]

    def run(self, *words: str, given: str | None = None) -> tuple[int, str, str]:
        """Run a command; return its exit code, output and errors."""
        ran = CliRunner().invoke(app, [*words, "--ops", "http://ops", "--token", "t"], input=given)
        return ran.exit_code, ran.stdout, ran.stderr


def operations(monkeypatch: pytest.MonkeyPatch) -> Operations:
    """Put one in the place of the real one."""
    made = Operations()
    monkeypatch.setattr(Remote, "call", lambda _, method, path, body=None: made.call(method, path, body))
    return made
