"""Runs `up` with fake roles: `drive_up.py PROJECT DATA`; run by test_up.py."""

import asyncio
import sys
from pathlib import Path

from crossdock.supervisor.up import up

FAKE = str(Path(__file__).with_name("fake_role.py"))


def main() -> None:
    project, data = map(Path, sys.argv[1:3])
    sys.exit(asyncio.run(up(project, data, 0, 0, 2, json=True, command=lambda role: [sys.executable, FAKE, role])))


main()
