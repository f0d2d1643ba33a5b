"""`python -m simulators.systems odoo`: the system of a pack, for who tries the pack without a real one."""

import argparse
import asyncio
import shlex
import signal
import sys

from simulators.systems.installed import INSTALLED
from simulators.systems.serving import running


async def _serve(pack: str, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    installed = INSTALLED[pack]
    async with running(installed.system(), port) as simulator:
        for name, text in installed.variables(simulator.url).items():
            if not name.startswith("file:"):  # a secret that is read from a file, which is the reader's to write
                sys.stdout.write(f"export {name}={shlex.quote(text)}\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    """Run the system of a pack until it is ended; prints the variables that lead to it, for a shell."""
    parser = argparse.ArgumentParser(prog="python -m simulators.systems", description=main.__doc__)
    parser.add_argument("pack", choices=sorted(INSTALLED))
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    arguments = parser.parse_args()
    asyncio.run(_serve(arguments.pack, arguments.port))


if __name__ == "__main__":
    main()
