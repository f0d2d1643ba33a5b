"""The processes an installation is made of. Called by `crossdock.__main__` and the command line.

Each imports what it needs and no more, once it is known which one this process is to be.
"""

# ruff: noqa: PLC0415


def gateway() -> None:
    """Serve partners until SIGTERM."""
    from crossdock.supervisor import base, gateway_role

    base.run(gateway_role.gateway)


def worker() -> None:
    """Process and deliver until SIGTERM."""
    from crossdock.supervisor import base, worker_role

    base.run(worker_role.worker)


def ops() -> None:
    """Serve operators until SIGTERM."""
    from crossdock.supervisor import base, ops_role

    base.run(ops_role.ops)


ROLES = {"gateway": gateway, "worker": worker, "ops": ops}
