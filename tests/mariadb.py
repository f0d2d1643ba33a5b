"""A MariaDB server of its own for a test, when the programs are there.

`CROSSDOCK_TEST_MARIADB` names a folder that Debian's packages were unpacked to, where they are not installed.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crossdock.supervisor import datafolder

WITHIN = 20.0


def program() -> Path | None:
    """Return the server program."""
    folder = os.environ.get("CROSSDOCK_TEST_MARIADB", "")
    found = shutil.which("mariadbd") or (f"{folder}/usr/sbin/mariadbd" if folder else "")
    return Path(found) if found and Path(found).exists() else None


@contextmanager
def mariadb() -> Iterator[str]:
    """Run a server and yield its address, without driver; anybody on this machine is let in."""
    server, port = program(), datafolder.free_port()
    assert server is not None
    share = server.parents[1] / "share/mysql"
    libraries = server.parents[1] / "lib/x86_64-linux-gnu"
    with tempfile.TemporaryDirectory(prefix="maria") as name:
        data = Path(name) / "data"
        (data / "mysql").mkdir(parents=True)
        common = ["--no-defaults", f"--datadir={data}", f"--lc-messages-dir={share}", "--user=root"]
        common += [f"--character-sets-dir={share}/charsets", "--innodb-flush-log-at-trx-commit=0"]
        env = {**os.environ, "LD_LIBRARY_PATH": str(libraries)}
        script = f"use mysql;\n{(share / 'mysql_system_tables.sql').read_text()}\ncreate database shop;"
        subprocess.run(
            [server, *common, "--bootstrap", "--skip-networking"], input=script, text=True, env=env, check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        running = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={name}/socket", "--skip-grant-tables"]
        process = subprocess.Popen(
            [server, *common, *running], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _await(Path(name) / "socket")
            yield f"mariadb://crossdock@127.0.0.1:{port}/shop"
        finally:
            process.kill()
            process.wait()


def _await(socket: Path) -> None:
    until = time.monotonic() + WITHIN
    while not socket.exists():
        assert time.monotonic() < until, "the server does not start"
        time.sleep(0.02)
