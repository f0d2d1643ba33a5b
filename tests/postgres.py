"""A PostgreSQL server of its own for a test, when the programs are there; PostgreSQL does not run as root."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crossdock.supervisor import datafolder


def programs() -> Path | None:
    """Return the folder of `initdb` and `postgres`, the newest if there are several."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return next((folder for folder in reversed(folders) if (folder / "initdb").exists()), None)


@contextmanager
def postgres() -> Iterator[str]:
    """Run a server and yield SQLAlchemy's address of it."""
    folder, port = programs(), datafolder.free_port()
    assert folder is not None
    user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    with tempfile.TemporaryDirectory(prefix="pg") as name:  # tmp_path is closed to other users
        data = Path(name) / "data"
        shutil.chown(name, user)
        run: list[str | Path] = [folder / "initdb", "-D", data, "-U", "crossdock", "--auth=trust", "--no-sync"]
        subprocess.run(run, check=True, user=user, stdout=subprocess.DEVNULL, cwd=name)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={name} -c fsync=off"
        control: list[str | Path] = [folder / "pg_ctl", "-D", data, "-w", "-l", Path(name) / "log"]
        subprocess.run([*control, "-o", options, "start"], check=True, user=user, stdout=subprocess.DEVNULL, cwd=name)
        try:
            yield f"postgresql+psycopg://crossdock@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run(
                [*control, "-m", "immediate", "stop"], check=False, user=user, stdout=subprocess.DEVNULL, cwd=name
            )
