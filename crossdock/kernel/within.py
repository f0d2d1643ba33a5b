"""The bytes of a project's file: nothing is opened that leads out of the project, or that is no plain file."""

import errno
import os
from pathlib import Path

from crossdock.kernel.problems import Problem, Refused


def leads_out(path: Path, root: Path) -> bool:
    """Tell whether a link or `..` leads out of the project; one that leads to itself leads nowhere."""
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def read(path: Path, root: Path, most: int) -> bytes:
    """Return as many bytes of a file as are given; its name in problems is relative to the root.

    Raises:
        Refused: `outside`, `unreadable`.
    """
    name = path.relative_to(root).as_posix()
    if leads_out(path, root):
        raise Refused([Problem("outside", "it leads out of the project", "copy the file there").at(name)])
    try:
        path.stat()
        if not path.is_file():  # a device has no end, and a pipe nothing before somebody writes
            raise OSError(errno.EINVAL, "it is no plain file")
        with path.open("rb") as opened:
            return opened.read(most)
    except OSError as error:
        raise Refused([Problem("unreadable", f"it cannot be read: {error.strerror}").at(name)]) from None
