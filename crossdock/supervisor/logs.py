"""Log files of the children: one each, the previous one kept, bounded in size. Called by the crew."""

import os
import shutil
from pathlib import Path

from crossdock.supervisor import logform

MOST = 10 * 2**20  # bytes


def open_for(data: Path, name: str) -> int:
    """Return a descriptor to which a child may write as its standard output; see `rotate` for the trap."""
    return os.open(path(data, name), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def note(data: Path, name: str, message: str, form: str) -> None:
    """Append a line of the supervisor's own, in the form in which the child writes its log."""
    with path(data, name).open("a") as file:
        file.write(logform.line(form, name, message) + "\n")


def path(data: Path, name: str) -> Path:
    """Return where the log of a child stands."""
    return data / "logs" / f"{name}.log"


def rotate(data: Path, name: str) -> None:
    """Begin an empty log and keep the last one as `.log.1`; done at each start of the supervisor."""
    current = path(data, name)
    current.parent.mkdir(parents=True, exist_ok=True)
    if current.exists():
        current.replace(current.with_suffix(".log.1"))


def bound(data: Path, name: str) -> None:
    """Copy a log that grew too large to `.log.1` and empty it.

    The child goes on writing to the same file: that works because it appends, and a line written between the copy
    and the cut is lost.
    """
    current = path(data, name)
    if current.exists() and current.stat().st_size > MOST:
        shutil.copyfile(current, current.with_suffix(".log.1"))
        os.truncate(current, 0)


def tail(data: Path, name: str, lines: int = 20) -> list[str]:
    """Return the last lines of a log."""
    current = path(data, name)
    if not current.exists():
        return []
    with current.open("rb") as file:
        file.seek(max(0, current.stat().st_size - 64 * 1024))
        return file.read().decode(errors="replace").splitlines()[-lines:]
