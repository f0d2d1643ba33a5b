"""The commands by name, each imported when it is called: all of them take more than a second."""

from collections import UserDict
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

# What the list of commands says of each, as its own help does, and the modules of this folder that it is made of.
COMMANDS: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType({
    "init": (
        "Make a small project that passes `check` and `test`, ready for editors, and say what to do next.", ("init",),
    ),
    "editor": (
        "Write the JSON Schemas of all kinds of files for editors, and the settings of VS Code unless there are some.",
        ("init",),
    ),
    "apply": ("Put the content of a project in force in a running installation, whole or not at all.", ("apply",)),
    "up": ("Run everything: servers, gateway, workers and console, until Ctrl-C or SIGTERM.", ("run",)),
    "gateway": ("Run the gateway alone; `up` does this for you. Reads CROSSDOCK_* variables.", ("roles",)),
    "worker": ("Run one worker alone; `up` does this for you. Reads CROSSDOCK_* variables.", ("roles",)),
    "ops": (
        "Run the operations API and console alone; `up` does this for you. Reads CROSSDOCK_* variables.", ("roles",),
    ),
    "check": ("Check all content files, how they fit together, and config.yaml.", ("content",)),
    "test": (
        "Run the tests beside the content, all `*.test.yaml`: from what comes in to the requests that would go out.",
        ("testing",),
    ),
    "try": (
        "Run what comes in through gateway rules, transform and routes in memory, and show each step and request.",
        ("tryout",),
    ),
    "explain": ("Say of what comes in, raw or canonical, why each route takes it or does not.", ("tryout",)),
    "graph": (
        "Draw the way of events: sources, types, transforms, canonical types, routes and connectors.", ("graph",),
    ),
    "plan": (
        "Say what a change of content does: what differs, whom it touches, what becomes of past events by it.",
        ("plan",),
    ),
    "trace": ("Show every hop of an event, or with an option list the events that fit, newest first.", ("trace",)),
    "ledger": ("Prove that every event adds up, as of now; exit 1 and name those that do not.", ("operate",)),
    "schema": ("Versions of event types: compare, check, infer.", ("schema",)),
    "key": ("API keys of partners.", ("keys",)),
    "dlq": ("Dead letters: list, look, send again.", ("operate", "letters", "promote", "problems", "plans")),
    "process": ("How fast events go, hop by hop, and whether they come in order.", ("process",)),
    "journal": ("What is recorded of events: what of it nobody can read.", ("journal",)),
    "approval": ("Acts that wait for a second person.", ("approvals",)),
    "audit": ("What people did, and the proof that the log of it is whole.", ("audit",)),
    "alert": ("What is wrong now, and who is told of it.", ("alerts",)),
    "user": ("People who sign in at the console, and their roles.", ("users",)),
    "token": ("API tokens of scripts and dashboards.", ("users",)),
    "pack": ("Ready-made content for systems of others.", ("pack",)),
    "route": ("List, pause and resume routes, send past events through one.", ("route",)),
    "source": ("What sources took, and whether those that are polled answer.", ("source",)),
    "partner": ("How well what partners send fits.", ("partners",)),
    "drift": ("What sources send beyond their schemas, or unlike before.", ("drift",)),
    "connector": ("Destinations and polled origins: what there is, what answers.", ("connector",)),
    "bench": ("Measure this machine's Crossdock, beside its peers; see docs/performance.md.", ("bench",)),
})  # fmt: skip


class _Imported(UserDict[str, Any]):
    """The commands by name; who takes one gets it with what it needs."""

    def __getitem__(self, name: str) -> Any:
        return load(name) if name in COMMANDS else super().__getitem__(name)


class Commands(TyperGroup):
    """The command line; its list of commands imports none of them."""

    def __init__(self, **given: Any) -> None:
        """See `TyperGroup`."""
        super().__init__(**given)
        self._listed = {name: TyperCommand(name, help=told) for name, (told, _) in COMMANDS.items()}
        self.commands = _Imported(self._listed)

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names."""
        return list(self.commands)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return what the list says of a command."""
        return self._listed.get(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that is called."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, self.commands[name] if name else found, rest


@cache
def load(name: str) -> Any:
    """Import a command."""
    made = typer.Typer()
    for module in COMMANDS[name][1]:
        import_module(f"crossdock.cli.{module}").register(made)
    return typer.main.get_group(made).commands[name]
