"""The commands `gateway`, `worker` and `ops`: one role each, as `up` starts them."""

import typer


def gateway() -> None:
    """Run the gateway alone; `up` does this for you. Reads CROSSDOCK_* variables."""
    from crossdock.supervisor import roles  # noqa: PLC0415  other commands start faster without the servers' code

    roles.run(roles.gateway)


def worker() -> None:
    """Run one worker alone; `up` does this for you. Reads CROSSDOCK_* variables."""
    from crossdock.supervisor import roles  # noqa: PLC0415

    roles.run(roles.worker)


def ops() -> None:
    """Run the operations API and console alone; `up` does this for you. Reads CROSSDOCK_* variables."""
    from crossdock.supervisor import roles  # noqa: PLC0415

    roles.run(roles.ops)


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command in (gateway, worker, ops):
        app.command()(command)
