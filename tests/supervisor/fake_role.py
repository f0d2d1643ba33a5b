"""A role that only says it is ready and, when asked to end, notes that; run by `drive_up.py`."""

import os
import signal
import sys
from pathlib import Path

from crossdock.supervisor import ready


def main() -> None:
    name = sys.argv[1] + os.environ.get("CROSSDOCK_SEAT", "").partition("/")[0]
    if name == os.environ.get("FAKE_CRASH"):
        sys.exit(f"{name}: boom")
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    ready.announce(os.environ)
    signal.sigwait({signal.SIGTERM})
    with Path(os.environ["CROSSDOCK_DATA"], "ended.txt").open("a") as file:
        file.write(f"{name}\n")


main()
