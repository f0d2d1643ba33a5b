"""`run.json` in the data folder: how scripts and the command line find a running installation. Written by `up`."""

import os
from collections.abc import Mapping
from pathlib import Path

from crossdock.kernel import jsontext
from crossdock.supervisor import datafolder
from crossdock.supervisor.report import Ready


class RunFile:
    """`run.json`: addresses, token and processes; there only while all of it is up."""

    def __init__(self, data: Path, at: Ready) -> None:
        self._path, self._at = data / "run.json", at
        self._path.unlink(missing_ok=True)  # of a supervisor that was killed
        self._published = False

    def publish(self, pids: Mapping[str, int]) -> None:
        """Write the file, and from now on at each change."""
        self._published = True
        self.update(pids)

    def update(self, pids: Mapping[str, int]) -> None:
        """Write it again if it was published."""
        if self._published:
            at = self._at
            document = {"gateway": at.gateway, "console": at.console, "ops_token": at.ops_token, "pid": os.getpid()}
            document |= {"cert": at.cert} if at.cert else {}
            datafolder.write_private(self._path, jsontext.dumps({**document, "children": dict(pids)}))

    def remove(self) -> None:
        """Take the file away; changes write it no more."""
        self._published = False
        self._path.unlink(missing_ok=True)
