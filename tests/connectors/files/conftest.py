"""The place of files that tests are run against: a folder of this machine, or of the server of OpenSSH."""

from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

import pytest

from connectors.folderspec import Server
from tests.connectors.files.places import PROGRAMS, Place, sshd
from tests.realservers import missing


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, "Popen[bytes]"]]:
    if not all(Path(program).exists() for program in PROGRAMS):
        missing("needs OpenSSH's server")
    with sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture(params=["file", "sftp"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    (tmp_path / "drop").mkdir()
    server = request.getfixturevalue("running")[0] if request.param == "sftp" else None
    return Place(tmp_path / "drop", request.param, server)
