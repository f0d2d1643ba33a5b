"""`python -m crossdock`."""

import sys

from crossdock.supervisor.roles import ROLES


def main() -> None:
    """Run a role as the supervisor starts it, without the 20 MiB of the command line, or else the command line."""
    if len(sys.argv) == 2 and sys.argv[1] in ROLES:
        ROLES[sys.argv[1]]()
        return
    from crossdock.cli.app import main as run_command  # noqa: PLC0415

    run_command()


if __name__ == "__main__":
    main()
