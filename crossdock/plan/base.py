"""The content that a change is compared with: another folder, a revision of git, or what is in force."""

import base64
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from crossdock.bundle import decode
from crossdock.kernel.problems import refuse
from crossdock.project import FOLDERS

GIT, RUNNING = "git:", "running"
FILES = "/ops/v1/content/files"
_WITHIN = 60.0


@contextmanager
def base_folder(root: Path, against: str, get: Callable[[str], Any]) -> Iterator[Path]:
    """Give the folder that `against` names; what git or an installation has is written to a temporary one.

    Raises:
        Refused: `unknown_base`, or `bad_bundle` for what is no archive of content.
    """
    if not against.startswith(GIT) and against != RUNNING:
        if not Path(against).is_dir():
            raise refuse("unknown_base", f"{against} is no folder", _HINT)
        yield Path(against)
        return
    with tempfile.TemporaryDirectory(prefix="crossdock-plan-") as folder:
        if against == RUNNING:
            decode(base64.b64decode(get(FILES)["archive"])).lay_out(Path(folder))
        else:
            _extract(_git(root, "archive", "--format=tar", against.removeprefix(GIT)), folder)
        yield Path(folder)


_HINT = "name a folder, git:REVISION, or running"


def _extract(archive: bytes, folder: str) -> None:
    with tarfile.open(fileobj=BytesIO(archive)) as opened:
        wanted = [member for member in opened.getmembers() if member.name.split("/", 1)[0] in FOLDERS]
        opened.extractall(folder, wanted, filter="data")


def _git(root: Path, command: str, *words: str) -> bytes:
    """Return what git answers in a project's folder, which may be a part of its repository."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), command, *words], capture_output=True, timeout=_WITHIN, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise refuse("unknown_base", f"git does not answer: {error}") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        why = said[0].removeprefix("fatal: ") if said else "it failed"
        raise refuse("unknown_base", f"the project is compared with what git has, and git says: {why}", _HINT)
    return done.stdout
