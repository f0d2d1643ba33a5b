"""Where the files of the conformance suite lie: a folder, reached directly or through the server of OpenSSH."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from connectors.folder import Folder
from connectors.folderspec import FolderOptions, Server
from connectors.kinds import open_connector, open_origin
from connectors.port import Connector, Origin
from connectors.spec import ConnectorSpec
from crossdock.formats.kinds import make_format
from crossdock.supervisor import datafolder
from tests.realservers import START_WITHIN

LOOPBACK = (ip_network("127.0.0.0/8"),)
PROGRAMS = ("/usr/sbin/sshd", "/usr/lib/openssh/sftp-server")


class Killed(BaseException):
    """What ends a process at once: nothing that it would still do is done."""


@dataclass(frozen=True, slots=True)
class Place:
    """One folder, as the machine that has it sees it, and how Crossdock reaches it."""

    path: Path
    kind: str
    server: Server | None = None

    def spec(self, **changes: Any) -> ConnectorSpec:
        """Return the spec of a connector; `changes` are of its options."""
        options = FolderOptions(str(self.path), make_format("jsonl"), "events.jsonl", server=self.server)
        return ConnectorSpec("drop", self.kind, replace(options, **changes), timeout=5, networks=LOOPBACK)

    def connector(self, **changes: Any) -> Connector:
        return open_connector(self.spec(**changes), object())  # type: ignore[arg-type]

    def origin(self, **changes: Any) -> Origin:
        return open_origin(self.spec(**changes), object())  # type: ignore[arg-type]

    def names(self, inside: str = "") -> list[str]:
        """Return the names of the files in the folder that others look for."""
        return sorted(path.name for path in (self.path / inside).glob("[!.]*") if path.is_file())


class Dying:
    """A folder whose process is killed before its act number `at`, or in the middle of it, from 0."""

    def __init__(self, folder: Folder, at: int, *, after: bool) -> None:
        self._folder = folder
        self._left = at
        self._after = after

    def __getattr__(self, name: str) -> Any:
        act = getattr(self._folder, name)

        async def acting(*arguments: Any) -> Any:
            self._left -= 1
            if self._left < 0 and not (self._after and self._left == -1):
                raise Killed
            result = await act(*arguments)
            if self._left < 0:
                raise Killed
            return result

        return act if name == "read" else acting


@contextmanager
def sshd(folder: Path, *options: str) -> Iterator[tuple[Server, subprocess.Popen[bytes]]]:
    """Run OpenSSH's server for the user that runs the tests, who signs in by a key."""
    for key in ("host", "user"):
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)]
        subprocess.run(make, check=True)
    shutil.copy(folder / "user.pub", folder / "authorized")
    port = datafolder.free_port()
    config = folder / "sshd_config"
    config.write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {folder / 'host'}\nAuthorizedKeysFile {folder / 'authorized'}\n"
        "StrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\nPasswordAuthentication yes\n"
        f"Subsystem sftp {PROGRAMS[1]} {' '.join(options)}\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where sshd goes before it knows who signs in
    process = subprocess.Popen([PROGRAMS[0], "-D", "-e", "-f", config], stderr=(folder / "log").open("wb"))
    user = subprocess.run(["id", "-un"], check=True, capture_output=True, text=True).stdout.strip()
    try:
        subprocess.run(
            ["bash", "-c", f"until : 2>/dev/null >/dev/tcp/127.0.0.1/{port}; do sleep 0.02; done"],
            check=True, timeout=START_WITHIN,
        )  # fmt: skip
        printed = subprocess.run(["ssh-keygen", "-lf", folder / "host.pub"], check=True, capture_output=True, text=True)
        keys = frozenset({printed.stdout.split()[1]})
        yield Server("127.0.0.1", port, user, keys, (folder / "user").read_text(), by_key=True), process
    finally:
        process.kill()
        process.wait()


def asked(one: Any, act: Callable[[], Awaitable[Any]]) -> Any:
    """Return what a connector or an origin answers, and close it."""

    async def scenario() -> Any:
        try:
            return await act()
        finally:
            await one.close()

    return asyncio.run(scenario())


def killed_in(acts: int, of_sftp: Iterable[int]) -> pytest.MarkDecorator:
    """Kill before or after every act in a folder of this machine, at some in one of a server, which takes longer."""
    everywhere = [("file", at, after) for at in range(acts) for after in (False, True)]
    places = everywhere + [("sftp", at, True) for at in of_sftp]
    return pytest.mark.parametrize(("place", "at", "after"), places, indirect=["place"])
