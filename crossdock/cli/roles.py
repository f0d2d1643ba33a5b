"""The commands `gateway`, `worker` and `ops`: one role each, as `up` starts them."""

import typer

from crossdock.supervisor import roles


def gateway() -> None:
    """Run the gateway alone; `up` does this for you. Reads CROSSDOCK_* variables.

    Example: crossdock gateway
    """
    roles.gateway()


def worker() -> None:
    """Run one worker alone; `up` does this for you. Reads CROSSDOCK_* variables.

    Example: crossdock worker
    """
    roles.worker()


def ops() -> None:
    """Run the operations API and console alone; `up` does this for you. Reads CROSSDOCK_* variables.

    Example: crossdock ops
    """
    roles.ops()


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command in (gateway, worker, ops):
        app.command()(command)
