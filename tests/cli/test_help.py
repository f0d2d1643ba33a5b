"""Every command explains itself: what it does, an example, and what each option means."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from crossdock.cli.app import app


def commands(group: Any, *before: str) -> Iterator[tuple[str, Any]]:
    for word, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *before, word)
        else:
            yield " ".join((*before, word)), command


@pytest.mark.parametrize(("words", "command"), [*commands(typer.main.get_command(app))], ids=str)
def test_the_help_of_a_command_says_what_it_does_with_an_example(words: str, command: Any) -> None:
    what, _, example = command.help.rpartition("\n\nExample")
    assert what.strip() and f"crossdock {words}" in example
    assert [parameter.name for parameter in command.params if not parameter.help] == []
