"""Every command explains itself: what it does, an example, and what each option means."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from crossdock import cli
from crossdock.cli.app import app
from crossdock.cli.commands import COMMANDS, load

FOLDER = Path(cli.__file__).parent
HEAVY = {"sqlalchemy", "nicegui", "fastapi", "nats", "crossdock.project", "asyncio"}
LISTS = "import sys; sys.argv = ['crossdock', *{words}]; import crossdock.__main__ as at\n"
LISTS += "try: at.main()\nexcept SystemExit: print(*sys.modules, file=sys.stderr)"


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


def test_the_list_says_of_each_command_what_its_own_help_begins_with() -> None:
    told = {name: load(name).help.split("\n\n")[0].replace("\n", " ") for name in COMMANDS}
    assert told == {name: text for name, (text, _) in COMMANDS.items()}


def test_every_module_that_has_commands_is_in_the_list() -> None:
    having = {path.stem for path in FOLDER.glob("*.py") if "def register(" in path.read_text()}
    assert {module for _, modules in COMMANDS.values() for module in modules} == having


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["dlq", "list", "--help"]], ids=str)
def test_the_help_imports_nothing_that_it_does_not_need(words: list[str]) -> None:
    # when
    done = subprocess.run([sys.executable, "-c", LISTS.format(words=words)], capture_output=True, text=True, check=True)
    # then
    assert done.stdout
    assert HEAVY & set(done.stderr.split()) == set()


def test_a_command_that_there_is_not_is_answered_with_one_that_there_is() -> None:
    done = CliRunner().invoke(app, ["chek"])
    assert done.exit_code == 2
    assert "Did you mean 'check'" in done.output


def test_all_commands_are_listed_with_what_they_do() -> None:
    done = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"})
    assert done.exit_code == 0
    assert [text for text, _ in COMMANDS.values() if text not in done.output] == []
